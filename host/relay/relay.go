package relay

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Options are a relay's settings. Those with a default may be left out.
type Options struct {
	Address        string         // HOST:PORT of the data server
	Username       string         // the host's service account there
	Password       account.Secret // and its password
	Environment    string         // the host's default environment
	MaxConnections int            // to the data server at once (256), 7/8 of them for one account; aborts and logouts may go beyond by a few
	ConnectTimeout time.Duration  // to connect, and the longest wait for a connection that is free, or for the account's share (5 s)
	AnswerTimeout  time.Duration  // for the answers to the relay's own questions that calls wait for (5 s)
	ReplyTimeout   time.Duration  // to the first byte of an answer, between its parts, and for a request to go out (5 m)
	MaxMessage     int            // of an answer that is kept whole; longer ones, and any beyond 256 KiB, are streamed
	Logger         hclog.Logger
}

const (
	defaultConnections    = 256
	defaultConnectTimeout = 5 * time.Second
	defaultAnswerTimeout  = 5 * time.Second
	defaultReplyTimeout   = 5 * time.Minute

	// keptAnswer is how long an answer may be that is kept whole before its first
	// byte goes to the client.
	keptAnswer = 256 << 10
)

func (o Options) withDefaults() Options {
	if o.MaxConnections <= 0 {
		o.MaxConnections = defaultConnections
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = defaultAnswerTimeout
	}
	if o.ReplyTimeout <= 0 {
		o.ReplyTimeout = defaultReplyTimeout
	}
	if o.MaxMessage <= 0 || o.MaxMessage > keptAnswer {
		o.MaxMessage = keptAnswer
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	o.Environment = account.CleanEnvironment(o.Environment)
	return o
}

// Relay passes calls on. Its Close must follow. All methods may be called at once
// from many goroutines.
type Relay struct {
	Options
	stage, commit, abort *methods.Method

	pool      *pool
	reach     reach
	shares    shares        // what each account may have of the connections
	strangers chan struct{} // has one for each call under way that takes no token
	doors     doors         // whether the upstream lets the service account in
	mark      int32         // the sequence id of its own logins
	holdings  sync.Map      // what each session holds: *session.Session to *holding
	open      index         // the holdings with open transactions
	endings   endings

	closing atomic.Bool
	context context.Context // of the relay's own calls; ends with Close
	cancel  context.CancelFunc
	watched chan struct{} // closed when watch has returned

	oldUpstream, otherDefault sync.Once // what is said of the upstream's default environment is said once

	calls, failures, logins atomic.Uint64
	transactions            atomic.Int64
}

// New returns a relay. It connects when it is first needed.
func New(o Options) *Relay {
	r := &Relay{Options: o.withDefaults(), watched: make(chan struct{})}
	r.stage, r.commit, r.abort = core(stageName), core(commitName), core("abort")
	r.context, r.cancel = context.WithCancel(context.Background())
	r.pool, r.mark = newPool(r), newMark()
	r.reach.logger, r.reach.address = r.Logger, r.Address
	r.shares.init(max(1, r.MaxConnections*7/8))
	r.strangers = make(chan struct{}, min(mostStrangers, r.shares.most))
	r.open.byName = map[string]map[*holding]struct{}{}
	r.endings.settle, r.endings.queue.lines = r.settle, map[string]*line{}
	r.endings.gaveUp, r.endings.patience = r.gaveUp, giveUpAfter
	go r.watch()
	return r
}

func core(name string) *methods.Method {
	m, _ := methods.Lookup(name)
	return m
}

// Figures are a relay's figures.
type Figures struct {
	InUse, Idle  int    // connections to the upstream
	Calls        uint64 // relayed so far
	Failures     uint64 // of those, without the upstream's whole answer
	Logins       uint64 // upstream so far
	Transactions int    // open now
}

// Figures returns them as they are now.
func (r *Relay) Figures() Figures {
	f := Figures{
		Calls: r.calls.Load(), Failures: r.failures.Load(), Logins: r.logins.Load(), Transactions: int(r.transactions.Load()),
	}
	f.InUse, f.Idle = r.pool.count()
	return f
}

// Relay passes a call on, and its answer to the client. It refuses with
// ErrTransaction, ErrUnknown, ErrCut, Unavailable and, if the right to the call is
// lost meanwhile, or the session has ended, NotPermitted (NEEDS_GRANT) and
// NotAuthenticated: then nothing is sent, and a transaction is aborted. When ctx ends,
// the call is given up within a second.
func (r *Relay) Relay(ctx context.Context, c *Call) error {
	r.calls.Add(1)
	err := r.relay(ctx, c)
	if err == ErrUnknown || err == ErrCut || account.KindOf(err) == account.KindUnavailable {
		r.failures.Add(1)
	}
	return err
}

func (r *Relay) relay(ctx context.Context, c *Call) error {
	if c.Session == nil {
		return r.passOpen(ctx, c)
	}
	h, err := r.hold(c.Session)
	if err != nil {
		return err
	}
	if c.Method == r.stage {
		if err := h.reserve(c); err != nil {
			return err
		}
		defer h.release(c)
	}
	if err := r.shares.take(ctx, h.username, r.ConnectTimeout); err != nil {
		return err
	}
	defer r.shares.done(h.username)
	c.writes = c.Method.Access == methods.Write
	t, err := r.enter(h, c)
	if err != nil {
		return err
	}
	err = r.passAs(ctx, c, h, t)
	if t != nil && r.closes(c.Method) {
		r.left(h, t, c.Method, err)
	}
	return err
}

// closes reports whether the method is the last of a transaction.
func (r *Relay) closes(m *methods.Method) bool { return m == r.commit || m == r.abort }

// errStale says that the upstream does not know the access token that it was
// shown.
var errStale = errors.New("the data server does not know the access token")

// passAs passes a call on in the name of its session's login upstream, after
// another login if that one is good no more.
func (r *Relay) passAs(ctx context.Context, c *Call, h *holding, t *transaction) error {
	var stale *login
	for range 2 {
		l, err := r.login(ctx, h, stale)
		if err != nil {
			return err
		}
		if c.Defaulted && !r.closes(c.Method) {
			err = r.checkDefault(ctx, l)
		}
		if err == nil {
			err = r.pass(ctx, c, h, l, t)
		}
		if err != errStale {
			return err
		}
		stale = l
	}
	return account.Unavailable("the data server does not take the access token that it has just given out")
}

// holding is what one session holds upstream.
type holding struct {
	session  *session.Session
	username string
	aborting atomic.Int32 // transactions that it held, and that are not aborted yet

	mu           sync.Mutex // guards what follows; taken before index.mu, if both
	over         bool       // the session has ended: nothing is added any more
	login        *login     // nil: none, or none that is good
	attempt      *attempt   // the login under way
	transactions map[int64]*transaction
	staging      int // calls that may begin another one
}

// hold returns what the session holds, which may be nothing yet. It refuses with
// NotAuthenticated if the session has ended, and with Unavailable after Close.
func (r *Relay) hold(s *session.Session) (*holding, error) {
	if h, ok := r.holdings.Load(s); ok {
		return h.(*holding), nil
	}
	h, _ := r.holdings.LoadOrStore(s, &holding{session: s, username: s.Caller().Username})
	// Whoever ended the session, or closed the relay, before this was there did
	// not see it (rule 3).
	switch {
	case s.Ended():
		r.end(h.(*holding))
		return nil, account.SessionEnded()
	case r.closing.Load():
		r.end(h.(*holding))
		return nil, errStopping
	}
	return h.(*holding), nil
}

var errStopping error = account.Unavailable("the host is stopping")
