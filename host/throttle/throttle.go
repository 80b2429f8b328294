package throttle

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// DefaultEntries bounds the table, unless Options say otherwise.
const DefaultEntries = 65536

// patience bounds how long Allow waits for attempts under way.
const patience = 5 * time.Second

// Options are a throttle's settings.
type Options struct {
	Entries int              // pairs of name and source remembered; 0: DefaultEntries
	Now     func() time.Time // nil: time.Now
}

// Throttle decides about attempts to log in. A source is the uid of a process on
// this machine or a remote address without its port. All methods may be called at once
// from many goroutines.
type Throttle struct {
	now  func() time.Time
	seed [32]byte // of this process, so that nobody can choose names that collide

	mu      sync.Mutex
	pairs   *table
	sources map[key]*crowd // only those with attempts under way
}

// New returns a throttle that remembers nothing.
func New(o Options) *Throttle {
	if o.Entries <= 0 {
		o.Entries = DefaultEntries
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Throttle{
		now:     o.Now,
		pairs:   newTable(o.Entries),
		sources: map[key]*crowd{},
	}
	rand.Read(t.seed[:])
	return t
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
// that right logins made at once go a few at a time, and refuses after patience
// or when ctx ends.
func (t *Throttle) Allow(ctx context.Context, name, source string) (done func(Outcome), err error) {
	pair, from := t.key(name, source), t.key("", source)
	var late <-chan time.Time
	for {
		done, wait, ended := t.try(pair, from)
		switch {
		case done != nil:
			return done, nil
		case ended == nil:
			return nil, account.Throttled(wait)
		case late == nil:
			late = time.After(patience)
		}
		select {
		case <-ended:
		case <-late:
			return nil, account.Throttled(wait)
		case <-ctx.Done():
			return nil, account.Throttled(wait)
		}
	}
}

// try lets an attempt go ahead, or says how long to wait and, if it is only for
// other attempts, what is closed when one of them ends.
func (t *Throttle) try(pair, from key) (done func(Outcome), wait time.Duration, ended <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.pairs.prune(now)
	if wait, ended = t.pairs.blocked(pair, now); wait > 0 {
		return nil, wait, ended
	}
	c := t.sources[from]
	switch {
	case c != nil && c.underWay >= mostFromSource:
		return nil, firstDelay, c.waitForOne()
	case !t.pairs.room(pair):
		return nil, firstDelay, nil
	case c == nil:
		c = &crowd{}
		t.sources[from] = c
	}
	c.underWay++
	e := t.pairs.begin(pair)
	var once sync.Once
	return func(o Outcome) { once.Do(func() { t.end(e, from, o) }) }, 0, nil
}

func (t *Throttle) end(pair *entry, from key, o Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs.end(pair, t.now(), o)
	c := t.sources[from]
	if c.leave(); c.underWay == 0 {
		delete(t.sources, from)
	}
}

// crowd is the attempts under way from one source, whatever their names.
type crowd struct {
	underWay int
	ended    chan struct{} // closed when one of them ends; nil: nobody waits
}

func (c *crowd) waitForOne() <-chan struct{} {
	if c.ended == nil {
		c.ended = make(chan struct{})
	}
	return c.ended
}

func (c *crowd) leave() {
	c.underWay--
	if c.ended != nil {
		close(c.ended)
		c.ended = nil
	}
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
