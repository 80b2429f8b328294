package conformance

import (
	"fmt"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const requestContract = `rule 2 of docs/design.md, and the comment on the mutations in users.proto: the request id is looked up first; a repeat is answered with the recorded outcome`

var requestCases = []Case{
	{
		Name: "request/repeat-tells-the-outcome", Contract: requestContract + `: changed, account id, generation, and repeated is true`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			for _, m := range p.mutations() {
				target := "target-" + string(m.verb)
				m.prepare(p, target)
				in := p.New()
				first, err := m.ask(t.ctx, p, in, target)
				t.OK(err, "%s", m.verb)
				t.Came(first, true, "%s", m.verb)
				again, err := m.ask(t.ctx, p, in, target)
				t.repeats(again, err, first, "the repeat of %s", m.verb)
				if again.Gone != first.Gone || again.Account.Generation != first.Account.Generation {
					t.Errorf("the repeat of %s: gone is %t and the generation %d, want %t and %d as at first",
						m.verb, again.Gone, again.Account.Generation, first.Gone, first.Account.Generation)
				}
			}
		},
	},
	{
		Name: "request/repeat-has-no-second-effect", Contract: requestContract + `, and changes nothing, whatever was changed since`, Needs: needsChange,
		run: noSecondEffect,
	},
	{
		Name: "request/repeat-of-what-changed-nothing", Contract: requestContract + `: changed is false, though it might change something by now`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			p.grant("target", "e", account.Read)
			in, r := p.New(), account.Grant{Username: "target", Permission: account.Read, Environment: "e"}
			first, err := p.Users.Grant(t.ctx, in, r)
			t.OK(err, "grant what is held")
			t.Came(first, false, "grant what is held")
			p.revoke("target", "e")
			again, err := p.Users.Grant(t.ctx, in, r)
			t.repeats(again, err, first, "the repeat, after a revocation")
			t.Grants(p.Show("target"), nil, "after the repeat")
		},
	},
	{
		Name: "request/repeated-delete-spares-the-next-account", Contract: `Change.account and gone: the repeat of a delete whose name another account has by now tells the deleted account's id, gone is false, revision 0; the other account stays`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			in := p.New()
			first, err := p.Users.Delete(t.ctx, in, account.Delete{Username: "target"})
			t.OK(err, "delete")
			next, _ := p.Create("target", account.Admin)
			again, err := p.Users.Delete(t.ctx, in, account.Delete{Username: "target"})
			t.repeats(again, err, first, "the repeat of the delete")
			if again.Gone || again.Revision != 0 || again.Account.Username != "target" {
				t.Errorf("the repeat of the delete: gone is %t, the revision %d, the username %q; want false, 0 and the username", again.Gone, again.Revision, account.Printable(again.Account.Username))
			}
			t.Same(p.Show("target"), next, "after the repeat")
		},
	},
	{
		Name: "request/id-of-another-caller-is-refused", Contract: `rule 2 of docs/design.md: the same id with another caller is INVALID_ARGUMENT, reason REQUEST_REUSED, and changes nothing`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			deputy, _ := p.Create("deputy", account.Admin)
			for _, m := range p.mutations() {
				target := "target-" + string(m.verb)
				in := p.carriedOut(m, target)
				before := p.holdings()
				in.Caller = Caller(deputy)
				_, err := m.ask(t.ctx, p, in, target)
				t.Refused(err, account.KindInvalid, account.ReasonRequestReused, "%s under the id of another caller's", m.verb)
				p.Untouched(before, "after the refusal of %s", m.verb)
			}
		},
	},
	{
		Name: "request/id-of-another-verb-is-refused", Contract: `rule 2 of docs/design.md: the same id with another verb is INVALID_ARGUMENT, reason REQUEST_REUSED, and changes nothing`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			in := p.New()
			_, err := p.Users.Grant(t.ctx, in, account.Grant{Username: "target", Permission: account.Read, Environment: "mutated"})
			t.OK(err, "grant")
			before := p.holdings()
			for _, m := range p.mutations() {
				if m.verb == account.VerbGrant {
					continue
				}
				_, err := m.ask(t.ctx, p, in, "target")
				t.Refused(err, account.KindInvalid, account.ReasonRequestReused, "%s under the id of a grant", m.verb)
			}
			p.Untouched(before, "after the refusals")
		},
	},
	{
		Name: "request/id-of-another-target-is-refused", Contract: `rule 2 of docs/design.md: the same id with another target is INVALID_ARGUMENT, reason REQUEST_REUSED, and changes nothing`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			for _, m := range p.mutations() {
				target, other := "target-"+string(m.verb), "other-"+string(m.verb)
				in := p.carriedOut(m, target)
				m.prepare(p, other)
				before := p.holdings()
				_, err := m.ask(t.ctx, p, in, other)
				t.Refused(err, account.KindInvalid, account.ReasonRequestReused, "%s under the id of one of another account", m.verb)
				p.Untouched(before, "after the refusal of %s", m.verb)
			}
		},
	},
	{
		Name: "request/repeat-outlives-the-callers-rights", Contract: requestContract + `, before the caller is checked: whoever demoted or deleted itself still learns that it did`, Needs: needsChange,
		run: repeatOutlivesRights,
	},
	{
		Name: "request/refusals-are-not-recorded", Contract: `rule 2 of docs/design.md: refusals are not recorded: the same id may be carried out later, once`, Needs: needsChange,
		run: refusalsAreNotRecorded,
	},
	{
		Name: "request/old-id-is-refused", Contract: `rule 2 of docs/design.md: new work under an id older than one hour is refused with INVALID_ARGUMENT, reason REQUEST_EXPIRED`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			for _, m := range p.mutations() {
				target := "target-" + string(m.verb)
				m.prepare(p, target)
				before := p.holdings()
				for _, age := range []time.Duration{time.Hour + clockSlack, 25 * time.Hour, 365 * 24 * time.Hour} {
					in := p.New()
					in.RequestID = account.NewRequestID(time.Now().Add(-age))
					_, err := m.ask(t.ctx, p, in, target)
					t.Refused(err, account.KindInvalid, account.ReasonRequestExpired, "%s under an id of %s ago", m.verb, age)
				}
				p.Untouched(before, "after the refusals of %s", m.verb)
				in := p.New()
				in.RequestID = account.NewRequestID(time.Now().Add(clockSlack - time.Hour))
				c, err := m.ask(t.ctx, p, in, target)
				t.OK(err, "%s under an id of less than an hour ago", m.verb)
				t.Came(c, true, "%s under an id of less than an hour ago", m.verb)
			}
		},
	},
	{
		Name: "request/id-of-tomorrow-is-refused", Contract: `rule 2 of docs/design.md: an id carries its time, by which its record is forgotten; one that claims a day to come, and would outlive its record, is INVALID_ARGUMENT`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			before := p.holdings()
			for _, ahead := range []time.Duration{25 * time.Hour, 10 * 365 * 24 * time.Hour} {
				in := p.New()
				in.RequestID = account.NewRequestID(time.Now().Add(ahead))
				_, err := p.Users.Suspend(t.ctx, in, "target")
				t.Refused(err, account.KindInvalid, "", "suspend under an id of %s from now", ahead)
			}
			p.Untouched(before, "after the refusals")
		},
	},
	{
		Name: "request/one-effect-among-many", Contract: `rule 2 of docs/design.md: the record is looked up and written in the transaction of the change: calls with one id that come at once take effect once`, Needs: needsChange,
		run: oneEffectAmongMany,
	},
	{
		Name: "request/records-outlive-the-process", Contract: requestContract + `, by the next process too, whether the one before was shut down or killed (rule 1)`, Needs: needsDurable,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			for _, end := range []struct {
				how   string
				again func(p *Plugin) *Plugin
			}{{"shut down", (*Plugin).Restart}, {"killed", (*Plugin).KillAndRestart}} {
				in := p.New()
				first, err := p.Users.Suspend(t.ctx, in, "target")
				t.OK(err, "suspend")
				p.enable("target")
				p = end.again(p)
				again, err := p.Users.Suspend(t.ctx, in, "target")
				t.repeats(again, err, first, "the repeat after the process was %s", end.how)
				if !p.Show("target").Enabled {
					t.Errorf("the repeat after the process was %s has suspended the account a second time", end.how)
				}
			}
		},
	},
}

