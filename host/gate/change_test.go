package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

var anew account.RequestID

// change is a change of jeff's account.
type change func(context.Context, *gate.Gate, gate.Caller, account.RequestID) (gate.Result, error)

func edit(role account.Role, password account.Secret) change {
	return func(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
		return g.Edit(ctx, c, id, account.Edit{Username: "jeff", Role: role, Password: password})
	}
}

func create(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Create(ctx, c, id, account.Create{Username: "jeff", Password: account.Secret(right), Role: account.User, IfNotExists: true})
}

func password(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Password(ctx, c, id, account.Password{Username: "jeff", Password: account.Secret(right)})
}

func remove(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Delete(ctx, c, id, account.Delete{Username: "jeff"})
}

func grant(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Grant(ctx, c, id, account.Grant{Username: "jeff", Permission: account.Write})
}

func revoke(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Revoke(ctx, c, id, account.Revoke{Username: "jeff"})
}

func suspend(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Suspend(ctx, c, id, "jeff")
}

func enable(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Enable(ctx, c, id, "jeff")
}

// cases are all changes, and whether they end their target's sessions.
var cases = []struct {
	name     string
	ask      change
	verb     account.Verb
	ends     bool // if it takes effect
	endsIdle bool // if it changes nothing
}{
	{"Create", create, account.VerbCreate, false, false},
	{"EditRole", edit(account.User, nil), account.VerbEdit, true, false},
	{"EditPassword", edit("", account.Secret(right)), account.VerbEdit, true, true},
	{"EditBoth", edit(account.User, account.Secret(right)), account.VerbEdit, true, true},
	{"Password", password, account.VerbPassword, true, true},
	{"Delete", remove, account.VerbDelete, true, true},
	{"Grant", grant, account.VerbGrant, false, false},
	{"Revoke", revoke, account.VerbRevoke, false, false},
	{"Suspend", suspend, account.VerbSuspend, true, true},
	{"Enable", enable, account.VerbEnable, false, false},
}

// Rule 3: the gate ends the target's sessions from the verb and the outcome,
// whatever the plugin, and nobody else's.
func TestChange(t *testing.T) {
	for _, c := range cases {
		for _, changed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/changed=%v", c.name, changed), func(t *testing.T) {
				f := set(t)
				root, jeff, again, ann := f.root(t), f.login(t, "jeff"), f.login(t, "jeff"), f.login(t, "ann")
				f.plugin.change = func(_ context.Context, _ account.Invocation, _ account.Verb, target string) (account.Change, error) {
					out := f.plugin.changed(target)
					out.Changed = changed
					return out, nil
				}
				r, err := c.ask(t.Context(), f.Gate, root, anew)
				if err != nil || r.Changed != changed || r.Account.Username != "jeff" {
					t.Fatalf("it came to %+v, %v", r, err)
				}
				ends := c.ends && changed || c.endsIdle && !changed
				if f.live(jeff) == ends || f.live(again) == ends || !f.live(ann) {
					t.Errorf("jeff's sessions live: %v and %v, ann's: %v; want ended: %v", f.live(jeff), f.live(again), f.live(ann), ends)
				}
				if want := map[bool]int{true: 0, false: 2}[ends]; r.Sessions != want {
					t.Errorf("the answer counts %d sessions, want %d", r.Sessions, want)
				}
				e, asked := f.line(t, audit.Change), f.plugin.asked[0]
				if e.Outcome != audit.OK || e.Verb != c.verb || e.Target != "jeff" || e.Changed == nil || *e.Changed != changed ||
					e.Caller.Username != "root" || e.Caller.SessionID != root.Session.ID() || e.RequestID != r.RequestID.String() {
					t.Errorf("the line says %+v, by %+v", e, e.Caller)
				}
				if asked.verb != c.verb || asked.in.RequestID != r.RequestID || asked.in.Host != "h" || asked.in.Caller != root.Session.Caller() {
					t.Errorf("the plugin was asked %+v", asked)
				}
			})
		}
	}
}

