package fault_test

import (
	"context"
	"slices"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestUnrulyLies shows what the host guarantees whatever the plugin says: after
// a change that revokes, no token of its target is accepted.
func TestUnrulyLies(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "plugin.path: "+hosttest.Build(t, "./host/testdata/unruly"))
	admin := h.Admin()
	const password = "staple and battery"
	id := func() account.RequestID {
		id, err := admin.Request(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	verbs := map[account.Verb]func(ctx context.Context, name string) (management.Result, error){
		account.VerbSuspend: func(ctx context.Context, name string) (management.Result, error) {
			return admin.Suspend(ctx, id(), name)
		},
		account.VerbDelete: func(ctx context.Context, name string) (management.Result, error) {
			return admin.Delete(ctx, id(), account.Delete{Username: name})
		},
		account.VerbPassword: func(ctx context.Context, name string) (management.Result, error) {
			return admin.Password(ctx, id(), account.Password{Username: name, Password: account.Secret("another one")})
		},
	}
	for _, lie := range []struct {
		fault string
		kinds []account.Kind // of the answer
		after bool           // sessions end when the stream tells, not before the answer
	}{
		{fault: "unchanged", kinds: []account.Kind{0}},
		{fault: "stranger", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "nobody", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "empty", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "noise", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "huge", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "panic", kinds: []account.Kind{account.KindOutcomeUnknown}},
		{fault: "deny", kinds: []account.Kind{account.KindConflict}, after: true},
	} {
		for verb, change := range verbs {
			name := lie.fault + "-" + string(verb)
			if _, err := admin.Create(t.Context(), id(), account.Create{Username: name, Password: account.Secret(password), Role: account.Admin}); err != nil {
				t.Fatal(err)
			}
			target := h.As(name, password)
			fault := lie.fault
			if !lie.after {
				fault += ",no-snapshots" // so that nothing but the verb says it
			}
			order(t, h, fault+" 0s 1")
			_, err := change(t.Context(), name)
			ended := func() bool {
				_, err := target.Request(t.Context())
				return account.KindOf(err) == account.KindNotAuthenticated
			}
			if !lie.after && !ended() {
				t.Errorf("%s: it was answered with %v, and a token of '%[1]s' is accepted", name, err)
			}
			behave(t, h)
			if lie.after {
				hosttest.Await(t, "the stream has told of "+name, ended)
			}
			if !slices.Contains(lie.kinds, account.KindOf(err)) {
				t.Errorf("%s: it was answered with %v (%v), want one of %v", name, err, account.KindOf(err), lie.kinds)
			}
			target.Close()
		}
	}
	h.Stop()
}