// repeats notes how an answer is not the recorded outcome of the first.
func (t *T) repeats(again account.Change, err error, first account.Change, what string, args ...any) {
	asked := fmt.Sprintf(what, args...)
	switch {
	case err != nil:
		t.Errorf("%s: %s, want the recorded outcome", asked, describe(err))
	case !again.Repeated:
		t.Errorf("%s: repeated is false", asked)
	case again.Changed != first.Changed:
		t.Errorf("%s: changed is %t, want %t as at first", asked, again.Changed, first.Changed)
	case again.Account.ID != first.Account.ID:
		t.Errorf("%s: account id %q, want %q as at first", asked, again.Account.ID, first.Account.ID)
	case again.Account.Generation < first.Account.Generation:
		t.Errorf("%s: generation %d, want %d as at first", asked, again.Account.Generation, first.Account.Generation)
	}
}

// carriedOut prepares and asks, and returns the invocation.
func (p *Plugin) carriedOut(m mutation, target string) account.Invocation {
	m.prepare(p, target)
	in := p.New()
	_, err := m.ask(p.t.ctx, p, in, target)
	p.t.OK(err, "%s", m.verb)
	return in
}

func noSecondEffect(t *T) {
	p := t.Open()
	for _, m := range p.mutations() {
		target := "target-" + string(m.verb)
		m.prepare(p, target)
		in := p.New()
		first, err := m.ask(t.ctx, p, in, target)
		t.OK(err, "%s", m.verb)
		m.undo(p, target)
		before := p.holdings()
		for range 2 {
			again, err := m.ask(t.ctx, p, in, target)
			t.repeats(again, err, first, "the repeat of %s, which was undone", m.verb)
		}
		p.Untouched(before, "after the repeat of %s", m.verb)
	}
}

