package conformance

import "github.com/cinchapi/concourse-users/shared/account"

// These judge what all processes of the run wrote and told, and make sure that
// there was something to judge.
var logsCases = []Case{
	{
		Name: "logs/hold-no-secret", last: true,
		Contract: `design rule 9: no password and no hash of one stands in what a backend writes to standard error or standard output, nor in what go-plugin's stdio service carries, which a backend in Go prints there once it serves: all of that is in the host's log`,
		run: func(t *T) {
			t.secretive()
			for _, seen := range t.run.seen.take(&t.run.seen.logged) {
				t.Errorf("%s", seen)
			}
		},
	},
	{
		Name: "logs/refusals-tell-no-secret", last: true,
		Contract: `design rule 9: no status message or detail holds a password or a hash of one`,
		run: func(t *T) {
			t.secretive()
			for _, seen := range t.run.seen.take(&t.run.seen.told) {
				t.Errorf("%s", seen)
			}
		},
	},
	{
		Name: "logs/leave-standard-output-alone", last: true,
		Contract: `go-plugin's handshake is the only line on standard output; log lines go to standard error`,
		run: func(t *T) {
			t.secretive()
			for _, seen := range t.run.seen.take(&t.run.seen.stdout) {
				t.Errorf("after the handshake %s", seen)
			}
		},
	},
	{
		Name: "logs/are-bounded-lines", last: true,
		Contract: `log lines, on standard error or over go-plugin's stdio service, are hclog's JSON or plain, and shorter than 64 KiB`,
		run: func(t *T) {
			t.secretive()
			for _, seen := range t.run.seen.take(&t.run.seen.long) {
				t.Errorf("%s", seen)
			}
		},
	},
}

// secretive has a process handle secrets in all the ways that it declares, well
// and badly, and end.
func (t *T) secretive() {
	p := t.Open()
	ctx := t.ctx
	p.Users.Authenticate(ctx, account.Credentials{Username: p.Admin.Username, Password: NewPassword(), Listener: account.ClientListener})
	p.Users.Authenticate(ctx, account.Credentials{Username: "nobody", Password: NewPassword(), Listener: account.ClientListener})
	p.Users.CheckPassword(ctx, p.Admin, account.Password{Username: p.Admin.Username, Password: p.admin.Password})
	p.Users.CheckPassword(ctx, p.Admin, account.Password{Username: "nobody", Password: NewPassword()})
	if p.Declares(account.CapabilityChange) {
		p.Create("jeff", account.User)
		p.Users.Create(ctx, p.New(), account.Create{Username: "jeff", Password: NewPassword(), Role: account.User})
		p.Users.Create(ctx, p.New(), account.Create{Username: "a b", Password: NewPassword(), Role: account.User})
		p.Users.Password(ctx, p.New(), account.Password{Username: "jeff", Password: NewPassword()})
		p.Users.Password(ctx, p.New(), account.Password{Username: "nobody", Password: NewPassword()})
		p.Users.Edit(ctx, p.New(), account.Edit{Username: "jeff", Password: NewPassword()})
		p.Users.Edit(ctx, As(account.Caller{Username: "nobody", AccountID: "0"}), account.Edit{Username: "jeff", Password: NewPassword()})
	}
	if p.Declares(account.CapabilityExport) {
		page, _, err := p.Users.Export(ctx, p.Admin, "")
		if err == nil && p.Declares(account.CapabilityApply) && len(page) > 0 {
			p.Users.Apply(ctx, p.New(), account.Desired{Username: "mary", PasswordHash: page[0].PasswordHash})
			p.Users.Plan(ctx, p.Admin, account.Desired{Username: "a b", PasswordHash: page[0].PasswordHash})
			p.Users.Plan(ctx, p.Admin, account.Desired{Username: "mary", PasswordHash: append(account.Secret("$unknown"), page[0].PasswordHash...)})
		}
	}
	if p.Declares(account.CapabilityRecover) {
		p.Users.Recover(ctx, account.Recovery{Username: "nobody", Password: NewPassword(), RequestID: p.New().RequestID})
	}
	p.Shutdown()
}
