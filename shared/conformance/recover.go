package conformance

import (
	"errors"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const recoverContract = `the rpc Recover: it makes the account an enabled ADMIN with the given password, and writes a request record with the verb "recover" and no caller`

var needsRecover = []string{account.CapabilityChange, account.CapabilityRecover}

var recoverCases = []Case{
	{
		Name: "recover/makes-an-enabled-admin", Contract: recoverContract, Needs: needsRecover,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			p.grant("target", "e", account.Read)
			was := p.suspend("target").Account
			r := recovery("target")
			c, err := p.Users.Recover(t.ctx, r)
			t.OK(err, "recover a suspended USER")
			t.Came(c, true, "recover a suspended USER")
			is := p.Show("target")
			t.Same(is, c.Account, "show after the recovery")
			if is.ID != was.ID || is.Role != account.Admin || !is.Enabled || is.Generation <= was.Generation || len(is.Grants) != 1 {
				t.Errorf("after the recovery: %+v; want the same account, an enabled ADMIN of a later generation, with its grant", is)
			}
			p.Login("target", r.Password)
			// It counts: the other one may go, and then it may not.
			t.OK(p.demote(p.New()), "make the administrator a USER, beside the recovered one")
			_, err = p.Users.Edit(t.ctx, As(Caller(is)), account.Edit{Username: "target", Role: account.User})
			t.Refused(err, account.KindRefused, account.ReasonLastAdmin, "make the recovered ADMIN, the only one, a USER")
		},
	},
	{
		Name: "recover/is-recorded", Contract: recoverContract + `; a repeat is answered from it (rule 2)`, Needs: needsRecover,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			r := recovery("target")
			c, err := p.Users.Recover(t.ctx, r)
			t.OK(err, "recover")
			found := false
			for _, record := range p.records() {
				if record.RequestID != r.RequestID {
					continue
				}
				found = true
				record.At = time.Time{}
				if want := (account.Record{
					RequestID: r.RequestID, Host: host, Verb: account.VerbRecover, Target: "target",
					Changed: true, AccountID: c.Account.ID, Generation: c.Account.Generation,
				}); record != want {
					t.Errorf("the record of the recovery is %+v, want %+v", record, want)
				}
			}
			if !found {
				t.Errorf("the recovery has no record")
			}
			before := p.holdings()
			again, err := p.Users.Recover(t.ctx, r)
			t.repeats(again, err, c, "the repeat of the recovery")
			p.Untouched(before, "after the repeat")
			r.Username = p.Admin.Username
			_, err = p.Users.Recover(t.ctx, r)
			t.Refused(err, account.KindInvalid, account.ReasonRequestReused, "recover another account under the same id")
		},
	},
	{
		Name: "recover/names-admins-when-there-is-no-such-account", Contract: `the rpc Recover: NOT_FOUND names accounts that are ADMINs`, Needs: needsRecover,
		run: func(t *T) {
			p := t.Open()
			p.Create("deputy", account.Admin)
			before := p.holdings()
			_, err := p.Users.Recover(t.ctx, recovery("nobody"))
			t.NotFound(err, "nobody", "recover an account that does not exist")
			e, ok := errors.AsType[*account.Error](err)
			if ok && !strings.Contains(e.Message, "deputy") && !strings.Contains(e.Message, p.Admin.Username) {
				t.Errorf("the refusal %q names none of the ADMINs", e.Message)
			}
			p.Untouched(before, "after the refusal")
		},
	},
}

func recovery(username string) account.Recovery {
	return account.Recovery{Username: username, Password: NewPassword(), RequestID: account.NewRequestID(time.Now()), Host: host}
}
