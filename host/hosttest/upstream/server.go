package upstream

import (
	"crypto/rand"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Options are a server's settings. All may be left out.
type Options struct {
	Address            string // "127.0.0.1:0"
	Username, Password string // "service", "service's password"
	DefaultEnvironment string // "default"
	Quiet              bool   // nothing is recorded
	Answer             Answer // of every call, whatever its token, from the first on; nil: as Always and Next say
}

// The credentials that a server takes unless the options say otherwise.
const (
	Username = "service"
	Password = "service's password"
)

// Server is a data server. All methods may be called at once from many
// goroutines.
type Server struct {
	options Options
	address string
	served  atomic.Uint64

	mu           sync.RWMutex // guards the rest
	password     string
	environment  string
	listener     net.Listener  // nil: it is dead
	died         chan struct{} // closed then
	connections  map[net.Conn]struct{}
	accepted     int
	tokens       map[string]struct{}
	transactions map[key]Transaction
	last         int64 // timestamp
	always, next map[string][]Answer
	calls        []*Call

	running sync.WaitGroup
}

// Transaction is a transaction that is open.
type Transaction struct {
	Token       []byte // of its stage call
	Timestamp   int64
	Environment string
}

type key struct {
	token     string
	timestamp int64
}

// New starts a server. Its Kill must follow.
func New(o Options) (*Server, error) {
	for to, value := range map[*string]string{
		&o.Address: "127.0.0.1:0", &o.Username: Username, &o.Password: Password, &o.DefaultEnvironment: "default",
	} {
		if *to == "" {
			*to = value
		}
	}
	s := &Server{
		options: o, address: o.Address, password: o.Password, environment: o.DefaultEnvironment,
		always: map[string][]Answer{}, next: map[string][]Answer{},
	}
	return s, s.Revive()
}

// Start starts a server that lives as long as the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// Address returns HOST:PORT, the same after a Revive.
func (s *Server) Address() string { return s.address }

// Revive starts a server that was killed, at its address. It knows no token and no
// transaction.
func (s *Server) Revive() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address, s.listener, s.died = l.Addr().String(), l, make(chan struct{})
	s.connections = map[net.Conn]struct{}{}
	s.tokens, s.transactions = map[string]struct{}{}, map[key]Transaction{}
	s.running.Go(func() { s.accept(l) })
	return nil
}

// Kill closes everything and forgets every token and transaction. Doing it again
// does nothing.
func (s *Server) Kill() {
	s.mu.Lock()
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
		close(s.died)
	}
	for n := range s.connections {
		n.(*net.TCPConn).SetLinger(0) // as a process that dies with bytes unread
		n.Close()
	}
	s.tokens, s.transactions = nil, nil
	s.mu.Unlock()
	s.running.Wait()
}

func (s *Server) accept(l net.Listener) {
	for {
		n, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.listener != l {
			s.mu.Unlock()
			n.Close()
			return
		}
		s.connections[n] = struct{}{}
		s.accepted++
		number := s.accepted
		s.mu.Unlock()
		s.running.Go(func() {
			s.serve(n, number)
			n.Close()
			s.mu.Lock()
			delete(s.connections, n)
			s.mu.Unlock()
		})
	}
}

// Connections returns how many are open.
func (s *Server) Connections() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.connections)
}

// CloseConnections closes those that are open; the server lives.
func (s *Server) CloseConnections() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for n := range s.connections {
		n.Close()
	}
}

// Served returns how many calls it has answered.
func (s *Server) Served() uint64 { return s.served.Load() }

// Tokens returns how many are good.
func (s *Server) Tokens() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.tokens)
}

// Transactions returns those that are open, the oldest first.
func (s *Server) Transactions() []Transaction {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Transaction
	for _, t := range s.transactions {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Transaction) int { return int(a.Timestamp - b.Timestamp) })
	return all
}

// ExpireTokens makes every token unknown. Transactions stay, as they do in the
// original.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// SetPassword changes the password that a login takes.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// SetDefaultEnvironment changes what is meant where no environment is named.
func (s *Server) SetDefaultEnvironment(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.environment = name
}

func (s *Server) newToken() []byte {
	token := make([]byte, 32)
	rand.Read(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens != nil { // else it is being killed
		s.tokens[string(token)] = struct{}{}
	}
	return token
}

func (s *Server) newTransaction(token []byte, environment string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last+1, time.Now().UnixMicro())
	if s.transactions != nil {
		s.transactions[key{string(token), s.last}] = Transaction{slices.Clone(token), s.last, environment}
	}
	return s.last
}

// endTransaction reports whether it was open.
func (s *Server) endTransaction(token []byte, timestamp int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{string(token), timestamp}
	_, known := s.transactions[k]
	delete(s.transactions, k)
	return known
}
