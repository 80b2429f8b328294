package relay_test

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// world is a relay between sessions of a real table and a stand-in upstream.
type world struct {
	testing.TB
	*relay.Relay
	server   *upstream.Server
	table    *session.Table
	log      *lines
	revision account.Revision

	deaf   atomic.Bool            // it does not hear of changes
	clock  atomic.Pointer[func()] // called whenever the table looks at it; nil: nothing is
	leaves bool                   // the test knows that something stays upstream
}

// newWorld returns a world. At its end nothing of it may be left: not upstream,
// and no goroutine.
func newWorld(t testing.TB, change ...func(*relay.Options)) *world {
	t.Helper()
	return newWorldWith(t, upstream.Start(t, upstream.Options{}), change...)
}

// newQuietWorld returns one whose upstream records nothing.
func newQuietWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, upstream.Start(t, upstream.Options{Quiet: true}))
}

func newWorldWith(t testing.TB, server *upstream.Server, change ...func(*relay.Options)) *world {
	t.Helper()
	w := &world{TB: t, server: server, log: &lines{}}
	w.Relay = w.relayTo(change...)
	w.table = session.New(session.Options{Lease: 24 * time.Hour, Now: w.now, Changed: func(name string) {
		if !w.deaf.Load() {
			w.Changed(name)
		}
	}})
	w.table.Heartbeat("store", 0, time.Now())
	t.Cleanup(func() {
		t.Helper()
		w.close()
		if w.leaves {
			return
		}
		hosttest.Await(t, "no transaction is left upstream", func() bool { return len(w.server.Transactions()) == 0 })
		hosttest.Await(t, "no login is left upstream", func() bool { return w.server.Tokens() == 0 })
	})
	return w
}

func (w *world) now() time.Time {
	if look := w.clock.Load(); look != nil {
		(*look)()
	}
	return time.Now()
}

func (w *world) relayTo(change ...func(*relay.Options)) *relay.Relay {
	o := relay.Options{
		Address: w.server.Address(), Username: upstream.Username, Password: account.Secret(upstream.Password),
		Environment: "default", Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: w.log}),
	}
	for _, c := range change {
		c(&o)
	}
	return relay.New(o)
}

func (w *world) close() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Close(ctx); err != nil && !w.leaves {
		w.Errorf("Close left %v", err)
	}
	if f := w.Figures(); f.InUse != 0 || f.Idle != 0 || f.Transactions != 0 {
		w.Errorf("after Close: %+v", f)
	}
	hosttest.Await(w, "every connection is closed", func() bool { return w.server.Connections() == 0 })
	hosttest.Await(w, "no goroutine of the relay is left", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "/host/relay.(*")
	})
	if s := w.log.String(); strings.Contains(s, upstream.Password) {
		w.Errorf("the password is in the log:\n%s", s)
	}
}

// client is a driver that has logged in at the host.
type client struct {
	*world
	*session.Session
	token session.Token
	name  string
}

// login logs a USER in, with grants written as "default:WRITE other:READ".
func (w *world) login(name, grants string) *client {
	w.Helper()
	l := w.table.Begin(name)
	defer l.Abandon()
	token, s, err := l.Complete(w.snapshot(name, grants), session.Details{
		Listener: account.ClientListener, OnEnd: w.SessionEnded,
	})
	if err != nil {
		w.Fatal(err)
	}
	s.OpenConnection()
	return &client{w, s, token, name}
}

func (w *world) snapshot(name, grants string) account.Snapshot {
	w.revision++
	s := account.Snapshot{
		Username: name, ID: account.ID("id of " + name), Generation: 1, Role: account.User, Enabled: true,
		Grants: account.Grants{}, Revision: w.revision,
	}
	for _, g := range strings.Fields(grants) {
		environment, permission, _ := strings.Cut(g, ":")
		s.Grants[environment] = []account.Permission{account.Permission(permission)}
	}
	return s
}

// call is what a client asks.
type call struct {
	environment string
	transaction *transaction
	seqID       int32
	ctx         context.Context
	reply       interface{ Write([]byte) (int, error) } // nil: the answer is returned
	tail        []byte                                  // further fields
	backwards   bool                                    // the arguments come the last first
}

// transaction is a TransactionToken as a client has it.
type transaction struct {
	token     []byte
	timestamp int64
}

