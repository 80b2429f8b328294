package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// backend answers what the test says, and keeps what it was asked.
type backend struct {
	account.Users // the methods that no test calls
	asked         any
	change        account.Change
	err           error

	applied account.Applied
	page    []account.Exported
	load    *account.Load
	stream  func(io.Writer) error // a backup
	take    func(io.Reader) error // a restore
}

type question struct {
	In any
	R  any
}

func (b *backend) answer(in account.Invocation, r any) (account.Change, error) {
	b.asked = question{in, r}
	return b.change, b.err
}

func (b *backend) Create(_ context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Edit(_ context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Password(_ context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Delete(_ context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Grant(_ context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Revoke(_ context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return b.answer(in, r)
}

func (b *backend) Suspend(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return b.answer(in, username)
}

func (b *backend) Enable(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return b.answer(in, username)
}

func (b *backend) Sessions(_ context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	b.asked = question{who, rows}
	return rows, b.err
}

func (b *backend) Records(context.Context, account.RequestID) ([]account.Record, account.RequestID, error) {
	panic("hunter2")
}

func (b *backend) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	for r := range requests {
		for _, name := range r.Read {
			if err := deliver(account.WatchEvent{Snapshot: &account.Snapshot{Username: name, Revision: 7}}); err != nil {
				return err
			}
		}
		if r.Heartbeat != 0 {
			if err := deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: r.Heartbeat, Revision: 9, StoreID: "s", Load: b.load}}); err != nil {
				return err
			}
		}
	}
	return b.err
}

// connect serves b over an in-memory connection.
func connect(t testing.TB, b account.Users, log hclog.Logger) (*wire.Client, *grpc.ClientConn) {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	s := grpc.NewServer(wire.ServerOptions(log)...)
	p := &wire.Plugin{Users: b, Logger: log}
	if err := p.GRPCServer(nil, s); err != nil {
		t.Fatal(err)
	}
	go s.Serve(listener)
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient("passthrough:///b", append(wire.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return wire.NewClient(conn), conn
}

var then = time.Date(2026, 11, 23, 10, 48, 31, 123456789, time.UTC)

var someone = account.Account{
	ID: "0123456789abcdef0123456789abcdef", Generation: 3, Username: "zoë", Role: account.User, Enabled: true,
	Grants:    account.Grants{"default": {account.Read, account.Write}, "staging": {account.Read}},
	CreatedAt: then, PasswordChangedAt: then.Add(time.Hour),
}

func TestChanges(t *testing.T) {
	in := account.Invocation{
		RequestID: account.NewRequestID(then), Host: "h1",
		Caller: account.Caller{Username: "admin", AccountID: "a1", Generation: 2, SessionID: "s1"},
	}
	b := &backend{change: account.Change{Changed: true, Account: someone, Revision: 42, Repeated: true, Note: "a remark"}}
	c, _ := connect(t, b, hclog.NewNullLogger())
	ctx := t.Context()
	for name, call := range map[string]struct {
		r    any
		call func() (account.Change, error)
	}{
		"create":  {account.Create{Username: "u", Password: account.Secret("pä ss"), Role: account.Admin, IfNotExists: true}, nil},
		"edit":    {account.Edit{Username: "u", Role: account.User, Password: account.Secret("x")}, nil},
		"keep":    {account.Edit{Username: "u", Role: account.User}, nil},
		"empty":   {account.Edit{Username: "u", Password: account.Secret{}}, nil},
		"passwd":  {account.Password{Username: "u", Password: account.Secret("x")}, nil},
		"delete":  {account.Delete{Username: "u", IfExists: true}, nil},
		"grant":   {account.Grant{Username: "u", Permission: account.Write, Environment: "e"}, nil},
		"revoke":  {account.Revoke{Username: "u", Environment: "e"}, nil},
		"suspend": {"u", func() (account.Change, error) { return c.Suspend(ctx, in, "u") }},
		"enable":  {"u", func() (account.Change, error) { return c.Enable(ctx, in, "u") }},
	} {
		t.Run(name, func(t *testing.T) {
			var got account.Change
			var err error
			switch r := call.r.(type) {
			case account.Create:
				got, err = c.Create(ctx, in, r)
			case account.Edit:
				got, err = c.Edit(ctx, in, r)
			case account.Password:
				got, err = c.Password(ctx, in, r)
			case account.Delete:
				got, err = c.Delete(ctx, in, r)
			case account.Grant:
				got, err = c.Grant(ctx, in, r)
			case account.Revoke:
				got, err = c.Revoke(ctx, in, r)
			default:
				got, err = call.call()
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(question{in, call.r}, b.asked); diff != "" {
				t.Errorf("the question changed on its way (-sent +got):\n%s", diff)
			}
			if diff := cmp.Diff(b.change, got); diff != "" {
				t.Errorf("the answer changed on its way (-sent +got):\n%s", diff)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	b := &backend{}
	c, _ := connect(t, b, hclog.NewNullLogger())
	who := account.Caller{Username: "admin", AccountID: "a1", Generation: 2, SessionID: "s1"}
	rows := []account.Session{{
		ID: "s1", Host: "h", AccountID: "a1", Username: "zoë", Role: account.Admin, RemoteAddress: "[::1]:5",
		Listener: account.ClientListener, Client: "java", Environment: "e", ConnectedSince: then, LastActive: then,
		Calls: 1 << 40, Connections: 3, CurrentCall: &account.Call{Method: "find", Since: then},
		OpenTransactions: []account.Transaction{{ID: "t", Since: then, Environment: "other"}}, Note: "n",
	}, {ID: "s2", Listener: account.ManagementListener, Role: account.User}}
	got, err := c.Sessions(t.Context(), who, rows)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("(-sent +got):\n%s", diff)
	}
	t.Run("TooMany", func(t *testing.T) {
		many := make([]account.Session, account.MaxBatch+1)
		for i := range many {
			many[i] = rows[1]
		}
		if _, err := c.Sessions(t.Context(), who, many); account.KindOf(err) != account.KindInvalid {
			t.Errorf("got %v", err)
		}
	})
	t.Run("MoreThanAMessage", func(t *testing.T) {
		long := make([]account.Session, account.MaxBatch)
		for i := range long {
			long[i] = rows[0]
			long[i].ID, long[i].Environment = fmt.Sprint("s", i), strings.Repeat("e", 8<<10)
			for n := range 32 {
				long[i].OpenTransactions = append(long[i].OpenTransactions, account.Transaction{ID: fmt.Sprint(n), Since: then})
			}
		}
		got, err := c.Sessions(t.Context(), who, long)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(long, got); diff != "" {
			t.Errorf("(-sent +got):\n%s", diff)
		}
		if asked := b.asked.(question).R.([]account.Session); len(asked) == 0 || len(asked) == len(long) {
			t.Errorf("%d rows came in the last message", len(asked))
		}
	})
}

func TestErrors(t *testing.T) {
	in := account.Invocation{RequestID: account.NewRequestID(then)}
	var log bytes.Buffer
	b := &backend{}
	c, conn := connect(t, b, hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Trace}))
	t.Run("Refusal", func(t *testing.T) {
		b.err = account.Refused(account.ReasonLastAdmin, "zoë", "no")
		if _, err := c.Suspend(t.Context(), in, "zoë"); account.ReasonOf(err) != account.ReasonLastAdmin {
			t.Errorf("got %v", err)
		}
	})
	t.Run("CauseIsLoggedNotSent", func(t *testing.T) {
		b.err = errors.New("disk on fire")
		_, err := c.Suspend(t.Context(), in, "zoë")
		if account.KindOf(err) != account.KindInternal || strings.Contains(err.Error(), "fire") {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(log.String(), "disk on fire") {
			t.Errorf("the log has no cause: %s", log.String())
		}
	})
	t.Run("PanicTellsNothing", func(t *testing.T) {
		log.Reset()
		_, _, err := c.Records(t.Context(), account.RequestID{})
		if account.KindOf(err) != account.KindInternal {
			t.Errorf("got %v", err)
		}
		if strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "Records") {
			t.Errorf("the log says %s", log.String())
		}
	})
	t.Run("UnknownRole", func(t *testing.T) {
		raw := usersv1.NewUsersClient(conn)
		_, err := raw.Edit(t.Context(), &usersv1.EditRequest{Role: 17})
		if err := wire.FromStatus(err); account.KindOf(err) != account.KindInvalid {
			t.Errorf("got %v", err)
		}
	})
	t.Run("NoRequestID", func(t *testing.T) {
		raw := usersv1.NewUsersClient(conn)
		_, err := raw.Enable(t.Context(), &usersv1.EnableRequest{Username: "u"})
		if err := wire.FromStatus(err); account.KindOf(err) != account.KindInvalid {
			t.Errorf("got %v", err)
		}
	})
}

func TestWatch(t *testing.T) {
	b := &backend{err: account.Conflict("fell behind"), load: &account.Load{Hashing: 3, HashWaiting: 1 << 31}}
	c, _ := connect(t, b, hclog.NewNullLogger())
	requests := make(chan account.WatchRequest)
	go func() {
		requests <- account.WatchRequest{Read: []string{"a", "b"}}
		requests <- account.WatchRequest{Heartbeat: 5}
		close(requests)
	}()
	var got []account.WatchEvent
	err := c.Watch(t.Context(), requests, func(e account.WatchEvent) error { got = append(got, e); return nil })
	if account.KindOf(err) != account.KindConflict {
		t.Errorf("the stream ended with %v", err)
	}
	want := []account.WatchEvent{
		{Snapshot: &account.Snapshot{Username: "a", Revision: 7}},
		{Snapshot: &account.Snapshot{Username: "b", Revision: 7}},
		{Heartbeat: &account.Heartbeat{Number: 5, Revision: 9, StoreID: "s", Load: b.load}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
