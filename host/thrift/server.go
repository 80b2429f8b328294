package thrift

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// Options are what a Server serves from.
type Options struct {
	Gate   *gate.Gate
	Relay  *relay.Relay // nil: no data server is behind this host
	Logger hclog.Logger

	DefaultEnvironment string
	MaxConnections     int           // at once; 0: 10,000
	MaxMessage         int           // bytes of a message, once a good token was shown; 0: 100 MiB
	FirstByte          time.Duration // for a client to say something, until a good token was shown; 0: 10 s
	MessageWithin      time.Duration // for a message to come whole, from its first byte on; 0: a minute
	WriteWithin        time.Duration // for a client to take one part of an answer; 0: a minute
	Certificate        *Certificate  // nil: no TLS
	TLSSetting         string        // the setting that would give it one, for the log

	// Refused, if not nil, hears why a call was refused, logins aside.
	Refused func(Reason)
}

// The defaults of Options.
const (
	DefaultMaxConnections = 10_000
	DefaultMaxMessage     = 100 << 20
	DefaultFirstByte      = 10 * time.Second
	defaultMessageWithin  = time.Minute
	defaultWriteWithin    = time.Minute
)

// handler is what one port does with the calls of its connections. Its methods
// may be called at once from many goroutines.
type handler interface {
	// lookup returns the method that a name on the wire means, nil if there is
	// none. A service that is not known ends the connection.
	lookup(name string) (m *methods.Method, known bool)

	// answer answers a call. An error ends the connection without another word.
	answer(ctx context.Context, r *request) error

	// disconnected hears that a connection has closed which a session counted, and
	// whether it was the session's last. It must not wait for long.
	disconnected(s *session.Session, last bool)
}

// Server serves one port.
type Server struct {
	options Options
	handler handler
	tls     *tls.Config // nil: none

	calls   context.Context // ends when calls under way may go on no longer
	cut     context.CancelFunc
	stopped chan struct{} // closed by Stop

	crowded, crowding, failing, unruly, overfull seldom

	budget *budget

	mu        sync.Mutex // guards the rest
	listeners []net.Listener
	open      map[*conn]struct{}
	strangers strangers
	hurryAt   time.Time      // when connections may be hurried again
	running   sync.WaitGroup // one for each open connection; joined under mu, before stopped is closed
}

func newServer(o Options, h handler) *Server {
	if o.MaxConnections == 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.FirstByte == 0 {
		o.FirstByte = DefaultFirstByte
	}
	if o.MessageWithin == 0 {
		o.MessageWithin = defaultMessageWithin
	}
	if o.WriteWithin == 0 {
		o.WriteWithin = defaultWriteWithin
	}
	s := &Server{options: o, handler: h, stopped: make(chan struct{}), budget: newBudget(o), open: map[*conn]struct{}{}, strangers: strangers{}}
	if o.Certificate != nil {
		s.tls = o.Certificate.Config()
	}
	s.calls, s.cut = context.WithCancel(context.Background())
	return s
}

// The pauses after a connection could not be accepted, for want of descriptors
// perhaps.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = time.Second
)

// Serve serves until Stop, and returns nil then. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	pause := leastPause
	for {
		if s.stopping() {
			return nil
		}
		socket, err := l.Accept()
		switch {
		case err == nil:
			pause = leastPause
			s.admit(socket)
		case s.stopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			if n, ok := s.failing.turn(); ok {
				s.options.Logger.Warn("connections cannot be accepted", "error", err, "times", n)
			}
			s.rest(pause)
			pause = min(2*pause, mostPause)
		}
	}
}

// rest waits, unless Stop comes.
func (s *Server) rest(pause time.Duration) {
	select {
	case <-time.After(pause):
	case <-s.stopped:
	}
}

// admit serves a connection, or closes it at once if there is no place for it.
func (s *Server) admit(socket net.Conn) {
	c := newConn(s, socket)
	s.mu.Lock()
	free := s.options.MaxConnections - len(s.open)
	crowding := s.strangers[c.source] >= free
	serve := free > 0 && !crowding && !s.stopping()
	if serve {
		s.open[c] = struct{}{}
		s.strangers.add(c.source)
		s.running.Go(c.serve)
	}
	if free <= 0 {
		s.hurry()
	}
	s.mu.Unlock()
	if serve {
		return
	}
	socket.Close()
	switch {
	case free <= 0:
		if n, ok := s.crowded.turn(); ok {
			s.options.Logger.Warn("too many connections; new ones are closed at once", "most", s.options.MaxConnections, "times", n)
		}
	case crowding:
		if n, ok := s.crowding.turn(); ok {
			s.options.Logger.Warn("too many connections of one address that have not logged in; its new ones are closed at once",
				"source", c.source, "free", free, "times", n)
		}
	}
}

// hurryEvery is how often all connections are looked at for those to be hurried,
// at most.
const hurryEvery = time.Second

// hurry has connections let go of places that they have no more use for. s.mu is
// held.
func (s *Server) hurry() {
	now := time.Now()
	if now.Before(s.hurryAt) {
		return
	}
	s.hurryAt = now.Add(hurryEvery)
	for c := range s.open {
		c.hurry()
	}
}

// known says that a connection is no stranger's any more, and forgotten that it is
// one's again.
func (s *Server) known(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers.remove(c.source)
}

func (s *Server) forgotten(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers.add(c.source)
}

func (s *Server) left(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	if !c.trusted {
		s.strangers.remove(c.source)
	}
}

// Connections returns how many are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *Server) stopping() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}

// Stop lets calls under way finish for as long as patience is, and no other
// begin; then it closes what is left. When it returns, no connection is open.
func (s *Server) Stop(patience time.Duration) {
	s.mu.Lock()
	if !s.stopping() {
		close(s.stopped)
	}
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.open {
		c.wake()
	}
	s.mu.Unlock()
	late := time.AfterFunc(patience, s.cutOff)
	defer late.Stop()
	s.running.Wait()
	s.cut()
}

// cutOff ends calls under way, and connections that take no answer.
func (s *Server) cutOff() {
	s.cut()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.raw.Close()
	}
}
