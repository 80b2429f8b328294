package host_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// apply is a change that makes the account what d says.
func apply(d account.Desired) change {
	return func(ctx context.Context, c *management.Client, id account.RequestID, username string) (management.Result, error) {
		d.Username = username
		a, err := c.Apply(ctx, id, d)
		return management.Result{
			ListedAccount: management.ListedAccount{Account: a.Account, Sessions: a.Sessions}, Changed: a.Changed, RequestID: a.RequestID,
		}, err
	}
}

var (
	yes, no = true, false
	// whole and bare differ in all that an Apply can change.
	whole = account.Desired{Role: account.Admin, Enabled: &no, Grants: account.Grants{"prod": {account.Write}}, Password: account.Secret("the password of the whole")}
	bare  = account.Desired{Role: account.User, Enabled: &yes, Grants: account.Grants{}, Password: account.Secret("the password of the bare one")}
)

// TestRule2ApplyExactlyOnce: an Apply that is repeated under its id finds the
// account as others have left it since, whatever died in between.
func TestRule2ApplyExactlyOnce(t *testing.T) {
	t.Parallel()
	t.Run("RepeatsChangeNothing", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		for killed, kill := range map[string]func(){
			"plugin": func() { h.KillPlugin() },
			"both":   func() { h.KillPlugin(); h.Kill(); h.Start() },
		} {
			admin := h.Admin()
			username := "target-of-" + killed
			id, err := admin.Request(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			must(apply(bare)(t.Context(), admin, id, username))(t)
			must(apply(whole)(t.Context(), admin, anew, username))(t)
			before := show(t, admin, username)
			kill()
			admin = h.Admin()
			d := bare
			d.Username = username
			for range 2 {
				if a, err := admin.Apply(t.Context(), id, d); err != nil || !a.Changed || !a.Repeated {
					t.Errorf("repeated after a kill of %s: %+v, %v; want its recorded outcome", killed, a, err)
				}
			}
			if d := cmp.Diff(before, show(t, admin, username)); d != "" {
				t.Errorf("repeated after a kill of %s, it took effect again:\n%s", killed, d)
			}
			if a, err := admin.Apply(t.Context(), anew, d); err != nil || !a.Changed || a.Repeated {
				t.Errorf("asked for anew: %+v, %v", a, err)
			}
		}
	})
	t.Run("IdsBelongToOneRequest", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		admin := h.Admin()
		id, err := admin.Request(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		must(apply(bare)(t.Context(), admin, id, "jeff"))(t)
		_, err = apply(bare)(t.Context(), admin, id, "another")
		wantKind(t, "another target", err, account.KindInvalid, account.ReasonRequestReused)
		_, err = suspend(t.Context(), admin, id, "jeff")
		wantKind(t, "another verb", err, account.KindInvalid, account.ReasonRequestReused)
	})
	t.Run("CommandLine", func(t *testing.T) { t.Parallel(); appliedWithoutAnAnswer(t) })
}

