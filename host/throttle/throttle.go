package throttle

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// DefaultEntries bounds the table, unless Options say otherwise.
const DefaultEntries = 65536

// Options are a throttle's settings.
type Options struct {
	Entries    int              // pairs of name and source remembered; 0: DefaultEntries
	Processors int              // that hash; 0: those of this process
	Now        func() time.Time // nil: time.Now
}

// Throttle decides about attempts to log in. A source is the uid of a process on
// this machine or a remote address without its port. All methods may be called at once
// from many goroutines.
type Throttle struct {
	now  func() time.Time
	most int      // attempts of one source in line
	seed [32]byte // of this process, so that nobody can choose names that collide

	mu     sync.Mutex
	pairs  *table
	known  *standing // the sources in good standing
	manage *line     // attempts on the management listener
	others *line
}

// New returns a throttle that remembers nothing.
func New(o Options) *Throttle {
	if o.Entries <= 0 {
		o.Entries = DefaultEntries
	}
	if o.Processors <= 0 {
		o.Processors = processors()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	known := newStanding(o.Entries)
	t := &Throttle{
		now:    o.Now,
		most:   mostFromSource(o.Processors),
		pairs:  newTable(o.Entries),
		known:  known,
		manage: newLine(placesOf(account.ManagementListener, o.Processors), known),
		others: newLine(placesOf(account.ClientListener, o.Processors), known),
	}
	crand.Read(t.seed[:])
	return t
}

func (t *Throttle) lineOf(l account.Listener) *line {
	if l == account.ManagementListener {
		return t.manage
	}
	return t.others
}

// Outcome says how an attempt ended.
type Outcome int

// The outcomes.
const (
	Failed    Outcome = iota // the name and the password do not match
	Succeeded                // they do
	Undecided                // no password was checked
)

// Allow lets an attempt with that name, as submitted, from that source go ahead;
// done, of which only the first call counts, says how it ended. It refuses with
// Throttled while earlier failures are to be waited for.
//
// Attempts under way count as failed until they are done, so that guesses made
// at once gain nothing. Where only they are in the way Allow waits for them, so
// that right logins made at once go a few at a time. Then it waits for a place
// among those under way: sources whose last attempt succeeded go first, but for a
// place that they leave to strangers, and otherwise each has its turn, however
// many attempts another makes. It refuses within patience, or when ctx ends.
//
// A source that makes many attempts at once hears of a refusal late: whoever
// floods waits, and keeps nobody busy.
func (t *Throttle) Allow(ctx context.Context, name, source string, l account.Listener) (done func(Outcome), err error) {
	pair, from := t.key(name, source), t.key("", source)
	late := time.NewTimer(patience)
	defer late.Stop()
	hears := time.Now().Add(patience/2 + rand.N(patience/2)) // so that not all come back at once
	a := t.arrive(l, pair, from)
	for {
		next := t.try(a)
		switch {
		case next.refused > 0:
			if next.slowly {
				waste(ctx, time.Until(hears))
			}
			t.leave(a)
			return nil, account.Throttled(next.refused)
		case next.wait == nil:
			lend := time.AfterFunc(long, func() { t.lend(a) })
			var once sync.Once
			return func(o Outcome) { once.Do(func() { lend.Stop(); t.end(a, o) }) }, nil
		}
		select {
		case <-next.wait:
			continue
		case <-late.C:
		case <-ctx.Done():
		}
		if t.giveUp(a) {
			return nil, account.Throttled(firstDelay)
		}
	}
}

func waste(ctx context.Context, d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// attempt is one call of Allow, until its done.
type attempt struct {
	pair    key
	line    *line
	crowd   *crowd
	surplus bool // its source has too many in line

	// Guarded by the Throttle's mutex.
	entry  *entry  // of its pair; nil before it counts there as under way
	ticket *ticket // nil before it stands in line
}

func (t *Throttle) arrive(l account.Listener, pair, from key) *attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lineOf(l)
	c := line.arrive(from)
	return &attempt{pair: pair, line: line, crowd: c, surplus: c.here-c.refused > t.most}
}

// step is what an attempt does next: it is refused, it waits, or, with neither,
// it goes ahead.
type step struct {
	refused time.Duration // how long to wait before the next attempt; 0: not refused
	slowly  bool
	wait    <-chan struct{} // closed when it is to try again
}

func (t *Throttle) try(a *attempt) step {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.entry != nil {
		if a.ticket.granted {
			return step{}
		}
		return step{wait: a.ticket.called}
	}
	now := t.now()
	t.pairs.prune(now)
	wait, ended := t.pairs.blocked(a.pair, now)
	switch {
	case wait > 0 && ended == nil:
		return a.crowd.refuse(wait)
	case a.surplus, !t.pairs.room(a.pair):
		return a.crowd.refuse(firstDelay)
	case wait > 0:
		return step{wait: ended}
	}
	a.entry = t.pairs.begin(a.pair)
	a.ticket = a.line.stand(a.crowd)
	if a.ticket.granted {
		return step{}
	}
	return step{wait: a.ticket.called}
}

// giveUp takes back an attempt that has waited long enough. It reports false if
// it was called in the meantime.
func (t *Throttle) giveUp(a *attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.ticket != nil {
		if a.ticket.granted {
			return false
		}
		a.line.withdraw(a.crowd, a.ticket)
		t.pairs.end(a.entry, t.now(), Undecided)
	}
	a.line.leave(a.crowd)
	return true
}

// leave takes away an attempt that was refused.
func (t *Throttle) leave(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.crowd.refused--
	a.line.leave(a.crowd)
}

// lend has another go ahead beside an attempt that takes long.
func (t *Throttle) lend(a *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.line.lend(a.ticket)
}

// end takes an attempt that went ahead for what it came to.
func (t *Throttle) end(a *attempt, o Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs.end(a.entry, t.now(), o)
	t.known.heard(a.crowd.source, o)
	a.line.free(a.ticket)
	a.line.leave(a.crowd)
}

// key hashes a name and its source.
func (t *Throttle) key(name, source string) (k key) {
	text := make([]byte, 0, 256)
	text = append(text, t.seed[:]...)
	text = binary.LittleEndian.AppendUint64(text, uint64(len(name)))
	text = append(text, name...)
	text = append(text, widened(source)...)
	sum := sha256.Sum256(text)
	return key(sum[:len(k)])
}

// widened returns an IPv6 source's /64: within it a client chooses its address
// freely, and would be another one for each attempt. Other sources stay as they
// are.
func widened(source string) string {
	a, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}
