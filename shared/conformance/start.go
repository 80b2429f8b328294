package conformance

import (
	"errors"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var startCases = []Case{
	{
		Name:     "start/describes-itself",
		Contract: `ConfigureResponse: the backend says its name, its version, and the id of its store`,
		run: func(t *T) {
			p := t.Open()
			if p.About.Name == "" || p.About.Version == "" || p.About.StoreID == "" {
				t.Errorf("name %q, version %q, store id %q: none may be empty", p.About.Name, p.About.Version, p.About.StoreID)
			}
			if !p.Declares(account.CapabilityChange) && !p.About.Initialized {
				t.Errorf("initialized is false, although without \"change\" nobody could make the first administrator")
			}
		},
	},
	{
		Name:     "start/store-id-is-the-store's",
		Contract: `ConfigureResponse.store_id names the store's contents: two stores do not share one, and it changes only when they are restored or replaced (users.proto)`,
		Needs:    []string{account.CapabilityChange, account.CapabilityDurable},
		run: func(t *T) {
			p, other := t.Open(), t.Open()
			if p.About.StoreID == other.About.StoreID {
				t.Errorf("two new stores have the same store id, %q", p.About.StoreID)
			}
			again := p.Restart()
			if again.About.StoreID != p.About.StoreID {
				t.Errorf("after a restart the store id is %q, before it was %q", again.About.StoreID, p.About.StoreID)
			}
			if !again.About.Initialized {
				t.Errorf("after a restart initialized is false, although the first ADMIN was made")
			}
		},
	},
	{
		Name:     "start/refuses-an-unknown-setting",
		Contract: `ConfigureRequest.settings: an unknown key is INVALID_ARGUMENT, with the field "plugin.settings.<key>" (users.proto)`,
		run: func(t *T) {
			p := t.Launch(Launch{})
			settings := map[string]string{"no_such_setting": "1"}
			for k, v := range p.store.settings {
				settings[k] = v
			}
			_, err := p.Users.Configure(t.ctx, account.Configuration{Home: p.store.home, Settings: settings})
			t.RefusedField(err, "plugin.settings.no_such_setting", "configure with the setting no_such_setting")
		},
	},
	{
		Name:     "start/refuses-a-second-configure",
		Contract: `The host calls Configure first and once: a second call is refused, and costs the first one's store nothing (users.proto, service Users)`,
		run: func(t *T) {
			p := t.Open()
			elsewhere := t.newStore()
			_, err := p.Users.Configure(t.ctx, account.Configuration{Home: elsewhere.home, Settings: elsewhere.settings})
			t.RefusedAs(err, refusals, "configure a second time")
			t.Same(p.Show(p.admin.Username), t.authenticated(p), "show the administrator after a second configure")
		},
	},
	{
		Name:     "start/refuses-calls-before-configure",
		Contract: `The host calls Configure first: what comes before it is refused, such as with UNAVAILABLE, and the process lives on (users.proto, service Users)`,
		run: func(t *T) {
			p := t.Launch(Launch{})
			for _, c := range everyCall(account.Caller{Username: "administrator", AccountID: "none"}) {
				t.RefusedAs(c.call(t.ctx, p.Users), append(slices.Clone(refusals), account.KindUnavailable, account.KindInternal), "%s before Configure", c.method)
			}
			p.configure()
			p.begin()
		},
	},
	{
		Name:     "start/answers-unimplemented-to-what-is-not-declared",
		Contract: `ConfigureResponse.capabilities: what is not declared is answered with UNIMPLEMENTED, whose subject, if any, is the capability (users.proto)`,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			for _, c := range everyCall(p.Admin) {
				if c.capability == "" || p.Declares(c.capability) {
					continue
				}
				err := c.call(t.ctx, p.Users)
				if kind := account.KindOf(err); kind != account.KindUnsupported {
					t.Errorf("%s, which takes the capability %q, is answered with %s, want UNIMPLEMENTED", c.method, c.capability, describe(err))
				}
				if e, ok := errors.AsType[*account.Error](err); ok && e.Subject != "" && e.Subject != c.capability {
					t.Errorf("%s names the capability %q, want %q", c.method, account.Printable(e.Subject), c.capability)
				}
			}
			p.Untouched(before, "what is not declared")
		},
	},
	{
		Name:     "start/initialize-makes-the-first-admin",
		Contract: `Initialize makes the first ADMIN if the store has no marker (users.proto, Initialize)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Launch(Launch{})
			p.configure()
			if p.About.Initialized {
				t.Fatalf("a new store says that it is initialised")
			}
			first := firstAdministrator()
			t.initialized(p, first, true, "make the first administrator")
			login, err := p.login(first.Username, first.Password)
			t.OK(err, "log in as the first administrator")
			a := login.Account
			if a.Username != first.Username || a.Role != account.Admin || !a.Enabled || a.ID == "" || a.Generation == 0 || len(a.Grants) != 0 {
				t.Errorf("the first administrator is %+v; want an enabled ADMIN with an id, a generation above 0, and without grants", a)
			}
			p.Admin = Caller(a)
			if all := p.all(); len(all) != 1 {
				t.Errorf("the store begins with %d accounts, want 1", len(all))
			}
		},
	},
	{
		Name:     "start/initialize-changes-no-initialised-store",
		Contract: `Initialize changes nothing if the store has its marker, whatever it is asked (users.proto, Initialize)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			same, other := firstAdministrator(), firstAdministrator()
			same.Username, other.Username = p.admin.Username, "other"
			t.initialized(p, same, false, "initialise again, with another password")
			t.initialized(p, other, false, "initialise again, with another name")
			p.Untouched(before, "a second Initialize")
			p.Login(p.admin.Username, p.admin.Password)
			_, err := p.login(same.Username, same.Password)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with the password of the second Initialize")
		},
	},
	{
		Name:     "start/initialize-answers-a-repeat",
		Contract: `InitializeRequest.request_id: a repeat is answered from the record, so that it says changed as the first did (users.proto; rule 2)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Launch(Launch{})
			p.configure()
			first := firstAdministrator()
			t.initialized(p, first, true, "make the first administrator")
			p.admin = account.Credentials{Username: first.Username, Password: first.Password}
			p.Admin = p.Login(first.Username, first.Password)
			before := p.holdings()
			t.initialized(p, first, true, "repeat it")
			p.Untouched(before, "a repeated Initialize")
		},
	},
	{
		Name:     "start/initialize-refuses-empty-names-and-passwords",
		Contract: `Initialize refuses a bad argument with INVALID_ARGUMENT, and the store stays without an ADMIN and a marker (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Launch(Launch{})
			p.configure()
			nameless, open, long := firstAdministrator(), firstAdministrator(), firstAdministrator()
			nameless.Username, open.Password, long.Password = "", nil, passwordOf(account.MaxPassword+1)
			_, err := p.Users.Initialize(t.ctx, nameless)
			t.RefusedField(err, "username", "initialise with an empty name")
			_, err = p.Users.Initialize(t.ctx, open)
			t.RefusedField(err, "password", "initialise with an empty password")
			_, err = p.Users.Initialize(t.ctx, long)
			t.RefusedField(err, "password", "initialise with a password of %d bytes", len(long.Password))
			t.initialized(p, firstAdministrator(), true, "initialise after that")
		},
	},
	{
		Name:     "start/initialize-takes-a-short-password",
		Contract: `The minimum password length does not apply to Initialize (users.proto, Initialize)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Launch(Launch{})
			p.configure()
			first := firstAdministrator()
			first.Password = first.Password[len(first.Password)-3:]
			t.initialized(p, first, true, "initialise with a password of 3 characters")
			p.Login(first.Username, first.Password)
		},
	},
}

func firstAdministrator() account.FirstAdministrator {
	return account.FirstAdministrator{
		Username: "administrator", Password: NewPassword(), RequestID: account.NewRequestID(time.Now()), Host: host,
	}
}

// initialized initialises and notes whether that changed anything.
func (t *T) initialized(p *Plugin, first account.FirstAdministrator, changed bool, what string) {
	done, err := p.Users.Initialize(t.ctx, first)
	t.OK(err, "%s", what)
	if done.Changed != changed {
		t.Errorf("%s: changed is %t, want %t", what, done.Changed, changed)
	}
}

// authenticated returns what a login of the administrator reads.
func (t *T) authenticated(p *Plugin) account.Account {
	login, err := p.login(p.admin.Username, p.admin.Password)
	t.OK(err, "log in as %s", p.admin.Username)
	return login.Account
}
