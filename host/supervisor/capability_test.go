package supervisor_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// wantUnsupported checks a refusal and that it names the capability.
func wantUnsupported(t *testing.T, what, capability string, err error) {
	t.Helper()
	want := account.Unsupported(capability)
	if refusal, ok := errors.AsType[*account.Error](err); !ok || *refusal != *want {
		t.Errorf("%s: %+v, want %+v", what, err, want)
	}
}

// What a plugin has not declared is refused without asking it.
func TestCapabilities(t *testing.T) {
	t.Run("Undeclared", func(t *testing.T) {
		o := options(t)
		o.Configuration.Settings = map[string]string{"capabilities": "durable"}
		s := start(t, o)
		ctx, in := t.Context(), newInvocation()
		errOf := func(_ any, err error) error { return err }
		for name, c := range map[string]struct {
			capability string
			err        error
		}{
			"Initialize": {account.CapabilityChange, errOf(s.Initialize(ctx, account.FirstAdministrator{Username: "a", RequestID: in.RequestID}))},
			"Create":     {account.CapabilityChange, errOf(s.Create(ctx, in, account.Create{Username: "a"}))},
			"Edit":       {account.CapabilityChange, errOf(s.Edit(ctx, in, account.Edit{Username: "a"}))},
			"Password":   {account.CapabilityChange, errOf(s.Password(ctx, in, account.Password{Username: "a"}))},
			"Delete":     {account.CapabilityChange, errOf(s.Delete(ctx, in, account.Delete{Username: "a"}))},
			"Grant":      {account.CapabilityChange, errOf(s.Grant(ctx, in, account.Grant{Username: "a"}))},
			"Revoke":     {account.CapabilityChange, errOf(s.Revoke(ctx, in, account.Revoke{Username: "a"}))},
			"Suspend":    {account.CapabilityChange, errOf(s.Suspend(ctx, in, "a"))},
			"Enable":     {account.CapabilityChange, errOf(s.Enable(ctx, in, "a"))},
			"Apply":      {account.CapabilityApply, errOf(s.Apply(ctx, in, account.Desired{Username: "a"}))},
			"Plan":       {account.CapabilityApply, errOf(s.Plan(ctx, nobody, account.Desired{Username: "a"}))},
			"Backup":     {account.CapabilityBackup, s.Backup(ctx, io.Discard)},
			"Recover":    {account.CapabilityRecover, errOf(s.Recover(ctx, account.Recovery{Username: "a", RequestID: in.RequestID}))},
			"Restore":    {account.CapabilityRestore, errOf(s.Restore(ctx, strings.NewReader("")))},
		} {
			wantUnsupported(t, name, c.capability, c.err)
		}
		_, _, err := s.Export(ctx, nobody, "")
		wantUnsupported(t, "Export", account.CapabilityExport, err)
		for _, file := range []string{"initialized", "created", "applied", "streams"} {
			if noted(o, file) {
				t.Errorf("the plugin was asked: %s", file)
			}
		}
		if _, err := s.Show(ctx, nobody, "jane"); err != nil {
			t.Errorf("Show: %v", err)
		}
	})

	// A plugin that declares too much, and answers as its library does.
	t.Run("Unimplemented", func(t *testing.T) {
		s := start(t, options(t))
		_, err := s.Create(t.Context(), newInvocation(), account.Create{Username: "unimplemented"})
		wantUnsupported(t, "Create", account.CapabilityChange, err)
	})

	// Another plugin that cannot do it does not know whether the one before did.
	t.Run("UndeclaredByTheNext", func(t *testing.T) {
		o := options(t)
		o.Pace.Drain = 100 * time.Millisecond
		s := start(t, o)
		created := make(chan error, 1)
		go func() {
			_, err := s.Create(t.Context(), newInvocation(), account.Create{Username: "hang"})
			created <- err
		}()
		eventually(t, "the call is under way", func() bool { return noted(o, "created") })
		if err := s.Reload(t.Context(), func() (supervisor.Options, error) {
			n := o
			n.Configuration.Settings = map[string]string{"capabilities": ""}
			return n, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := <-created; account.KindOf(err) != account.KindOutcomeUnknown {
			t.Errorf("Create: %v, want an unknown outcome", err)
		}
	})
}