// What may have been committed ends what it would have ended; what was refused
// ends nothing.
func TestChangeFails(t *testing.T) {
	for what, failure := range map[string]struct {
		err     error
		outcome string
		ends    bool
	}{
		"ErrOutcomeUnknown": {account.OutcomeUnknown(account.NewRequestID(time.Now())), "outcome_unknown", true},
		"ErrInternal":       {errors.New("garbage"), "internal", true},
		"ErrNotFound":       {account.NotFound("jeff"), "not_found", false},
		"ErrRefused":        {account.Refused(account.ReasonLastAdmin, "jeff", "the last one"), "refused", false},
		"ErrUnavailable":    {account.Unavailable("no plugin"), "unavailable", false},
	} {
		for _, c := range cases {
			t.Run(what+"/"+c.name, func(t *testing.T) {
				f := set(t)
				root, jeff, ann := f.root(t), f.login(t, "jeff"), f.login(t, "ann")
				f.PasswordChanged = func(name string) { t.Errorf("the password of '%s' was changed", name) }
				f.plugin.change = func(context.Context, account.Invocation, account.Verb, string) (account.Change, error) {
					return account.Change{Changed: true}, failure.err
				}
				r, err := c.ask(t.Context(), f.Gate, root, anew)
				if err != failure.err || r.Changed {
					t.Errorf("it came to %+v, %v", r, err)
				}
				if ends := failure.ends && c.ends; f.live(jeff) == ends || !f.live(ann) {
					t.Errorf("jeff's session lives: %v, ann's: %v; want ended: %v", f.live(jeff), f.live(ann), ends)
				}
				if e := f.line(t, audit.Change); e.Outcome != failure.outcome || e.Changed != nil || e.RequestID == "" || e.Reason != account.ReasonOf(failure.err) {
					t.Errorf("the line says %+v", e)
				}
			})
		}
	}
	t.Run("ErrInvalidName", func(t *testing.T) {
		f := set(t)
		_, err := f.Suspend(t.Context(), f.root(t), anew, "no\nname")
		wantKind(t, "no name", err, account.KindInvalid, "")
		if e := f.line(t, audit.Change); e.Outcome != "invalid_argument" || e.Target != `no\u000aname` || len(f.plugin.asked) != 0 {
			t.Errorf("the line says %+v; the plugin was asked %v", e, f.plugin.asked)
		}
	})
}

// A panic on the way leaves nobody in, and a line.
func TestChangePanics(t *testing.T) {
	f := set(t)
	root, jeff := f.root(t), f.login(t, "jeff")
	f.plugin.change = func(context.Context, account.Invocation, account.Verb, string) (account.Change, error) {
		panic("s3cret")
	}
	_, err := f.Suspend(t.Context(), root, anew, "jeff")
	wantKind(t, "a panic", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
	if f.live(jeff) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the session lives: %v; the error is: %v", f.live(jeff), err)
	}
	if e := f.line(t, audit.Change); e.Outcome != "outcome_unknown" {
		t.Errorf("the line says %+v", e)
	}
}

// Rule 12: without its line nobody may call a change made, but its sessions are
// ended; asked for again under its id it is answered, and has its line.
func TestChangeErrAuditLog(t *testing.T) {
	f := set(t)
	root, jeff := f.root(t), f.login(t, "jeff")
	f.disk.fail(syscall.ENOSPC)
	_, err := f.Suspend(t.Context(), root, anew, "jeff")
	wantKind(t, "without a line", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
	if f.live(jeff) {
		t.Error("the session lives")
	}
	e, _ := errors.AsType[*account.Error](err)
	id, parseErr := account.ParseRequestID(e.RequestID)
	if parseErr != nil || id != f.plugin.asked[0].in.RequestID {
		t.Errorf("the error names %s, %v", e.RequestID, parseErr)
	}
	f.disk.mend()
	f.plugin.change = func(_ context.Context, _ account.Invocation, _ account.Verb, target string) (account.Change, error) {
		out := f.plugin.changed(target)
		out.Repeated = true
		return out, nil
	}
	r, err := f.Suspend(t.Context(), root, id, "jeff")
	if err != nil || !r.Changed || r.RequestID != id {
		t.Errorf("asked again: %+v, %v", r, err)
	}
	if e := f.line(t, audit.Change); e.Outcome != audit.OK || e.RequestID != id.String() || e.Detail == "" {
		t.Errorf("the line says %+v", e)
	}
}

// A refusal stays one where no line can be written: nothing took effect.
func TestChangeRefusedErrAuditLog(t *testing.T) {
	f := set(t)
	root := f.root(t)
	f.disk.fail(syscall.ENOSPC)
	f.plugin.change = func(context.Context, account.Invocation, account.Verb, string) (account.Change, error) {
		return account.Change{}, account.NotFound("jeff")
	}
	_, err := f.Suspend(t.Context(), root, anew, "jeff")
	wantKind(t, "refused", err, account.KindNotFound, "")
}

// The recorded outcome of a change says nothing of the account that has the
// name now.
func TestChangeOutlived(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := set(t)
			root, jeff := f.root(t), f.login(t, "jeff")
			f.plugin.change = func(context.Context, account.Invocation, account.Verb, string) (account.Change, error) {
				return account.Change{Changed: true, Repeated: true, Account: account.Account{ID: "of before", Generation: 7, Username: "jeff"}}, nil
			}
			r, err := c.ask(t.Context(), f.Gate, root, account.NewRequestID(time.Now()))
			if err != nil || !r.Outlived() {
				t.Fatalf("it came to %+v, %v", r, err)
			}
			if !f.live(jeff) || !jeff.Snapshot().Enabled || jeff.Snapshot().ID != "id of jeff" {
				t.Errorf("the new account's session lives: %v; known: %+v", f.live(jeff), jeff.Snapshot())
			}
			f.line(t, audit.Change)
		})
	}
}

