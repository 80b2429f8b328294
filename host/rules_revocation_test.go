package host_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// ending are the changes after which no earlier token of their target is good.
var ending = map[string]change{
	"delete":             deleteUser,
	"suspend":            suspend,
	"password":           setPassword("another from now on"),
	"password, as it is": setPassword(secret),
	"edit the role":      setRole(account.User),
	"edit the password":  setBoth("", "another from now on"),
	"edit both":          setBoth(account.User, "another from now on"),
}

// TestRule3RevocationComesBeforeTheAnswer shows that a token of the target is
// refused from the moment on at which the change is answered, however many
// calls race with it, that its sessions' rows are gone, and that a revoked
// grant is not used by any later call.
func TestRule3RevocationComesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	t.Run("Tokens", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		admin := h.Admin()
		for what, end := range ending {
			username := fmt.Sprintf("target%d", rand.Uint32())
			create(t, admin, username, account.Admin)
			var sessions []*management.Client
			for range 3 {
				sessions = append(sessions, h.As(username, secret))
			}
			callers := call(t.Context(), sessions)
			callers.warm(t)
			must(end(t.Context(), admin, anew, username))(t)
			answered := time.Now()
			if rows := sessionsOf(t, h, username); len(rows) != 0 {
				t.Errorf("%s: sessions are left: %+v", what, rows)
			}
			for _, c := range callers {
				<-c.refused
				wantKind(t, what, c.refusal, account.KindNotAuthenticated, "")
				if c.last.After(answered) {
					t.Errorf("%s: a call that was made %v after the answer was let in", what, c.last.Sub(answered))
				}
			}
		}
	})
	t.Run("OwnPassword", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		create(t, h.Admin(), "vain", account.Admin)
		vain := h.As("vain", secret)
		must(setPassword("prettier than before")(t.Context(), vain, anew, "vain"))(t)
		_, err := vain.Request(t.Context())
		wantKind(t, "the session that changed it", err, account.KindNotAuthenticated, "")
		h.As("vain", "prettier than before")
	})
	t.Run("OtherChangesEndNothing", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		admin := h.Admin()
		create(t, admin, "steady", account.Admin)
		steady := h.As("steady", secret)
		for what, c := range map[string]change{
			"grant": grant("prod"), "revoke": revoke("prod"), "edit to the role it has": setRole(account.Admin), "enable what is enabled": enable,
		} {
			if _, err := c(t.Context(), admin, anew, "steady"); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if _, err := steady.Request(t.Context()); err != nil {
				t.Errorf("%s ended a session: %v", what, err)
			}
		}
	})
	t.Run("AtOnce", func(t *testing.T) { t.Parallel(); revokedAtOnce(t) })
	t.Run("Grants", func(t *testing.T) { t.Parallel(); revokedGrants(t) })
}

// revokedAtOnce looks at a client's token in the moment in which the gate has
// answered. The change stream, which says the same, is held up: it may be late.
func revokedAtOnce(t *testing.T) {
	p := assemble(t)
	admin := p.admin(t)
	for what, end := range map[string]func(username string) error{
		"delete": func(username string) error {
			_, err := p.gate.Delete(t.Context(), admin, anew, account.Delete{Username: username})
			return err
		},
		"suspend": func(username string) error {
			_, err := p.gate.Suspend(t.Context(), admin, anew, username)
			return err
		},
		"password": func(username string) error {
			_, err := p.gate.Password(t.Context(), admin, anew, account.Password{Username: username, Password: account.Secret(secret)})
			return err
		},
		"edit the role": func(username string) error {
			_, err := p.gate.Edit(t.Context(), admin, anew, account.Edit{Username: username, Role: account.Admin})
			return err
		},
		"edit the password": func(username string) error {
			_, err := p.gate.Edit(t.Context(), admin, anew, account.Edit{Username: username, Password: account.Secret(secret)})
			return err
		},
	} {
		for range 4 {
			username := fmt.Sprintf("client%d", rand.Uint32())
			if _, err := p.gate.Create(t.Context(), admin, anew, account.Create{Username: username, Password: account.Secret(secret), Role: account.User}); err != nil {
				t.Fatal(err)
			}
			in := p.login(t, account.ClientListener, username, secret)
			p.stream.during(func() {
				if err := end(username); err != nil {
					t.Fatal(err)
				}
				_, err := p.table.Check(in.Token)
				wantKind(t, what+": the token of before", err, account.KindNotAuthenticated, "")
			})
		}
	}
}

