package management_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// login returns a token, as it stands in messages.
func login(t *testing.T, c managementv1.ManagementClient) string {
	t.Helper()
	r, err := c.Login(t.Context(), &managementv1.LoginRequest{Username: "root", Password: []byte("secret"), Client: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(r.GetToken())
}

// ask makes a call that takes a token.
func ask(t *testing.T, c managementv1.ManagementClient, authorization ...string) error {
	t.Helper()
	ctx := t.Context()
	for _, a := range authorization {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", a)
	}
	_, err := c.Request(ctx, &managementv1.RequestRequest{})
	return err
}

func TestAuthorization(t *testing.T) {
	f := leased(t, page{})
	c := managementv1.NewManagementClient(f.raw(t))
	token := login(t, c)
	for what, authorization := range map[string][]string{
		"none":                 {},
		"empty":                {""},
		"a scheme only":        {"Bearer"},
		"an empty token":       {"Bearer "},
		"no scheme":            {token},
		"another scheme":       {"Basic " + token},
		"the scheme in lower":  {"bearer " + token},
		"two":                  {"Bearer " + token, "Bearer " + token},
		"two, the other wrong": {"Bearer " + token, "Bearer x"},
		"a token too long":     {"Bearer " + token + "A"},
		"a token too short":    {"Bearer " + token[1:]},
		"padding":              {"Bearer " + token + "="},
		"not base64":           {"Bearer " + strings.Repeat("*", 43)},
		"bits to spare":        {"Bearer " + strings.Repeat("A", 42) + "B"},
		"nobody's":             {"Bearer " + session.Token{}.Text()},
		"long":                 {"Bearer " + strings.Repeat("A", 8<<10)},
	} {
		err := ask(t, c, authorization...)
		if status.Code(err) != codes.Unauthenticated || len(status.Convert(err).Details()) != 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := ask(t, c, "Bearer "+token); err != nil {
		t.Errorf("the right one, after all that: %v", err)
	}
}

func TestTokenOfAnotherConnection(t *testing.T) {
	f := leased(t, page{})
	mine, theirs := managementv1.NewManagementClient(f.raw(t)), managementv1.NewManagementClient(f.raw(t))
	token := login(t, mine)
	wantCode(t, "on a connection without a session", ask(t, theirs, "Bearer "+token), codes.Unauthenticated)
	login(t, theirs)
	wantCode(t, "on one with another session", ask(t, theirs, "Bearer "+token), codes.Unauthenticated)
	if err := ask(t, mine, "Bearer "+token); err != nil {
		t.Errorf("on its own: %v", err)
	}
}

func TestSecondLogin(t *testing.T) {
	f := leased(t, page{})
	c := managementv1.NewManagementClient(f.raw(t))
	first := login(t, c)
	second := login(t, c)
	wantCode(t, "the first session", ask(t, c, "Bearer "+first), codes.Unauthenticated)
	if err := ask(t, c, "Bearer "+second); err != nil || f.table.Len() != 1 {
		t.Errorf("the second session: %v; there are %d", err, f.table.Len())
	}
}

// A connection holds one session, and so has one login under way at a time; the
// next one waits, as long as its caller does.
func TestLoginsTakeTurns(t *testing.T) {
	begun, finish := make(chan struct{}, 2), make(chan struct{})
	f := leased(t, page{authenticate: func(context.Context) { begun <- struct{}{}; <-finish }})
	c := managementv1.NewManagementClient(f.raw(t))
	try := func(ctx context.Context) <-chan error {
		answer := make(chan error, 1)
		go func() {
			_, err := c.Login(ctx, &managementv1.LoginRequest{Username: "root", Password: []byte("secret")})
			answer <- err
		}()
		return answer
	}
	first := try(t.Context())
	<-begun
	second := try(t.Context())
	hurried, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantCode(t, "a login that nobody waits for any more", <-try(hurried), codes.DeadlineExceeded)
	select {
	case <-begun:
		t.Error("two logins were under way on one connection")
	default:
	}
	finish <- struct{}{}
	<-begun
	finish <- struct{}{}
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
}

func TestSessionEndsWithItsConnection(t *testing.T) {
	f := leased(t, page{})
	conn, other := f.raw(t), f.client(t)
	login(t, managementv1.NewManagementClient(conn))
	if n := f.table.Len(); n != 2 {
		t.Fatalf("%d sessions", n)
	}
	conn.Close()
	await(t, "its session is gone", func() bool { return f.table.Len() == 1 })
	if _, err := other.Request(t.Context()); err != nil {
		t.Errorf("another's session: %v", err)
	}
}

// A login that is accepted when its connection is already gone leaves nothing.
func TestLoginAfterItsConnection(t *testing.T) {
	begun, over := make(chan struct{}), make(chan struct{})
	f := leased(t, page{authenticate: func(ctx context.Context) {
		close(begun)
		<-ctx.Done() // the connection is closed by then
		close(over)
	}})
	conn := f.raw(t)
	go managementv1.NewManagementClient(conn).Login(t.Context(), &managementv1.LoginRequest{Username: "root", Password: []byte("secret")})
	<-begun
	conn.Close()
	<-over
	f.stopped(t) // and so is the call
	if n := f.table.Len(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestRequestBounds(t *testing.T) {
	f := leased(t, page{})
	conn := f.raw(t)
	c := managementv1.NewManagementClient(conn)
	_, err := c.Login(t.Context(), &managementv1.LoginRequest{Username: strings.Repeat("x", 600<<10)})
	wantCode(t, "600 KiB", err, codes.ResourceExhausted)
	_, err = c.Login(t.Context(), &managementv1.LoginRequest{Username: "root", Client: strings.Repeat("x", 129)})
	wantCode(t, "a long client", err, codes.InvalidArgument)
	if n := f.table.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
	token := login(t, c) // over the same connection
	if err := ask(t, c, "Bearer "+token, strings.Repeat("x", 20<<10)); err == nil {
		t.Error("headers of 20 KiB were accepted")
	}
	f.client(t) // whatever became of that connection, others get in
}

func TestMalformedChanges(t *testing.T) {
	f := leased(t, page{})
	conn := f.raw(t)
	c := managementv1.NewManagementClient(conn)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+login(t, c))
	for what, change := range map[string]func() error{
		"a request id":      func() error { _, err := c.Suspend(ctx, &managementv1.SuspendRequest{RequestId: "x"}); return err },
		"a role":            func() error { _, err := c.Create(ctx, &managementv1.CreateRequest{Role: 99}); return err },
		"a role of an edit": func() error { _, err := c.Edit(ctx, &managementv1.EditRequest{Role: 99}); return err },
		"a permission":      func() error { _, err := c.Grant(ctx, &managementv1.GrantRequest{Permission: 99}); return err },
		"what to disconnect": func() error {
			_, err := c.Disconnect(ctx, &managementv1.DisconnectRequest{})
			return err
		},
	} {
		wantCode(t, what, change(), codes.InvalidArgument)
	}
}

// Every row shows where its caller sits, by the kernel's word.
func TestSessionRow(t *testing.T) {
	f := leased(t, page{})
	c := f.client(t)
	for rows, err := range c.OperatorSessions(t.Context(), everySession) {
		if err != nil {
			t.Fatal(err)
		}
		if r := rows[0]; len(rows) != 1 || r.Username != "root" || r.RemoteAddress != selfAddress || r.Listener != account.ManagementListener || r.Role != account.Admin {
			t.Errorf("the row says %+v", r)
		}
	}
}