// request encodes a call of a method, with some value for what only the upstream
// looks at.
func request(name string, token []byte, c call) (*methods.Method, []byte) {
	m, _ := methods.Lookup(name)
	b := thrift.NewTMemoryBuffer()
	to, ctx := thrift.NewTBinaryProtocolConf(b, nil), context.Background()
	to.WriteMessageBegin(ctx, name, thrift.CALL, c.seqID)
	arguments := slices.Clone(m.Arguments)
	if c.backwards {
		slices.Reverse(arguments)
	}
	for _, a := range arguments {
		switch {
		case a.ID == m.Token:
			to.WriteFieldBegin(ctx, "", thrift.STRUCT, a.ID)
			b.Write(message.AppendAccessToken(nil, token))
		case a.ID == m.Transaction:
			if c.transaction != nil {
				to.WriteFieldBegin(ctx, "", thrift.STRUCT, a.ID)
				b.Write(message.AppendTransactionToken(nil, c.transaction.token, c.transaction.timestamp))
			}
		case a.ID == m.Environment:
			to.WriteFieldBegin(ctx, "", thrift.STRING, a.ID)
			to.WriteString(ctx, c.environment)
		default:
			kind, encoded := upstream.Sample(a.Type)
			to.WriteFieldBegin(ctx, "", kind, a.ID)
			b.Write(encoded)
		}
	}
	b.Write(c.tail)
	to.WriteFieldStop(ctx)
	return m, b.Bytes()
}

// call makes a call as host/thrift does when the gate has let it in, and returns
// the bytes of its answer.
func (k *client) call(name string, c call) ([]byte, error) {
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	m, encoded := request(name, k.token[:], c)
	read, err := message.NewReader(bytes.NewReader(encoded), 1<<28).Read()
	if err != nil {
		k.Fatal(err)
	}
	var reply bytes.Buffer
	rc := &relay.Call{Method: m, Message: read, Reply: &reply}
	if c.reply != nil {
		rc.Reply = c.reply
	}
	if m.Token != 0 {
		rc.Session = k.Session
		rc.Token, _ = read.Field(m.Token, thrift.STRUCT)
		rc.Environment, rc.Defaulted = account.CleanEnvironment(c.environment), c.environment == ""
		if rc.Defaulted {
			rc.Environment = "default"
		}
	}
	if m.Transaction != 0 {
		rc.Transaction, _ = read.Field(m.Transaction, thrift.STRUCT)
	}
	err = k.Relay.Relay(c.ctx, rc)
	return reply.Bytes(), err
}

// do makes a call that must be answered with a result.
func (k *client) do(name string, c call) *message.Message {
	k.Helper()
	reply, err := k.call(name, c)
	if err != nil {
		k.Fatalf("%s: %v", name, err)
	}
	m, err := message.NewReader(bytes.NewReader(reply), 1<<28).Read()
	if err != nil || m.Kind != thrift.REPLY || m.SeqID != c.seqID {
		k.Fatalf("%s was answered %q: %v", name, reply, err)
	}
	return m
}

// stage begins a transaction, whose token must name the client's own.
func (k *client) stage(environment string) *transaction {
	k.Helper()
	m := k.do("stage", call{environment: environment})
	token, timestamp, err := message.TransactionToken(m.Value(&m.Fields[0]))
	if err != nil || !bytes.Equal(token, k.token[:]) {
		k.Fatalf("stage was answered with another token than the client's: %v", err)
	}
	return &transaction{bytes.Clone(token), timestamp}
}

// wants fails the test if a call's refusal is another.
func (k *client) wants(want error, name string, c call) {
	k.Helper()
	reply, err := k.call(name, c)
	if err != want || len(reply) != 0 {
		k.Errorf("%s = %v, want %v; %d bytes went to the client", name, err, want, len(reply))
	}
}

func (k *client) wantsKind(want account.Kind, name string, c call) error {
	k.Helper()
	reply, err := k.call(name, c)
	if account.KindOf(err) != want || len(reply) != 0 {
		k.Errorf("%s = %v, want that it is %v; %d bytes went to the client", name, err, want, len(reply))
	}
	return err
}

// shown returns the ids of the transactions that the sessions view shows.
func (k *client) shown() string {
	var ids []string
	_, batches := k.table.List(session.Listing{})
	for rows := range batches {
		for _, r := range rows {
			if r.ID == k.ID() {
				for _, t := range r.OpenTransactions {
					ids = append(ids, t.ID)
				}
			}
		}
	}
	return strings.Join(ids, " ")
}

