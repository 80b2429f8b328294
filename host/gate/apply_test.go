package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// applied is what an apply to jeff, an enabled ADMIN, came to.
func applied(f *fixture, is func(*account.Applied)) account.Applied {
	before := f.plugin.accounts["jeff"]
	a := account.Applied{Change: account.Change{Changed: true, Account: before, Revision: 1}, Before: &before}
	is(&a)
	return a
}

var everything = account.Desired{Username: "jeff", Role: account.User, Password: account.Secret(right), Grants: account.Grants{"plain": {account.Read}}}

// Rule 3: an apply ends its target's sessions if what they rest on changed, or
// may have.
func TestApply(t *testing.T) {
	for name, c := range map[string]struct {
		is     func(*account.Applied)
		ends   bool
		hears  bool // the password may have changed
		detail string
	}{
		"Nothing": {func(a *account.Applied) { a.Changed = false }, false, false, ""},
		"Grants": {func(a *account.Applied) {
			a.Account.Grants = account.Grants{"b": {account.Read, account.Write}, "a": {account.Read}}
		},
			false, false, "grants.a: READ; grants.b: READ, WRITE"},
		"Role":    {func(a *account.Applied) { a.Account.Role = account.User }, true, false, "role: ADMIN -> USER"},
		"Suspend": {func(a *account.Applied) { a.Account.Enabled = false }, true, false, "enabled: true -> false"},
		"Enable":  {func(a *account.Applied) { a.Before.Enabled = false }, true, false, "enabled: false -> true"},
		"Password": {func(a *account.Applied) { a.PasswordSet = true; a.Account.Generation++ },
			true, true, "password set"},
		"Generation": {func(a *account.Applied) { a.Account.Generation++ }, true, false, ""},
		"AllAtOnce": {func(a *account.Applied) {
			a.PasswordSet, a.Account.Role, a.Account.Enabled = true, account.User, false
			a.Before.Grants, a.Account.Grants = account.Grants{"x": {account.Write}}, nil
		}, true, true, "role: ADMIN -> USER; enabled: true -> false; grants.x: WRITE -> none; password set"},
		"New": {func(a *account.Applied) { a.Before, a.PasswordSet = nil, true },
			true, true, "created; role: ADMIN; enabled: true; password set"},
		"Repeated":          {func(a *account.Applied) { a.Before, a.Repeated = nil, true }, true, true, "repeated: the recorded outcome was given again"},
		"RepeatedUnchanged": {func(a *account.Applied) { a.Before, a.Repeated, a.Changed = nil, true, false }, false, false, "repeated: the recorded outcome was given again"},
		"RepeatedOutlived": {func(a *account.Applied) {
			a.Before, a.Repeated, a.Account, a.Revision = nil, true, account.Account{ID: "of before", Username: "jeff"}, 0
		}, false, true, "repeated: the recorded outcome was given again"},
	} {
		t.Run(name, func(t *testing.T) {
			f := set(t)
			root, jeff, ann := f.root(t), f.login(t, "jeff"), f.login(t, "ann")
			want := applied(f, c.is)
			f.plugin.apply = func(account.Invocation, account.Desired) (account.Applied, error) { return want, nil }
			var heard []string
			f.PasswordChanged = func(username string) { heard = append(heard, username) }
			got, err := f.Apply(t.Context(), root, anew, everything)
			if err != nil || got.Changed != want.Changed || got.PasswordSet != want.PasswordSet || got.Before != want.Before {
				t.Fatalf("it came to %+v, %v", got, err)
			}
			if f.live(jeff) == c.ends || !f.live(ann) {
				t.Errorf("jeff's session lives: %v, ann's: %v; want ended: %v", f.live(jeff), f.live(ann), c.ends)
			}
			if want := map[bool]int{true: 0, false: 1}[c.ends]; got.Sessions != want {
				t.Errorf("the answer counts %d sessions, want %d", got.Sessions, want)
			}
			if slices.Equal(heard, []string{"jeff"}) != c.hears {
				t.Errorf("heard of the passwords of %q", heard)
			}
			e := f.line(t, audit.Change)
			if e.Outcome != audit.OK || e.Verb != account.VerbApply || e.Target != "jeff" || *e.Changed != want.Changed ||
				e.RequestID != got.RequestID.String() || e.Caller.Username != "root" {
				t.Errorf("the line says %+v", e)
			}
			if e.Detail != c.detail {
				t.Errorf("the line's detail is %q, want %q", e.Detail, c.detail)
			}
			if asked := f.plugin.asked[0]; asked.in.RequestID != got.RequestID || asked.in.Host != "h" || asked.in.Caller != root.Session.Caller() {
				t.Errorf("the plugin was asked %+v", asked)
			}
		})
	}
	t.Run("ManyGrants", func(t *testing.T) {
		f := set(t)
		want := applied(f, func(a *account.Applied) {
			a.Account.Grants = account.Grants{}
			for i := range account.MaxEnvironments {
				a.Account.Grants[fmt.Sprintf("environment%04d", i)] = []account.Permission{account.Read}
			}
		})
		f.plugin.apply = func(account.Invocation, account.Desired) (account.Applied, error) { return want, nil }
		if _, err := f.Apply(t.Context(), f.root(t), anew, everything); err != nil {
			t.Fatal(err)
		}
		if e := f.line(t, audit.Change); !strings.HasPrefix(e.Detail, "grants.environment0000: READ; ") || len(e.Detail) > 4096 {
			t.Errorf("the line's detail has %d bytes: %.80s", len(e.Detail), e.Detail)
		}
	})
}

