package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Details are what a listener knows of a session.
type Details struct {
	RemoteAddress string // with its port, if it has one
	Client        string
	Environment   string
	Listener      account.Listener

	// OnEnd, if not nil, is called once when the session ends, outside all
	// locks, by the goroutine that ends it, so it must not wait for long. It
	// may be called before Complete has returned.
	OnEnd func(*Session, Cause)
}

// Session is a live session, or one that was. There may be a million: texts
// that many share are kept once, and what Check reads stands first, together.
type Session struct {
	token    Token
	started  time.Duration // as table.elapsed counts
	active   atomic.Int64  // the last activity, as table.elapsed counts
	standing *standing
	phase    atomic.Int32 // live, ended or told
	place    int32        // in table.sessions; guarded by table.mu

	id            id
	remoteAddress string
	client        unique.Handle[string]
	environment   unique.Handle[string]
	listener      unique.Handle[account.Listener]
	onEnd         func(*Session, Cause)
	calls         atomic.Uint64
	connections   atomic.Int32
	seat          int32 // in standing.sessions; guarded by table.mu

	mu           sync.Mutex // guards what follows; taken after table.mu, if both
	running      *Call      // newest first
	transactions map[string]transaction
}

// The phases of a session, in order.
const (
	live  int32 = iota
	ended       // set under table.mu: its token is good for nothing
	told        // set under its own mu: OnEnd is about to be called
)

func (s *Session) over() bool { return s.phase.Load() != live }

func newSession(started time.Duration, d Details) *Session {
	s := &Session{
		token:         newToken(),
		id:            newID(),
		started:       started,
		remoteAddress: d.RemoteAddress,
		client:        unique.Make(d.Client),
		environment:   unique.Make(d.Environment),
		listener:      unique.Make(d.Listener),
		onEnd:         d.OnEnd,
	}
	s.active.Store(int64(started))
	return s
}

// ID returns the session's public id.
func (s *Session) ID() string { return s.id.String() }

// Caller returns who asks, as the session's login read it.
func (s *Session) Caller() account.Caller {
	return account.Caller{
		Username: s.standing.username, AccountID: s.standing.id,
		Generation: s.standing.generation, SessionID: s.ID(),
	}
}

// Snapshot returns what the host knows of the account now; do not change it. A
// session that the account's change has ended gets one that allows nothing.
func (s *Session) Snapshot() *account.Snapshot { return s.standing.snapshot.Load() }

// Ended reports whether the session is over. Whoever keeps something for a session
// looks once more when it is kept: OnEnd may have come before.
func (s *Session) Ended() bool { return s.over() }

// Listener returns the one that the session's login came through.
func (s *Session) Listener() account.Listener { return s.listener.Value() }

// Format writes the public id, whatever the verb (rule 9).
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, "session ", s.id.String()) }

// row returns the session as a listing shows it.
func (s *Session) row() account.Session {
	t := s.standing.table
	r := account.Session{
		ID:             s.ID(),
		Host:           t.options.Host,
		AccountID:      s.standing.id,
		Username:       s.standing.username,
		Role:           s.Snapshot().Role,
		RemoteAddress:  s.remoteAddress,
		Listener:       s.listener.Value(),
		Client:         s.client.Value(),
		Environment:    s.environment.Value(),
		ConnectedSince: t.time(s.started),
		LastActive:     t.time(time.Duration(s.active.Load())),
		Calls:          s.calls.Load(),
		Connections:    int(s.connections.Load()),
	}
	s.describe(&r)
	return r
}
