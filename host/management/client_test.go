package management_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

const madeID = "0192f0c1-2b3c-7d4e-8f50-112233445566"

// silentHost answers the few calls that these tests make; Suspend and Show
// wait until the test is over.
type silentHost struct {
	managementv1.UnimplementedManagementServer
	path   string
	server *grpc.Server
	begun  chan string // names of calls, as they come in
	over   chan struct{}
	ids    []string      // of the changes that were answered
	left   chan struct{} // closed when a listing's reader goes away
}

func (h *silentHost) Login(context.Context, *managementv1.LoginRequest) (*managementv1.LoginResponse, error) {
	return &managementv1.LoginResponse{Token: []byte("token"), Username: "Root"}, nil
}

func (h *silentHost) Request(ctx context.Context, _ *managementv1.RequestRequest) (*managementv1.RequestResponse, error) {
	if got := metadata.ValueFromIncomingContext(ctx, "authorization"); !slices.Equal(got, []string{"Bearer dG9rZW4"}) {
		return nil, wire.ToStatus(account.SessionEnded())
	}
	return &managementv1.RequestResponse{RequestId: madeID}, nil
}

func (h *silentHost) Enable(_ context.Context, r *managementv1.EnableRequest) (*managementv1.Change, error) {
	h.ids = append(h.ids, r.RequestId)
	return &managementv1.Change{Changed: true, RequestId: r.RequestId, Account: &managementv1.ListedAccount{
		Account: wire.AccountToProto(account.Account{ID: "1", Username: r.Username, Role: account.User}), Sessions: 4,
	}}, nil
}

func (h *silentHost) Suspend(context.Context, *managementv1.SuspendRequest) (*managementv1.Change, error) {
	h.begun <- "Suspend"
	<-h.over
	return &managementv1.Change{}, nil
}

func (h *silentHost) Show(context.Context, *managementv1.ShowRequest) (*managementv1.ShowResponse, error) {
	h.begun <- "Show"
	<-h.over
	return &managementv1.ShowResponse{}, nil
}

func (h *silentHost) List(_ *managementv1.ListRequest, stream managementv1.Management_ListServer) error {
	defer close(h.left)
	for {
		if err := stream.Send(&managementv1.ListResponse{Accounts: []*managementv1.ListedAccount{{}}}); err != nil {
			return err
		}
	}
}

// clientOf returns a client that is logged in at a silentHost.
func clientOf(t *testing.T, o management.DialOptions) (*silentHost, *management.Client) {
	t.Helper()
	path := socketPath(t)
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	h := &silentHost{path: path, server: grpc.NewServer(), begun: make(chan string, 1), over: make(chan struct{}), left: make(chan struct{})}
	managementv1.RegisterManagementServer(h.server, h)
	done := make(chan struct{})
	go func() { defer close(done); h.server.Serve(listener) }()
	t.Cleanup(func() { close(h.over); h.server.Stop(); <-done })
	c, err := management.Dial(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if name, err := c.Login(t.Context(), "root", account.Secret("secret")); name != "Root" || err != nil {
		t.Fatalf("Login returned %q, %v", name, err)
	}
	return h, c
}

// socketPath returns a path that is short enough.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func expectKind(t *testing.T, err error, kind account.Kind, text string) {
	t.Helper()
	if account.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v (%v), want %v with %q", account.KindOf(err), err, kind, text)
	}
}

func TestDial(t *testing.T) {
	t.Run("ErrNoHost", func(t *testing.T) {
		_, err := management.Dial(t.Context(), socketPath(t), management.DialOptions{})
		expectKind(t, err, account.KindUnavailable, "start it with 'concourse start'")
	})
	t.Run("ErrDeadHost", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		_, err = management.Dial(t.Context(), path, management.DialOptions{})
		expectKind(t, err, account.KindUnavailable, "no Concourse host answers at "+path)
	})
	t.Run("ErrNotASocket", func(t *testing.T) {
		path := socketPath(t)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := management.Dial(t.Context(), path, management.DialOptions{})
		expectKind(t, err, account.KindNotPermitted, "is not a socket")
	})
	t.Run("ErrSymbolicLink", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := os.Symlink(path, path+"2"); err != nil {
			t.Fatal(err)
		}
		_, err = management.Dial(t.Context(), path+"2", management.DialOptions{})
		expectKind(t, err, account.KindNotPermitted, "is not a socket")
	})
	t.Run("ErrStranger", func(t *testing.T) {
		if !asRoot(t) {
			return
		}
		for uid, want := range map[int]string{
			nobody:     "belongs to 'nobody' (uid 65534), which is neither root nor this user, so nothing was sent to it; if that is the host's user, add --socket-owner nobody",
			2999999999: "belongs to uid 2999999999, which is neither root nor this user, so nothing was sent to it; if that is the host's user, add --socket-owner 2999999999",
		} {
			path := socketPath(t)
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if err := os.Chown(path, uid, -1); err != nil {
				t.Fatal(err)
			}
			_, err = management.Dial(t.Context(), path, management.DialOptions{})
			expectKind(t, err, account.KindNotPermitted, want)
		}
	})
	t.Run("ErrLongPath", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		long := path + strings.Repeat("x", 120)
		if err := os.Symlink(filepath.Dir(path), long); err != nil {
			t.Fatal(err)
		}
		_, err = management.Dial(t.Context(), filepath.Join(long, "s"), management.DialOptions{})
		expectKind(t, err, account.KindInvalid, "is too long to connect to; name the home by a shorter one")
	})
	t.Run("ErrSilent", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = management.Dial(ctx, path, management.DialOptions{})
		expectKind(t, err, account.KindUnavailable, "does not answer")
	})
	t.Run("ErrInterrupted", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = management.Dial(ctx, path, management.DialOptions{})
		expectKind(t, err, account.KindInterrupted, "interrupted")
	})
}

func TestTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		owner   uint32
		self    int
		allowed []uint32
		want    bool
	}{
		"Root":     {0, 1000, nil, true},
		"Self":     {1000, 1000, nil, true},
		"Allowed":  {998, 1000, []uint32{997, 998}, true},
		"Stranger": {998, 1000, []uint32{997}, false},
		// Root too must not hand a password to another user's process.
		"StrangerToRoot": {998, 0, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := management.Trusted(c.owner, c.self, c.allowed); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestChange(t *testing.T) {
	t.Run("AsksForAnIDFirst", func(t *testing.T) {
		h, c := clientOf(t, management.DialOptions{})
		r, err := c.Enable(t.Context(), account.RequestID{}, "bob")
		if err != nil || r.Username != "bob" || !r.Changed || r.Sessions != 4 || r.RequestID != madeID {
			t.Errorf("got %+v, %v", r, err)
		}
		if !slices.Equal(h.ids, []string{madeID}) {
			t.Errorf("the host was given the ids %q", h.ids)
		}
	})
	t.Run("UsesTheGivenID", func(t *testing.T) {
		h, c := clientOf(t, management.DialOptions{})
		id := account.NewRequestID(time.Now())
		if _, err := c.Enable(t.Context(), id, "bob"); err != nil || !slices.Equal(h.ids, []string{id.String()}) {
			t.Errorf("%v; the host was given the ids %q", err, h.ids)
		}
	})
	for name, end := range map[string]func(*silentHost, context.CancelFunc){
		"ErrOutcomeUnknownWhenTheHostDies":    func(h *silentHost, _ context.CancelFunc) { go h.server.Stop() },
		"ErrOutcomeUnknownWhenTheCallerQuits": func(_ *silentHost, quit context.CancelFunc) { quit() },
	} {
		t.Run(name, func(t *testing.T) {
			h, c := clientOf(t, management.DialOptions{})
			ctx, quit := context.WithCancel(t.Context())
			defer quit()
			go func() { <-h.begun; end(h, quit) }()
			_, err := c.Suspend(ctx, account.RequestID{}, "bob")
			expectKind(t, err, account.KindOutcomeUnknown, "--request-id "+madeID)
		})
	}
	t.Run("ErrOutcomeUnknownWhenNoAnswerComes", func(t *testing.T) {
		_, c := clientOf(t, management.DialOptions{AnswerWithin: time.Second})
		_, err := c.Suspend(t.Context(), account.NewRequestID(time.Now()), "bob")
		expectKind(t, err, account.KindOutcomeUnknown, "--request-id ")
	})
}

func TestRead(t *testing.T) {
	t.Run("ErrUnavailableWhenTheHostDies", func(t *testing.T) {
		h, c := clientOf(t, management.DialOptions{})
		go func() { <-h.begun; h.server.Stop() }()
		_, err := c.Show(t.Context(), "bob")
		expectKind(t, err, account.KindUnavailable, "the connection to the host broke before it answered; nothing was changed; run the command again")
		// It is not made again: its session is over.
		_, err = c.Show(t.Context(), "bob")
		expectKind(t, err, account.KindUnavailable, "the connection to the host broke")
	})
	t.Run("ErrUnavailableWhenTheHostIsRestarted", func(t *testing.T) {
		h, c := clientOf(t, management.DialOptions{})
		h.server.Stop() // removes its socket
		l, err := net.Listen("unix", h.path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, err = c.Show(t.Context(), "bob")
		expectKind(t, err, account.KindUnavailable, "the host was restarted before it answered; nothing was changed; run the command again")
		_, err = c.DisconnectUser(t.Context(), "bob")
		expectKind(t, err, account.KindUnavailable, "the host was restarted before it answered; sessions may have been ended; run the command again")
	})
	t.Run("ErrUnavailableWhenNoAnswerComes", func(t *testing.T) {
		_, c := clientOf(t, management.DialOptions{AnswerWithin: time.Second})
		_, err := c.Show(t.Context(), "bob")
		expectKind(t, err, account.KindUnavailable, "did not answer in time")
	})
	t.Run("ErrInterrupted", func(t *testing.T) {
		h, c := clientOf(t, management.DialOptions{})
		ctx, quit := context.WithCancel(t.Context())
		go func() { <-h.begun; quit() }()
		_, err := c.Show(ctx, "bob")
		expectKind(t, err, account.KindInterrupted, "interrupted")
	})
}

func TestListLetsGoWhenItsReaderStops(t *testing.T) {
	h, c := clientOf(t, management.DialOptions{})
	for batch, err := range c.List(t.Context(), management.AccountFilter{}) {
		if err != nil || len(batch) != 1 {
			t.Fatalf("got %v, %v", batch, err)
		}
		break
	}
	<-h.left
}
