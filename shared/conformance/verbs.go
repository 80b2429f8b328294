package conformance

import "github.com/cinchapi/concourse-users/shared/account"

// The mutations by the administrator, for cases whose business is something
// else: what is refused ends the case.

func (p *Plugin) edit(r account.Edit) account.Change {
	c, err := p.Users.Edit(p.t.ctx, p.New(), r)
	p.t.OK(err, "edit %s", r.Username)
	return c
}

func (p *Plugin) password(username string, password account.Secret) account.Change {
	c, err := p.Users.Password(p.t.ctx, p.New(), account.Password{Username: username, Password: password})
	p.t.OK(err, "set the password of %s", username)
	return c
}

func (p *Plugin) delete(username string) account.Change {
	c, err := p.Users.Delete(p.t.ctx, p.New(), account.Delete{Username: username})
	p.t.OK(err, "delete %s", username)
	return c
}

func (p *Plugin) grant(username, environment string, permission account.Permission) account.Change {
	c, err := p.Users.Grant(p.t.ctx, p.New(), account.Grant{Username: username, Permission: permission, Environment: environment})
	p.t.OK(err, "grant %s in %s to %s", permission, environment, username)
	return c
}

func (p *Plugin) revoke(username, environment string) account.Change {
	c, err := p.Users.Revoke(p.t.ctx, p.New(), account.Revoke{Username: username, Environment: environment})
	p.t.OK(err, "revoke what %s holds in %s", username, environment)
	return c
}

func (p *Plugin) suspend(username string) account.Change {
	c, err := p.Users.Suspend(p.t.ctx, p.New(), username)
	p.t.OK(err, "suspend %s", username)
	return c
}

func (p *Plugin) enable(username string) account.Change {
	c, err := p.Users.Enable(p.t.ctx, p.New(), username)
	p.t.OK(err, "enable %s", username)
	return c
}

func (p *Plugin) apply(d account.Desired) account.Applied {
	a, err := p.Users.Apply(p.t.ctx, p.New(), d)
	p.t.OK(err, "apply %s", d.Username)
	return a
}

// login tries to log in, through the clients' listener.
func (p *Plugin) login(username string, password account.Secret) (account.Login, error) {
	return p.Users.Authenticate(p.t.ctx, account.Credentials{Username: username, Password: password, Listener: account.ClientListener})
}