// What may have been carried out ends what it would have ended.
func TestApplyFails(t *testing.T) {
	enabled := false
	for name, c := range map[string]struct {
		d       account.Desired
		err     error
		outcome string
		ends    bool
	}{
		"Role/ErrOutcomeUnknown":    {account.Desired{Role: account.User}, account.OutcomeUnknown(account.NewRequestID(time.Now())), "outcome_unknown", true},
		"Enabled/ErrOutcomeUnknown": {account.Desired{Enabled: &enabled}, account.OutcomeUnknown(account.NewRequestID(time.Now())), "outcome_unknown", true},
		"Password/ErrInternal":      {account.Desired{Password: account.Secret(right)}, errors.New("garbage"), "internal", true},
		"Hash/ErrInternal":          {account.Desired{PasswordHash: account.Secret("$")}, errors.New("garbage"), "internal", true},
		"Grants/ErrOutcomeUnknown":  {account.Desired{Grants: account.Grants{}}, account.OutcomeUnknown(account.NewRequestID(time.Now())), "outcome_unknown", false},
		"Everything/ErrRefused":     {everything, account.Refused(account.ReasonLastAdmin, "jeff", "the last one"), "refused", false},
		"Everything/ErrInvalid":     {everything, account.Invalid("password", "too short"), "invalid_argument", false},
		"Everything/ErrUnavailable": {everything, account.Unavailable("no plugin"), "unavailable", false},
		"Everything/ErrUnsupported": {everything, account.Unsupported("apply"), "unsupported", false},
		"Everything/ErrConflict":    {everything, account.Conflict("others"), "conflict", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := set(t)
			root, jeff, ann := f.root(t), f.login(t, "jeff"), f.login(t, "ann")
			f.PasswordChanged = func(name string) { t.Errorf("the password of '%s' was changed", name) }
			f.plugin.apply = func(account.Invocation, account.Desired) (account.Applied, error) {
				return account.Applied{Change: account.Change{Changed: true}, PasswordSet: true}, c.err
			}
			c.d.Username = "jeff"
			got, err := f.Apply(t.Context(), root, anew, c.d)
			if err != c.err || got.Changed {
				t.Errorf("it came to %+v, %v", got, err)
			}
			if f.live(jeff) == c.ends || !f.live(ann) {
				t.Errorf("jeff's session lives: %v, ann's: %v; want ended: %v", f.live(jeff), f.live(ann), c.ends)
			}
			if e := f.line(t, audit.Change); e.Outcome != c.outcome || e.Changed != nil || e.Detail != "" || e.Verb != account.VerbApply {
				t.Errorf("the line says %+v", e)
			}
		})
	}
	t.Run("ErrAuditLog", func(t *testing.T) {
		f := set(t)
		root, jeff := f.root(t), f.login(t, "jeff")
		f.disk.fail(syscall.ENOSPC)
		f.plugin.apply = func(account.Invocation, account.Desired) (account.Applied, error) {
			return applied(f, func(a *account.Applied) { a.PasswordSet = true }), nil
		}
		_, err := f.Apply(t.Context(), root, anew, everything)
		wantKind(t, "without a line", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
		if f.live(jeff) {
			t.Error("the session lives")
		}
	})
	t.Run("ErrPanic", func(t *testing.T) {
		f := set(t)
		root, jeff := f.root(t), f.login(t, "jeff")
		f.plugin.change = func(context.Context, account.Invocation, account.Verb, string) (account.Change, error) {
			panic("s3cret")
		}
		_, err := f.Apply(t.Context(), root, anew, everything)
		wantKind(t, "a panic", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
		if f.live(jeff) {
			t.Error("the session lives")
		}
	})
}

// A plan ends nothing. With a password it answers whether that is the account's,
// and has a line like any such answer.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		d               account.Desired
		set             bool
		err             error
		outcome, detail string // empty: there is no line
	}{
		"Matches":                        {everything, false, nil, audit.OK, "matches"},
		"DoesNot":                        {everything, true, nil, audit.OK, "does not match"},
		"ErrPolicy":                      {everything, false, account.Invalid("password", "too short"), "invalid_argument", ""},
		"WithoutPassword":                {account.Desired{Username: "jeff", Role: account.User}, false, nil, "", ""},
		"WithHash":                       {account.Desired{Username: "jeff", PasswordHash: account.Secret("$")}, true, nil, "", ""},
		"WithoutPassword/ErrUnsupported": {account.Desired{Username: "jeff"}, false, account.Unsupported("apply"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := set(t)
			root, jeff := f.root(t), f.login(t, "jeff")
			want := applied(f, func(a *account.Applied) { a.Account.Role, a.PasswordSet = account.User, c.set })
			f.plugin.plan = func(account.Desired) (account.Applied, error) { return want, c.err }
			got, err := f.Plan(t.Context(), root, c.d)
			if err != c.err || err == nil && (got.Before != want.Before || got.Account.Role != account.User) || err != nil && got.Changed {
				t.Errorf("got %+v, %v", got, err)
			}
			if !f.live(jeff) || len(f.lines(t, audit.Change)) != 0 {
				t.Errorf("jeff's session lives: %v; lines of changes: %v", f.live(jeff), f.lines(t, audit.Change))
			}
			if c.outcome == "" {
				if all := f.lines(t, audit.CheckPassword); len(all) != 0 {
					t.Errorf("lines of checks: %+v", all)
				}
				return
			}
			if e := f.line(t, audit.CheckPassword); e.Outcome != c.outcome || e.Detail != c.detail || e.Target != "jeff" || e.Caller.Username != "root" {
				t.Errorf("the line says %+v", e)
			}
		})
	}
	t.Run("ErrAuditLog", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		f.disk.fail(syscall.ENOSPC)
		f.plugin.plan = func(account.Desired) (account.Applied, error) { return applied(f, func(*account.Applied) {}), nil }
		if got, err := f.Plan(t.Context(), root, everything); err == nil || got.Before != nil {
			t.Errorf("answered without a line: %+v", got)
		}
	})
}

