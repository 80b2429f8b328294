package management_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// parrot is a host that answers every call with the messages that it is given.
type parrot struct {
	mu       sync.Mutex // guards messages
	messages [][]byte
}

func (p *parrot) answer(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	p.mu.Lock()
	messages := p.messages
	p.mu.Unlock()
	for _, m := range messages {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

// serve returns the socket that it answers at.
func (p *parrot) serve(f *testing.F) (path string) {
	f.Helper()
	dir, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		f.Fatal(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodec(asIs{}), grpc.UnknownServiceHandler(p.answer))
	go s.Serve(l)
	f.Cleanup(s.Stop)
	return path
}

// looks are the client's methods, each with what it must make of an answer.
// Those that change something come first.
var looks = []func(t *testing.T, c *management.Client) error{
	func(t *testing.T, c *management.Client) error {
		r, err := c.Create(t.Context(), account.NewRequestID(time.Now()), account.Create{Username: "jeff"})
		wellFormed(t, r.Account)
		return err
	},
	func(t *testing.T, c *management.Client) error {
		a, err := c.Apply(t.Context(), account.NewRequestID(time.Now()), account.Desired{Username: "jeff"})
		wellFormed(t, a.Account)
		if a.Before != nil {
			wellFormed(t, *a.Before)
			a.Differences()
		}
		return err
	},
	func(t *testing.T, c *management.Client) error {
		a, err := c.Plan(t.Context(), account.Desired{Username: "jeff"})
		wellFormed(t, a.Account)
		return err
	},
	func(t *testing.T, c *management.Client) error { _, err := c.Request(t.Context()); return err },
	func(t *testing.T, c *management.Client) error {
		a, err := c.Show(t.Context(), "jeff")
		wellFormed(t, a.Account)
		return err
	},
	func(t *testing.T, c *management.Client) (last error) {
		for batch, err := range c.List(t.Context(), management.AccountFilter{}) {
			for _, a := range batch {
				wellFormed(t, a.Account)
			}
			last = err
		}
		return last
	},
	func(t *testing.T, c *management.Client) (last error) {
		for batch, err := range c.Export(t.Context()) {
			for _, a := range batch {
				wellFormed(t, a.Account)
			}
			last = err
		}
		return last
	},
	func(t *testing.T, c *management.Client) (last error) {
		for rows, err := range c.Sessions(t.Context(), management.SessionListing{Limit: 1, Total: func(uint64) {}}) {
			if len(rows) > account.MaxBatch {
				t.Errorf("%d rows in a batch", len(rows))
			}
			last = err
		}
		return last
	},
	func(t *testing.T, c *management.Client) (last error) {
		for _, err := range c.CountSessions(t.Context(), management.SessionFilter{}, session.KeyAccount) {
			last = err
		}
		return last
	},
	func(t *testing.T, c *management.Client) error {
		_, err := c.CheckPassword(t.Context(), account.Password{})
		return err
	},
	func(t *testing.T, c *management.Client) error { return c.Backup(t.Context(), io.Discard) },
	func(t *testing.T, c *management.Client) error {
		s, err := c.PluginStatus(t.Context())
		if s.PID < 0 || s.Protocol < 0 || s.Restarts < 0 {
			t.Errorf("the status is %+v", s)
		}
		return err
	},
	func(t *testing.T, c *management.Client) error {
		_, err := c.Login(t.Context(), "root", []byte("p"))
		return err
	},
}

// FuzzClient has a host answer the CLI with whatever there is. After a change
// that may have been carried out the error must not say that it was not.
func FuzzClient(f *testing.F) {
	jeff := &accountv1.Account{Id: "1", Generation: 1, Username: "je\u202eff", Role: 2, CreatedAt: timestamppb.New(time.Unix(1, 0)), Grants: []*accountv1.Grant{{Environment: "prod", Permissions: []accountv1.Permission{1}}}}
	listed := &managementv1.ListedAccount{Account: jeff, Sessions: 1 << 63}
	change := &managementv1.Change{Changed: true, Account: listed, Note: "n", RequestId: "r"}
	row := &accountv1.Session{Id: "2", Listener: 1, Username: "jeff", Connections: 1 << 31, LastActive: &timestamppb.Timestamp{Seconds: 1 << 60}}
	for i, m := range []proto.Message{
		change, &managementv1.Applied{Change: change, Before: jeff}, &managementv1.Applied{},
		&managementv1.RequestResponse{RequestId: "no"}, &managementv1.ShowResponse{Account: listed},
		&managementv1.ListResponse{Accounts: []*managementv1.ListedAccount{listed, nil}},
		&managementv1.ExportResponse{Accounts: []*managementv1.ExportedAccount{{Account: jeff}}},
		&managementv1.SessionsResponse{Sessions: []*accountv1.Session{row}, Total: 7},
		&managementv1.CountSessionsResponse{Counts: []*managementv1.SessionCount{{Value: "\x1b", Sessions: 1}}},
		&managementv1.CheckPasswordResponse{Matches: true}, &managementv1.BackupResponse{Data: []byte("b")},
		&managementv1.PluginStatusResponse{State: "\x1b[2J", StartedAt: &timestamppb.Timestamp{Seconds: -1 << 62}, Pid: 1 << 31},
		&managementv1.LoginResponse{Token: make([]byte, 99), Username: "root"},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), data, []byte{})
		f.Add(byte(i), data, data)
	}
	f.Add(byte(0), []byte{}, []byte{})
	f.Add(byte(0), []byte("\x0a\x02\x20\x09"), []byte("\xff"))
	host := &parrot{}
	path := host.serve(f)
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		host.mu.Lock()
		host.messages = [][]byte{first}
		if len(second) > 0 {
			host.messages = append(host.messages, second)
		}
		host.mu.Unlock()
		c, err := management.Dial(t.Context(), path, management.DialOptions{AnswerWithin: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		i := int(method) % len(looks)
		err = looks[i](t, c)
		if err == nil {
			return
		}
		if k := account.KindOf(err); !slices.Contains(account.Kinds(), k) || i < 2 && k != account.KindOutcomeUnknown {
			t.Errorf("the call %d is refused with %v: %v", i, k, err)
		}
	})
}

// wellFormed checks what holds of any account that the CLI is shown.
func wellFormed(t *testing.T, a account.Account) {
	t.Helper()
	if len(a.ID) > 64 || len(a.Username) > account.MaxUsername || len(a.Grants) > account.MaxEnvironments {
		t.Errorf("an account is %+v", a)
	}
	for environment, ps := range a.Grants {
		if account.CheckEnvironment(environment) != nil || len(ps) == 0 {
			t.Errorf("a grant is %q in %q", ps, environment)
		}
	}
	for _, at := range []time.Time{a.CreatedAt, a.PasswordChangedAt, a.LastLoginAt} {
		if _, err := at.MarshalJSON(); err != nil {
			t.Error(err)
		}
	}
}