// What a change says of its account is known before its answer.
func TestChangeIsKnown(t *testing.T) {
	f := set(t)
	root, ann := f.root(t), f.login(t, "ann")
	may := func() bool { return ann.Snapshot().Allows("plain", account.Write) }
	f.plugin.change = func(_ context.Context, _ account.Invocation, verb account.Verb, target string) (account.Change, error) {
		out := f.plugin.changed(target)
		out.Revision = 2
		if verb == account.VerbGrant {
			out.Account.Grants = out.Account.Grants.With("plain", account.Write)
		} else {
			out.Revision++
		}
		return out, nil
	}
	if _, err := f.Grant(t.Context(), root, anew, account.Grant{Username: "ann", Permission: account.Write}); err != nil || !may() {
		t.Errorf("granted: %v, %v", may(), err)
	}
	if _, err := f.Revoke(t.Context(), root, anew, account.Revoke{Username: "ann"}); err != nil || may() {
		t.Errorf("revoked: %v, %v", !may(), err)
	}
}

// Once begun, a change does not depend on its caller's patience.
func TestChangeGoesOn(t *testing.T) {
	t.Run("WithoutItsCaller", func(t *testing.T) {
		f := set(t)
		root, jeff := f.root(t), f.login(t, "jeff")
		ctx, giveUp := context.WithCancel(t.Context())
		f.plugin.change = func(ctx context.Context, _ account.Invocation, _ account.Verb, target string) (account.Change, error) {
			giveUp()
			if err := ctx.Err(); err != nil {
				t.Errorf("the change was given up with its caller: %v", err)
			}
			return f.plugin.changed(target), nil
		}
		if _, err := f.Suspend(ctx, root, anew, "jeff"); err != nil || f.live(jeff) {
			t.Errorf("%v; jeff's session lives: %v", err, f.live(jeff))
		}
		if e := f.line(t, audit.Change); e.Outcome != audit.OK {
			t.Errorf("the line says %+v", e)
		}
	})
	hang := func(ctx context.Context, in account.Invocation, _ account.Verb, _ string) (account.Change, error) {
		<-ctx.Done()
		return account.Change{}, account.OutcomeUnknown(in.RequestID)
	}
	t.Run("UntilTheHostStops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			root, jeff := f.root(t), f.login(t, "jeff")
			f.plugin.change = hang
			began := time.Now()
			time.AfterFunc(callTimeout/2, f.stop)
			_, err := f.Suspend(t.Context(), root, anew, "jeff")
			wantKind(t, "at the host's stop", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
			if took := time.Since(began); took != callTimeout/2 || f.live(jeff) {
				t.Errorf("after %v; jeff's session lives: %v", took, f.live(jeff))
			}
		})
	})
	t.Run("ForCallTimeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := set(t)
			root := f.root(t)
			f.plugin.change = hang
			began := time.Now()
			_, err := f.Suspend(t.Context(), root, anew, "jeff")
			wantKind(t, "a plugin that hangs", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
			if took := time.Since(began); took != callTimeout {
				t.Errorf("after %v, want %v", took, callTimeout)
			}
		})
	})
}

func TestEnvironment(t *testing.T) {
	for named, want := range map[string]string{"": "plain", "prod": "prod"} {
		f := set(t)
		root := f.root(t)
		g, err := f.Grant(t.Context(), root, anew, account.Grant{Username: "ann", Permission: account.Write, Environment: named})
		if err != nil || g.Environment != want {
			t.Errorf("a grant in %q came to %+v, %v", named, g, err)
		}
		r, err := f.Revoke(t.Context(), root, anew, account.Revoke{Username: "ann", Environment: named})
		if err != nil || r.Environment != want {
			t.Errorf("a revocation in %q came to %+v, %v", named, r, err)
		}
		for i, e := range f.lines(t, audit.Change) {
			if e.Environment != want || f.plugin.asked[i].environment != want {
				t.Errorf("the line says %q, the plugin was asked about %q", e.Environment, f.plugin.asked[i].environment)
			}
		}
	}
}

func TestPasswordChanged(t *testing.T) {
	heard := map[string][]string{
		"EditPassword": {"jeff"}, "EditBoth": {"jeff"}, "Password": {"jeff"}, "Delete": {"jeff"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := set(t)
			var got []string
			f.PasswordChanged = func(username string) { got = append(got, username) }
			if _, err := c.ask(t.Context(), f.Gate, f.root(t), anew); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, heard[c.name]) {
				t.Errorf("heard of %q, want %q", got, heard[c.name])
			}
		})
	}
}