func repeatOutlivesRights(t *T) {
	p := t.Open()
	for _, own := range []struct {
		what string
		ask  func(in account.Invocation) (account.Change, error)
	}{
		{"demotion", func(in account.Invocation) (account.Change, error) {
			return p.Users.Edit(t.ctx, in, account.Edit{Username: in.Caller.Username, Role: account.User})
		}},
		{"password", func(in account.Invocation) (account.Change, error) {
			return p.Users.Password(t.ctx, in, account.Password{Username: in.Caller.Username, Password: p.admin.Password})
		}},
		{"deletion", func(in account.Invocation) (account.Change, error) {
			return p.Users.Delete(t.ctx, in, account.Delete{Username: in.Caller.Username})
		}},
	} {
		deputy, _ := p.Create("deputy-"+own.what, account.Admin)
		in := As(Caller(deputy))
		first, err := own.ask(in)
		t.OK(err, "the caller's own %s", own.what)
		again, err := own.ask(in)
		t.repeats(again, err, first, "the repeat of the caller's own %s", own.what)
		in.RequestID = account.NewRequestID(time.Now())
		_, err = own.ask(in)
		t.RefusedAs(err, endedOrLess, "the same under a new id")
	}
}

func refusalsAreNotRecorded(t *T) {
	p := t.Open()
	user, _ := p.Create("user", account.User)
	for _, c := range []struct {
		what string
		in   account.Invocation
		kind account.Kind
		ask  func(in account.Invocation) (account.Change, error)
		mend func()
	}{
		{"a grant to an account that does not exist", p.New(), account.KindNotFound, func(in account.Invocation) (account.Change, error) {
			return p.Users.Grant(t.ctx, in, account.Grant{Username: "late", Permission: account.Read, Environment: "e"})
		}, func() { p.Create("late", account.User) }},
		{"a create of an account that exists", p.New(), account.KindAlreadyExists, func(in account.Invocation) (account.Change, error) {
			return p.Users.Create(t.ctx, in, account.Create{Username: "late", Password: p.admin.Password, Role: account.User})
		}, func() { p.delete("late") }},
		{"a suspension by a USER", As(Caller(user)), account.KindNotPermitted, func(in account.Invocation) (account.Change, error) {
			in.Caller = Caller(p.Show("user")) // of the same id, whatever its generation is by now
			return p.Users.Suspend(t.ctx, in, "late")
		}, func() { p.edit(account.Edit{Username: "user", Role: account.Admin}) }},
		{"a demotion of the last ADMIN", account.Invocation{}, account.KindRefused, func(in account.Invocation) (account.Change, error) {
			return p.Users.Edit(t.ctx, in, account.Edit{Username: p.Admin.Username, Role: account.User})
		}, func() { p.edit(account.Edit{Username: "user", Role: account.Admin}) }},
	} {
		if c.in.RequestID.IsZero() {
			p.edit(account.Edit{Username: "user", Role: account.User}) // one ADMIN is left
			c.in = p.New()
		}
		_, err := c.ask(c.in)
		t.Refused(err, c.kind, "", "%s", c.what)
		for _, id := range p.holdings().records {
			if id == c.in.RequestID {
				t.Errorf("%s was refused, and has a request record", c.what)
			}
		}
		c.mend()
		change, err := c.ask(c.in)
		if err != nil {
			t.Errorf("%s, asked again under the same id when nothing is in its way: %s", c.what, describe(err))
			continue
		}
		t.Came(change, true, "%s, asked again under the same id when nothing is in its way", c.what)
	}
}

func oneEffectAmongMany(t *T) {
	p := t.Open()
	for _, m := range p.mutations() {
		target := "target-" + string(m.verb)
		m.prepare(p, target)
		var generation account.Generation
		if m.verb != account.VerbCreate {
			generation = p.Show(target).Generation
		}
		const many = 6
		in := p.New()
		changes, errs := make([]account.Change, many), make([]error, many)
		var callers sync.WaitGroup
		for i := range many {
			callers.Go(func() {
				changes[i], errs[i] = settled(func() (account.Change, error) { return m.ask(t.ctx, p, in, target) })
			})
		}
		callers.Wait()
		carried := 0
		var last account.Generation
		for i, c := range changes {
			if errs[i] != nil {
				t.Errorf("%s, one of %d calls with one id: %s", m.verb, many, describe(errs[i]))
				continue
			}
			if !c.Changed {
				t.Errorf("%s, one of %d calls with one id: changed is false", m.verb, many)
			}
			if !c.Repeated {
				carried++
			}
			last = max(last, c.Account.Generation)
		}
		if carried != 1 {
			t.Errorf("%s: %d of %d calls with one id say that they were the first, want 1", m.verb, carried, many)
		}
		if m.verb == account.VerbPassword && last != generation+1 {
			t.Errorf("%s: the generation was %d and is %d after %d calls with one id", m.verb, generation, last, many)
		}
	}
}