// revokedGrants: what decides about a client's calls is the session's snapshot.
func revokedGrants(t *testing.T) {
	p := assemble(t)
	admin := p.admin(t)
	if _, err := p.gate.Create(t.Context(), admin, anew, account.Create{Username: "jeff", Password: account.Secret(secret), Role: account.User}); err != nil {
		t.Fatal(err)
	}
	jeff := p.login(t, account.ClientListener, "jeff", secret)
	may := func() bool { return jeff.Snapshot().Allows("prod", account.Write) }
	p.stream.during(func() {
		for range 20 {
			if _, err := p.gate.Grant(t.Context(), admin, anew, account.Grant{Username: "jeff", Permission: account.Write, Environment: "prod"}); err != nil {
				t.Fatal(err)
			}
			if !may() {
				t.Error("granted, and not allowed")
			}
			if _, err := p.gate.Revoke(t.Context(), admin, anew, account.Revoke{Username: "jeff", Environment: "prod"}); err != nil {
				t.Fatal(err)
			}
			if may() {
				t.Error("revoked, and still allowed")
			}
		}
	})
	// As another host would: this one hears of it by the change stream.
	by := account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: admin.Session.Caller(), Host: "another"}
	if _, err := p.plugin.Grant(t.Context(), by, account.Grant{Username: "jeff", Permission: account.Write, Environment: "prod"}); err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "the grant is known", may)
	by.RequestID = account.NewRequestID(time.Now())
	if _, err := p.plugin.Revoke(t.Context(), by, account.Revoke{Username: "jeff", Environment: "prod"}); err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "the revocation is known", func() bool { return !may() })
	if _, err := p.table.Check(jeff.Token); err != nil {
		t.Errorf("the token went with the grant: %v", err)
	}
}

// caller calls over one session until it is refused.
type caller struct {
	warmed  chan struct{} // closed after some calls
	refused chan struct{} // closed when what follows is set
	last    time.Time     // when the last call that was let in was made
	refusal error
}

type callers []*caller

// call starts two callers on each session.
func call(ctx context.Context, sessions []*management.Client) (all callers) {
	for _, s := range append(sessions, sessions...) {
		c := &caller{warmed: make(chan struct{}), refused: make(chan struct{})}
		all = append(all, c)
		go func() {
			defer close(c.refused)
			for n := 1; ; n++ {
				made := time.Now()
				if _, err := s.Request(ctx); err != nil {
					c.refusal = err
					return
				}
				if c.last = made; n == 3 {
					close(c.warmed)
				}
			}
		}()
	}
	return all
}

func (all callers) warm(t *testing.T) {
	t.Helper()
	for _, c := range all {
		select {
		case <-c.warmed:
		case <-c.refused:
			t.Fatalf("refused too early: %v", c.refusal)
		}
	}
}

// TestRule4NoLoginSlipsThroughARevocation shows that a login with credentials
// that a change takes away, racing with the change, leaves no session that
// outlives the change's answer.
func TestRule4NoLoginSlipsThroughARevocation(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	established := 0
	for round := range 3 {
		for what, end := range ending {
			if what == "password, as it is" {
				continue // takes no credentials away
			}
			username := fmt.Sprintf("racer%d", rand.Uint32())
			create(t, admin, username, account.Admin)
			attempts := make(chan []*management.Client)
			var begun sync.WaitGroup
			for range 4 {
				begun.Add(1)
				go func() { attempts <- logInUntilRefused(t, h, username, begun.Done) }()
			}
			begun.Wait()
			time.Sleep(rand.N(60 * time.Millisecond)) // at different points of the logins
			must(end(t.Context(), admin, anew, username))(t)
			if rows := sessionsOf(t, h, username); len(rows) != 0 {
				t.Errorf("%s, round %d: sessions with the credentials of before: %+v", what, round, rows)
			}
			for range 4 {
				for _, c := range <-attempts {
					established++
					_, err := c.Request(t.Context())
					wantKind(t, what+": a session of before", err, account.KindNotAuthenticated, "")
					c.Close()
				}
			}
			if rows := sessionsOf(t, h, username); len(rows) != 0 {
				t.Errorf("%s, round %d: sessions with the credentials of before, later: %+v", what, round, rows)
			}
		}
	}
	t.Logf("%d logins were accepted before the change", established)
}

// logInUntilRefused returns the clients whose login was accepted.
func logInUntilRefused(t *testing.T, h *hosttest.Host, username string, begun func()) (accepted []*management.Client) {
	for n := 0; ; n++ {
		if n == 0 {
			begun()
		}
		c, err := h.Login(username, secret)
		switch account.KindOf(err) {
		case 0:
			accepted = append(accepted, c)
		case account.KindNotAuthenticated, account.KindNotPermitted, account.KindThrottled:
			return accepted
		default:
			t.Errorf("a login that races with a change: %v", err)
			return accepted
		}
	}
}