// appliedWithoutAnAnswer: a change is committed, and the host dies before it can
// say so. The command waits for the next host, and finds out.
func appliedWithoutAnAnswer(t *testing.T) {
	h := hosttest.Start(t)
	create(t, h.Admin(), "jeff", account.User)
	before := show(t, h.Admin(), "jeff")
	file := filepath.Join(t.TempDir(), "users.yaml")
	if err := os.WriteFile(file, []byte("{username: jeff, role: ADMIN, grants: {prod: [WRITE]}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.StopAuditLog(400) // enough for the line of the login
	cmd := h.Command("users", "apply", "-f", file)
	cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
	outcome := make(chan hosttest.Outcome, 1)
	go func() { outcome <- h.RunCommand(cmd, "") }()
	hosttest.Await(t, "the audit log takes no more", func() bool { return strings.Contains(h.Log(), "the audit log takes no lines") })
	h.Kill()
	h.Start()
	o := <-outcome
	if o.Code != 0 || o.Stdout != "changed jeff: role USER -> ADMIN; none -> WRITE in prod\n1 account: 1 changed\n" || o.Stderr != "" {
		t.Errorf("%+v", o)
	}
	if after := show(t, h.Admin(), "jeff"); after.Generation != before.Generation+1 || after.Role != account.Admin {
		t.Errorf("it was %+v, and is %+v", before, after)
	}
}

// TestRule3ApplyRevokesBeforeTheAnswer: as the verbs that it stands for.
func TestRule3ApplyRevokesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	other := create(t, admin, "other", account.User)
	var hash account.Secret
	for batch, err := range admin.Export(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			if e.ID == other.ID {
				hash = e.PasswordHash
			}
		}
	}
	for what, d := range map[string]account.Desired{
		"role": {Role: account.User}, "suspended": {Enabled: &no}, "password": {Password: account.Secret("another from now on")},
		"hash": {PasswordHash: hash}, "everything": whole,
	} {
		username := fmt.Sprintf("target%d", rand.Uint32())
		create(t, admin, username, account.Admin)
		callers := call(t.Context(), []*management.Client{h.As(username, secret), h.As(username, secret)})
		callers.warm(t)
		must(apply(d)(t.Context(), admin, anew, username))(t)
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
	steady := h.As(create(t, admin, "steady", account.Admin).Username, secret)
	for what, d := range map[string]account.Desired{
		"grants": {Grants: account.Grants{"prod": {account.Read}}}, "no grants": {Grants: account.Grants{}}, "nothing": {},
		"as it is": {Role: account.Admin, Enabled: &yes, Password: account.Secret(secret)},
	} {
		if _, err := apply(d)(t.Context(), admin, anew, "steady"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := steady.Request(t.Context()); err != nil {
			t.Errorf("%s ended a session: %v", what, err)
		}
	}
}

// TestRule6AnApplyIsAtomic: role, state, grants and password change together or
// not at all, when the plugin or the host is killed at any moment.
func TestRule6AnApplyIsAtomic(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	faces := []account.Desired{bare, whole}
	must(apply(faces[0])(t.Context(), admin, anew, "janus"))(t)
	began := time.Now()
	must(apply(faces[1])(t.Context(), admin, anew, "janus"))(t)
	took := time.Since(began)
	for round := range 10 {
		is := wantOneOf(t, admin, "janus", faces)
		outcome := make(chan error, 1)
		go func() {
			_, err := apply(faces[1-is])(t.Context(), admin, anew, "janus")
			outcome <- err
		}()
		time.Sleep(rand.N(took)) // before, in or after the commit
		if round%2 == 0 {
			h.KillPlugin() // the host repeats it
			if err := <-outcome; err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		} else {
			h.Kill()
			err := <-outcome
			h.Start()
			admin = h.Admin()
			if k := account.KindOf(err); k != 0 && k != account.KindUnavailable && k != account.KindOutcomeUnknown {
				t.Fatalf("round %d: %v", round, err)
			} else if k != 0 {
				wantOneOf(t, admin, "janus", faces)
				continue
			}
		}
		if now := wantOneOf(t, admin, "janus", faces); now == is {
			t.Fatalf("round %d: what was answered did not happen", round)
		}
	}
	before := show(t, admin, "janus")
	for what, d := range map[string]account.Desired{
		"password":    {Role: account.User, Enabled: &yes, Password: account.Secret("short")},
		"environment": {Role: account.User, Grants: account.Grants{"a-b": {account.Read}}},
		"hash":        {Role: account.User, PasswordHash: account.Secret("$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA")},
	} {
		if is := wantOneOf(t, admin, "janus", faces); is == 0 {
			d.Role, d.Enabled = account.Admin, &no
		}
		_, err := apply(d)(t.Context(), admin, anew, "janus")
		if account.KindOf(err) != account.KindInvalid {
			t.Errorf("a bad %s: %v", what, err)
		}
	}
	if d := cmp.Diff(before, show(t, admin, "janus")); d != "" {
		t.Errorf("a refused one changed:\n%s", d)
	}
}

// wantOneOf returns which of the faces the account has, in every respect.
func wantOneOf(t *testing.T, c *management.Client, username string, faces []account.Desired) int {
	t.Helper()
	a := show(t, c, username)
	for i, f := range faces {
		if a.Role != f.Role {
			continue
		}
		if a.Enabled != *f.Enabled || len(a.Grants) != len(f.Grants) || !matches(t, c, username, string(f.Password)) {
			t.Fatalf("of face %d there is only a part: %+v", i, a)
		}
		return i
	}
	t.Fatalf("it has no face: %+v", a)
	return -1
}

// TestRule7ApplyLeavesAnAdmin: administrators who take each other's rights at
// once leave one.
func TestRule7ApplyLeavesAnAdmin(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	for round := range 5 {
		clients := map[string]*management.Client{hosttest.Administrator: admin}
		for i := range 4 {
			name := fmt.Sprintf("admin%d-%d", round, i)
			create(t, admin, name, account.Admin)
			clients[name] = h.As(name, secret)
		}
		var battle sync.WaitGroup
		for name, c := range clients {
			battle.Go(func() {
				for other := range clients {
					d := account.Desired{Role: account.User}
					if rand.N(2) == 0 && other != name {
						d = account.Desired{Enabled: &no}
					}
					_, err := apply(d)(t.Context(), c, anew, other)
					switch account.KindOf(err) {
					case 0, account.KindRefused, account.KindNotAuthenticated, account.KindNotPermitted, account.KindConflict:
					default:
						t.Errorf("'%s' against '%s': %v", name, other, err)
					}
				}
			})
		}
		battle.Wait()
		if admin = survivor(t, h, clients); admin == nil {
			t.Fatalf("round %d: no administrator is left", round)
		}
		must(apply(account.Desired{Role: account.Admin, Enabled: &yes, Password: account.Secret("battle " + hosttest.Password)})(
			t.Context(), admin, anew, hosttest.Administrator))(t)
		must(apply(account.Desired{Password: account.Secret(hosttest.Password)})(
			t.Context(), h.As(hosttest.Administrator, "battle "+hosttest.Password), anew, hosttest.Administrator))(t)
		admin = h.Admin()
		for name := range clients {
			if name != hosttest.Administrator {
				must(deleteUser(t.Context(), admin, anew, name))(t)
			}
		}
	}
}

// survivor returns a session of one who is an enabled ADMIN, nil if nobody is.
func survivor(t *testing.T, h *hosttest.Host, names map[string]*management.Client) *management.Client {
	t.Helper()
	for name := range names {
		password := secret
		if name == hosttest.Administrator {
			password = hosttest.Password
		}
		c, err := h.Login(name, password)
		switch account.KindOf(err) {
		case 0:
			return c
		case account.KindNotPermitted:
		default:
			t.Errorf("log in as '%s': %v", name, err)
		}
	}
	return nil
}

// TestRule8ApplyChecksTheCaller: nobody suspends themselves, and what a caller
// may no longer do is refused.
func TestRule8ApplyChecksTheCaller(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "second", account.Admin)
	for _, self := range []string{hosttest.Administrator, "ａｄｍｉｎ"} { // as it is stored, and full-width
		_, err := apply(account.Desired{Enabled: &no, Grants: account.Grants{"prod": {account.Read}}})(t.Context(), admin, anew, self)
		wantKind(t, self, err, account.KindRefused, account.ReasonSelfSuspend)
	}
	if a := show(t, admin, hosttest.Administrator); !a.Enabled || len(a.Grants) != 0 {
		t.Errorf("a refused suspension took effect: %+v", a)
	}
	for what, take := range map[string]change{
		"demoted": apply(account.Desired{Role: account.User}), "suspended": apply(account.Desired{Enabled: &no}), "password": apply(account.Desired{Password: account.Secret("another from now on")}),
	} {
		caller := create(t, admin, "caller-"+what, account.Admin).Username
		c := h.As(caller, secret)
		must(take(t.Context(), admin, anew, caller))(t)
		_, err := apply(bare)(t.Context(), c, anew, "made-by-"+caller)
		wantKind(t, what, err, account.KindNotAuthenticated, "")
		_, err = admin.Show(t.Context(), "made-by-"+caller)
		wantKind(t, "what was to be made", err, account.KindNotFound, "")
	}
	t.Run("AtCommit", func(t *testing.T) {
		p := assemble(t)
		stale := p.admin(t).Session.Caller()
		stale.Generation--
		d := bare
		d.Username = "jeff"
		_, err := p.plugin.Apply(t.Context(), by(stale), d)
		wantKind(t, "a caller of before", err, account.KindNotAuthenticated, "")
		_, err = p.plugin.Plan(t.Context(), stale, d)
		wantKind(t, "a plan of a caller of before", err, account.KindNotAuthenticated, "")
	})
}

// TestRule12AnApplyIsTold: the line says what was changed, and has no secret.
func TestRule12AnApplyIsTold(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	admin := h.Admin()
	must(apply(bare)(t.Context(), admin, anew, "jeff"))(t)
	must(apply(whole)(t.Context(), admin, anew, "jeff"))(t)
	var told []string
	for _, e := range h.Audit() {
		if e.Verb == account.VerbApply && e.Outcome == audit.OK && e.Target == "jeff" {
			told = append(told, e.Detail)
		}
	}
	want := []string{
		"created; role: USER; enabled: true; password set",
		"role: USER -> ADMIN; enabled: true -> false; grants.prod: WRITE; password set",
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	text, err := os.ReadFile(h.AuditLog())
	if err != nil || strings.Contains(string(text), string(whole.Password)) {
		t.Errorf("the audit log has a password (%v)", err)
	}
}