func TestRelay_EveryMethod(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	n := 0
	methods.Each(func(m *methods.Method) {
		switch m.Name {
		case "login", "logout", "invokeManagement", "stage", "commit", "abort":
			return
		}
		n++
		for _, name := range []string{m.Service + ":" + m.Name, m.Name} {
			if name == m.Name && m.Service != "core" {
				continue
			}
			c := call{environment: "de-fault", seqID: int32(n)}
			if m.Transaction != 0 && n%2 == 0 {
				c.transaction = staged
			}
			w.server.Forget()
			reply, err := k.call(name, c)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := w.server.Calls()
			if len(got) != 1 {
				t.Fatalf("%s made %d calls", name, len(got))
			}
			// Byte for byte, but for the tokens.
			if c.transaction != nil {
				c.transaction = &transaction{got[0].Token, staged.timestamp}
			}
			if _, want := request(name, got[0].Token, c); !bytes.Equal(got[0].Bytes, want) || m.Token != 0 && (len(got[0].Token) != 32 || bytes.Equal(got[0].Token, k.token[:])) {
				t.Errorf("%s went upstream as\n%q, want\n%q", name, got[0].Bytes, want)
			}
			if want := answer(m, c.seqID); !bytes.Equal(reply, want) {
				t.Errorf("%s was answered %q, want %q", name, reply, want)
			}
		}
	})
	if n < 400 {
		t.Errorf("only %d methods were called", n)
	}
}

// answer is what the stand-in answers.
func answer(m *methods.Method, seqID int32) []byte {
	b := thrift.NewTMemoryBuffer()
	to, ctx := thrift.NewTBinaryProtocolConf(b, nil), context.Background()
	to.WriteMessageBegin(ctx, m.Name, thrift.REPLY, seqID)
	if !m.Void {
		kind, encoded := upstream.Sample(m.Returns)
		if m.Name == "getServerEnvironment" {
			encoded = []byte("\x00\x00\x00\x07default")
		}
		to.WriteFieldBegin(ctx, "", kind, 0)
		b.Write(encoded)
	}
	to.WriteFieldStop(ctx)
	return b.Bytes()
}

// The order of the arguments on the wire is nobody's promise.
func TestRelay_AnyOrder(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	for _, backwards := range []bool{false, true} {
		in := call{environment: "default", transaction: staged, backwards: backwards}
		k.do("setKeyValueRecord", in)
		calls := w.server.Calls("setKeyValueRecord")
		got := calls[len(calls)-1]
		in.transaction = &transaction{got.Token, staged.timestamp}
		if _, want := request("setKeyValueRecord", got.Token, in); !bytes.Equal(got.Bytes, want) || bytes.Equal(got.Token, k.token[:]) {
			t.Errorf("it went upstream as\n%q, want\n%q", got.Bytes, want)
		}
	}
}

// An answer that the upstream has put together otherwise than the drivers would
// goes through as it is; so does one that says that something failed.
func TestRelay_AnswerAsItIs(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	for outcome, a := range map[string]upstream.Answer{
		"UnknownFields":   upstream.Result([]byte("\x08\x00\x63\x00\x00\x00\x01\x0b\x00\x00\x00\x00\x00\x01x\x00")),
		"OldHeader":       upstream.Raw([]byte("\x00\x00\x00\x13selectKeyRecordTime\x02\x00\x00\x00\x00\x00")),
		"Transaction":     upstream.Result([]byte("\x0c\x00\x02\x00\x00")),
		"InternalFailure": upstream.Failure(6, "Internal error processing selectKeyRecordTime"),
	} {
		t.Run(outcome, func(t *testing.T) {
			w.server.Next("selectKeyRecordTime", a)
			reply, err := k.call("selectKeyRecordTime", call{environment: "default"})
			if err != nil || len(reply) == 0 {
				t.Fatalf("answered %q: %v", reply, err)
			}
			if f := w.Figures(); f.Idle != 1 || f.Failures != 0 {
				t.Errorf("the connection is not kept: %+v", f)
			}
		})
	}
}

// A refusal of the upstream's own never looks like the host's: a live token would
// have the Java driver log in for ever, and an old driver takes a permission that
// is missing for success.
func TestRelay_UpstreamRefuses(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	m, _ := methods.Lookup("setKeyValueRecord")
	w.server.Next(m.Name, upstream.Exception(m.Security, "Unauthorized"), upstream.Exception(m.Permission, "Insufficient Permission"))
	for range 2 {
		k.wantsKind(account.KindUnavailable, m.Name, call{environment: "default"})
	}
	if n := len(w.server.Calls("login", "setKeyValueRecord")); n != 3 {
		t.Errorf("%d calls were made, want one login and no repeat", n)
	}
}
