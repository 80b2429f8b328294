package conformance

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

const cancelContract = `rules 2 and 6 of docs/design.md: a call whose caller goes away takes effect as a whole or not at all, and its repeat tells`

var cancelCases = []Case{
	{
		Name: "cancel/an-edit-is-whole-or-not-at-all", Contract: cancelContract + `: role and password of an edit together`, Needs: needsChange,
		run: editIsWhole,
	},
	{
		Name: "cancel/takes-effect-once", Contract: cancelContract + `; the two together take effect once`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			was, _ := p.Create("target", account.User)
			for n, after := range []int{0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60} {
				in := p.New()
				ask := func(ctx context.Context) (account.Change, error) {
					if n%2 == 0 {
						return p.Users.Suspend(ctx, in, "target")
					}
					return p.Users.Enable(ctx, in, "target")
				}
				ctx, cancel := context.WithCancel(t.ctx)
				timer := time.AfterFunc(time.Duration(after)*time.Millisecond, cancel)
				ask(ctx) // whatever became of it
				timer.Stop()
				cancel()
				c, err := settled(func() (account.Change, error) { return ask(t.ctx) })
				t.OK(err, "the repeat of a call that was cancelled after %d ms", after)
				is := p.Show("target")
				if !c.Changed || is.Enabled == (n%2 == 0) || is.Generation != was.Generation+1 {
					t.Errorf("the repeat of a call that was cancelled after %d ms: changed %t, and the account's generation went from %d to %d; want true, and one more",
						after, c.Changed, was.Generation, is.Generation)
					return
				}
				was = is
			}
			time.Sleep(100 * time.Millisecond) // for what was cancelled and goes on
			t.Same(p.Show("target"), was, "some time after the last repeat")
		},
	},
	{
		Name: "cancel/leaves-the-process-serving", Contract: `every rpc: a call that is cancelled, or whose deadline passes, gives back what it held: others are served as before`, Needs: needsChange,
		run: leavesServing,
	},
}

func editIsWhole(t *T) {
	p := t.Open()
	was, _ := p.Create("target", account.User)
	for _, after := range []time.Duration{0, 2, 10, 30, 60, 100, 150} {
		role := account.Admin
		if was.Role == role {
			role = account.User
		}
		in, r := p.New(), account.Edit{Username: "target", Role: role, Password: NewPassword()}
		matches := func() bool {
			m, err := p.Users.CheckPassword(t.ctx, p.Admin, account.Password{Username: "target", Password: r.Password})
			t.OK(err, "check the password")
			return m
		}
		ctx, cancel := t.Within(after * time.Millisecond)
		p.Users.Edit(ctx, in, r) // whatever became of it
		cancel()
		// It may still be under way: only what is seen in this order is half.
		hasRole := p.Show("target").Role == role
		hasPassword := matches()
		if hasRole && !hasPassword {
			t.Errorf("an edit that was cancelled after %d ms set the role and not the password", after)
		}
		if hasPassword && p.Show("target").Role != role {
			t.Errorf("an edit that was cancelled after %d ms set the password and not the role", after)
		}
		c, err := settled(func() (account.Change, error) { return p.Users.Edit(t.ctx, in, r) })
		t.OK(err, "the repeat of an edit that was cancelled after %d ms", after)
		is := p.Show("target")
		if !c.Changed || is.Role != role || is.Generation == was.Generation || !matches() {
			t.Errorf("after the repeat of an edit that was cancelled after %d ms: changed %t, role %s, generation %d after %d; or it has another password",
				after, c.Changed, is.Role, is.Generation, was.Generation)
		}
		if hasRole && !c.Repeated {
			t.Errorf("an edit that was cancelled after %d ms took effect, and its repeat says that it is the first", after)
		}
		if t.failed() {
			return
		}
		was = is
	}
}

// servedBound is how long a process may take to recover from cancelled calls.
const servedBound = 10 * time.Second

func leavesServing(t *T) {
	p := t.Open()
	p.Create("target", account.User)
	const callers, each = 12, 10
	var cancelled sync.WaitGroup
	for i := range callers {
		cancelled.Go(func() {
			for n := range each {
				ctx, cancel := t.Within(time.Duration(n*3) * time.Millisecond)
				switch i % 6 {
				case 0, 1:
					p.Users.Authenticate(ctx, account.Credentials{Username: p.admin.Username, Password: p.admin.Password, Listener: account.ManagementListener})
				case 2:
					p.Users.Create(ctx, p.New(), account.Create{Username: fmt.Sprintf("made-%d-%d", i, n), Password: NewPassword(), Role: account.User})
				case 3:
					p.Users.CheckPassword(ctx, p.Admin, account.Password{Username: "target", Password: NewPassword()})
				case 4:
					toggle(ctx, p, p.New(), "target", "e", n)
				case 5:
					p.Users.List(ctx, p.Admin, "")
				}
				cancel()
			}
		})
	}
	cancelled.Wait()
	ctx, cancel := t.Within(servedBound)
	defer cancel()
	_, err := p.Users.Authenticate(ctx, account.Credentials{Username: p.admin.Username, Password: p.admin.Password, Listener: account.ManagementListener})
	t.OK(err, "log in after %d cancelled calls, within %s", callers*each, servedBound)
	_, err = p.Users.Create(ctx, p.New(), account.Create{Username: "after", Password: NewPassword(), Role: account.User})
	t.OK(err, "create after %d cancelled calls, within %s", callers*each, servedBound)
	_, err = p.Users.CheckPassword(ctx, p.Admin, account.Password{Username: "target", Password: NewPassword()})
	t.OK(err, "check a password after %d cancelled calls, within %s", callers*each, servedBound)
	p.Watch().Beat(1)
}
