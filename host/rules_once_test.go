package host_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule2ExactlyOnce shows that a change takes effect once under one request
// id, however often it is asked for, whatever dies in between, and that an
// unknown outcome comes with the id that resolves it.
func TestRule2ExactlyOnce(t *testing.T) {
	t.Parallel()
	t.Run("RepeatsChangeNothing", func(t *testing.T) { t.Parallel(); repeatsChangeNothing(t) })
	t.Run("IdsBelongToOneRequest", func(t *testing.T) { t.Parallel(); idsBelongToOneRequest(t) })
	t.Run("IdsLastAnHour", func(t *testing.T) { t.Parallel(); idsLastAnHour(t) })
	t.Run("SelfDemotion", func(t *testing.T) { t.Parallel(); selfDemotion(t) })
	t.Run("UnknownOutcomes", func(t *testing.T) { t.Parallel(); unknownOutcomes(t) })
}

// repeatsChangeNothing carries out each verb, then its opposite, kills the
// plugin, the host or both, and asks for the first again: it is told the
// recorded outcome, and the account stays as the opposite left it.
func repeatsChangeNothing(t *testing.T) {
	h := hosttest.Start(t)
	for killed, kill := range map[string]func(){
		"plugin": func() { h.KillPlugin() },
		"host":   func() { h.Kill(); h.Start() },
		"both":   func() { h.KillPlugin(); h.Kill(); h.Start() },
	} {
		admin := h.Admin()
		name := func(m move) string { return fmt.Sprintf("%s-%s", m.verb, killed) }
		ids, before := map[account.Verb]account.RequestID{}, map[account.Verb]account.Account{}
		for _, m := range moves {
			if m.verb != account.VerbCreate {
				create(t, admin, name(m), account.User)
				must(admin.Grant(t.Context(), anew, account.Grant{Username: name(m), Permission: account.Read, Environment: "test"}))(t)
			}
			if m.verb == account.VerbEnable {
				must(admin.Suspend(t.Context(), anew, name(m)))(t)
			}
			id, err := admin.Request(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r := must(m.there(t.Context(), admin, id, name(m)))(t); r.RequestID != id.String() {
				t.Errorf("%s: answered as request %s, not as %s", m.verb, r.RequestID, id)
			}
			must(m.back(t.Context(), admin, anew, name(m)))(t)
			ids[m.verb] = id
			if m.verb != account.VerbCreate {
				before[m.verb] = show(t, admin, name(m))
			}
		}
		kill()
		admin = h.Admin()
		for _, m := range moves {
			for range 2 {
				if r, err := m.there(t.Context(), admin, ids[m.verb], name(m)); err != nil || !r.Changed {
					t.Errorf("%s, repeated after a kill of %s: %+v, %v; want its recorded outcome", m.verb, killed, r, err)
				}
			}
			if m.verb == account.VerbCreate {
				_, err := admin.Show(t.Context(), name(m))
				wantKind(t, "the account that was created and deleted", err, account.KindNotFound, "")
			} else if d := cmp.Diff(before[m.verb], show(t, admin, name(m))); d != "" {
				t.Errorf("%s, repeated after a kill of %s, took effect again:\n%s", m.verb, killed, d)
			}
		}
	}
}

// idsBelongToOneRequest: an id is good for the caller, verb and target that it
// was first used with.
func idsBelongToOneRequest(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "second", account.Admin)
	create(t, admin, "jeff", account.User)
	second := h.As("second", secret)
	id, err := admin.Request(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	must(admin.Suspend(t.Context(), id, "jeff"))(t)
	refused := func(what string, err error) {
		t.Helper()
		wantKind(t, what, err, account.KindInvalid, account.ReasonRequestReused)
	}
	_, err = second.Suspend(t.Context(), id, "jeff")
	refused("another caller", err)
	_, err = admin.Enable(t.Context(), id, "jeff")
	refused("another verb", err)
	_, err = admin.Suspend(t.Context(), id, "second")
	refused("another target", err)
	if show(t, admin, "jeff").Enabled || !show(t, admin, "second").Enabled {
		t.Error("a refused repeat took effect")
	}
	if r, err := admin.Suspend(t.Context(), id, "jeff"); err != nil || !r.Changed {
		t.Errorf("the caller itself: %+v, %v; want its recorded outcome", r, err)
	}
}

// idsLastAnHour: there is no telling whether an older one was carried out.
func idsLastAnHour(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "jeff", account.User)
	for _, c := range []struct {
		age    time.Duration
		kind   account.Kind
		reason account.Reason
	}{
		{61 * time.Minute, account.KindInvalid, account.ReasonRequestExpired},
		{24 * time.Hour, account.KindInvalid, account.ReasonRequestExpired},
		{-time.Hour, account.KindInvalid, ""},
		{50 * time.Minute, 0, ""},
	} {
		environment := fmt.Sprintf("aged_%d", max(c.age, 0)/time.Minute)
		_, err := admin.Grant(t.Context(), account.NewRequestID(time.Now().Add(-c.age)),
			account.Grant{Username: "jeff", Permission: account.Read, Environment: environment})
		wantKind(t, fmt.Sprintf("an id of %v ago", c.age), err, c.kind, c.reason)
		if held := show(t, admin, "jeff").Grants.Holds(environment, account.Read); held != (c.kind == 0) {
			t.Errorf("an id of %v ago: granted is %v", c.age, held)
		}
	}
}

// selfDemotion: an administrator who takes the own role away while the plugin
// is killed is told that it is done, although nobody but an ADMIN may ask: the
// record is looked up before the caller's rights. So is one who, made an ADMIN
// again by another, asks again.
func selfDemotion(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "fickle", account.Admin)
	demotion := account.Edit{Username: "fickle", Role: account.User}
	for round := range 4 {
		fickle := h.As("fickle", secret)
		id, err := fickle.Request(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			r, err := fickle.Edit(t.Context(), id, demotion)
			if err == nil && !r.Changed {
				err = fmt.Errorf("answered as if it had been done before: %+v", r)
			}
			done <- err
		}()
		time.Sleep(time.Duration(2*round) * time.Millisecond) // at different points of the call
		h.KillPlugin()
		if err := <-done; err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		_, err = fickle.Request(t.Context())
		wantKind(t, "the session of before the demotion", err, account.KindNotAuthenticated, "")
		_, err = h.Login("fickle", secret)
		wantKind(t, "a login after the demotion", err, account.KindNotPermitted, account.ReasonNeedsAdmin)

		must(admin.Edit(t.Context(), anew, account.Edit{Username: "fickle", Role: account.Admin}))(t)
		r, err := h.As("fickle", secret).Edit(t.Context(), id, demotion)
		if err != nil || !r.Changed || r.Role != account.Admin {
			t.Errorf("asked again: %+v, %v; want the recorded outcome, and the account as it is", r, err)
		}
	}
}