// No hash leaves without a line in the audit log, which says so once.
func TestExport(t *testing.T) {
	pages := func(after string) ([]account.Exported, string, error) {
		page := func(name string) []account.Exported {
			return []account.Exported{{Account: account.Account{Username: name}, PasswordHash: account.Secret("hash of " + name)}}
		}
		if after == "" {
			return page("ann"), "ann", nil
		}
		return page("jeff"), "", nil
	}
	t.Run("LineFirst", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		f.plugin.export = pages
		var got []string
		err := f.Export(t.Context(), root, func(page []account.Exported) error {
			if e := f.line(t, audit.Export); e.Outcome != audit.OK || e.Caller.Username != "root" || e.Target != "" || e.Detail != "" {
				t.Errorf("the line says %+v", e)
			}
			for _, e := range page {
				got = append(got, e.Username+": "+string(e.PasswordHash))
			}
			return nil
		})
		if err != nil || !slices.Equal(got, []string{"ann: hash of ann", "jeff: hash of jeff"}) {
			t.Errorf("exported %q, %v", got, err)
		}
		f.line(t, audit.Export)
	})
	t.Run("ErrAuditLog", func(t *testing.T) {
		f := set(t)
		root := f.root(t)
		f.disk.fail(syscall.ENOSPC)
		f.plugin.export = pages
		if err := f.Export(t.Context(), root, func([]account.Exported) error { t.Error("a hash left"); return nil }); err == nil {
			t.Error("exported without a line")
		}
	})
	t.Run("ErrRefused", func(t *testing.T) {
		f := set(t)
		f.plugin.export = func(string) ([]account.Exported, string, error) {
			return nil, "", account.Unsupported(account.CapabilityExport)
		}
		err := f.Export(t.Context(), f.root(t), func([]account.Exported) error { t.Error("a hash left"); return nil })
		wantKind(t, "refused", err, account.KindUnsupported, "")
		if e := f.line(t, audit.Export); e.Outcome != "unsupported" {
			t.Errorf("the line says %+v", e)
		}
	})
	t.Run("ErrLater", func(t *testing.T) {
		f := set(t)
		f.plugin.export = func(after string) ([]account.Exported, string, error) {
			if after != "" {
				return nil, "", account.SessionEnded()
			}
			return pages(after)
		}
		seen := 0
		err := f.Export(t.Context(), f.root(t), func([]account.Exported) error { seen++; return nil })
		wantKind(t, "in the middle", err, account.KindNotAuthenticated, "")
		if f.line(t, audit.Export); seen != 1 {
			t.Errorf("%d pages", seen)
		}
	})
	t.Run("ReaderGoesAway", func(t *testing.T) {
		f := set(t)
		f.plugin.export = pages
		seen := 0
		if err := f.Export(t.Context(), f.root(t), func([]account.Exported) error { seen++; return syscall.EPIPE }); err != syscall.EPIPE || seen != 1 {
			t.Errorf("%d pages, %v", seen, err)
		}
	})
}
