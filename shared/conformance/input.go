package conformance

import (
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

var inputCases = []Case{
	{
		Name:     "input/bad-usernames-are-refused",
		Contract: `Account.username is in the PRECIS profile UsernameCasePreserved, of at most 255 bytes: other names are INVALID_ARGUMENT, with the field "username" (account.proto; users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			for _, bad := range badUsernames() {
				what := "the name " + bad.what
				_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: bad.name, Password: NewPassword(), Role: account.User})
				t.RefusedField(err, "username", "create %s", what)
				_, err = p.Users.Create(t.ctx, p.New(), account.Create{Username: bad.name, Password: NewPassword(), Role: account.User, IfNotExists: true})
				t.RefusedField(err, "username", "create if there is none %s", what)
				// Nobody has such a name: to say so will do as well.
				nobody := []account.Kind{account.KindInvalid, account.KindNotFound}
				_, err = p.Users.Grant(t.ctx, p.New(), account.Grant{Username: bad.name, Permission: account.Read, Environment: "e"})
				t.RefusedAs(err, nobody, "grant READ to %s", what)
				_, err = p.Users.Suspend(t.ctx, p.New(), bad.name)
				t.RefusedAs(err, nobody, "suspend %s", what)
				_, err = p.Users.Show(t.ctx, p.Admin, bad.name)
				t.RefusedAs(err, nobody, "show %s", what)
				if p.Declares(account.CapabilityApply) {
					_, err = p.Users.Apply(t.ctx, p.New(), account.Desired{Username: bad.name, Password: NewPassword()})
					t.RefusedField(err, "username", "apply %s", what)
				}
			}
			p.Untouched(before, "refusals")
			p.Create(strings.Repeat("n", account.MaxUsername), account.User)
		},
	},
	{
		Name:     "input/bad-environments-are-refused",
		Contract: `Grant.environment has ASCII letters, digits and '_' only, at most 255 bytes: others are INVALID_ARGUMENT, with the field "environment" (account.proto; users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			before := p.holdings()
			for what, name := range map[string]string{
				"that is empty": "", "with a space": "a b", "with a hyphen": "a-b", "with a letter that is not ASCII": "é", "with a slash": "a/b",
				"with a control character": "a\x00b", "of 256 bytes": strings.Repeat("e", account.MaxEnvironment+1), "of 1 MiB": strings.Repeat("e", 1<<20),
			} {
				_, err := p.Users.Grant(t.ctx, p.New(), account.Grant{Username: "jeff", Permission: account.Write, Environment: name})
				t.RefusedField(err, "environment", "grant WRITE in an environment %s", what)
				_, err = p.Users.Revoke(t.ctx, p.New(), account.Revoke{Username: "jeff", Environment: name})
				t.RefusedField(err, "environment", "revoke in an environment %s", what)
			}
			p.Untouched(before, "refusals")
			p.grant("jeff", strings.Repeat("e", account.MaxEnvironment), account.Read)
		},
	},
	{
		Name:     "input/bad-passwords-are-refused",
		Contract: `A password has at most 1024 bytes, and is not empty: others are INVALID_ARGUMENT, with the field "password" (users.proto, AuthenticateRequest and the list of statuses)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, kept := p.Create("jeff", account.User)
			before := p.holdings()
			for what, password := range map[string]account.Secret{
				"that is empty": {}, "of 1025 bytes": passwordOf(account.MaxPassword + 1), "of 1 MiB": passwordOf(1 << 20),
			} {
				_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: "ada", Password: password, Role: account.User})
				t.RefusedField(err, "password", "create an account with a password %s", what)
				_, err = p.Users.Password(t.ctx, p.New(), account.Password{Username: "jeff", Password: password})
				t.RefusedField(err, "password", "set a password %s", what)
				_, err = p.Users.Edit(t.ctx, p.New(), account.Edit{Username: "jeff", Password: password})
				t.RefusedField(err, "password", "edit to a password %s", what)
				_, err = p.login("jeff", password)
				t.RefusedAs(err, []account.Kind{account.KindNotAuthenticated, account.KindInvalid}, "log in with a password %s", what)
			}
			p.Untouched(before, "refusals")
			p.Login("jeff", kept)
		},
	},
	{
		Name:     "input/a-password-need-not-be-text",
		Contract: `AuthenticateRequest.password is bytes: those that are no UTF-8 are refused with INVALID_ARGUMENT where they are set, or are a password like any other (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, kept := p.Create("jeff", account.User)
			before := p.holdings()
			raw := append(account.Secret{0xff, 0xfe, 0x80}, NewPassword()...)
			_, err := p.login("jeff", raw)
			t.RefusedAs(err, []account.Kind{account.KindNotAuthenticated, account.KindInvalid}, "log in with bytes that are no UTF-8")
			c, err := p.Users.Password(t.ctx, p.New(), account.Password{Username: "jeff", Password: raw})
			if err != nil {
				t.RefusedField(err, "password", "set a password that is no UTF-8")
				p.Untouched(before, "a refusal")
				p.Login("jeff", kept)
				return
			}
			t.Came(c, true, "set a password that is no UTF-8")
			p.Login("jeff", raw)
			_, err = p.login("jeff", append(account.Secret{0xfe, 0xfe, 0x80}, raw[3:]...))
			t.Refused(err, account.KindNotAuthenticated, "", "log in with other bytes that are no UTF-8")
		},
	},
	{
		Name:     "input/unknown-roles-are-refused",
		Contract: `A receiver refuses a role that it does not know, with INVALID_ARGUMENT; it never becomes a right (account.proto, Role)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			before := p.holdings()
			for _, role := range []accountv1.Role{99, -1, accountv1.Role_ROLE_UNSPECIFIED} {
				_, err := p.Raw.Create(t.ctx, &usersv1.CreateRequest{Invocation: p.invocation(), Username: "ada", Password: NewPassword(), Role: role})
				t.RefusedField(wire.FromStatus(err), "role", "create an account of the role number %d", role)
				if role == accountv1.Role_ROLE_UNSPECIFIED {
					continue // which keeps the role
				}
				_, err = p.Raw.Edit(t.ctx, &usersv1.EditRequest{Invocation: p.invocation(), Username: "jeff", Role: role})
				t.RefusedField(wire.FromStatus(err), "role", "edit an account to the role number %d", role)
				_, err = p.Raw.Edit(t.ctx, &usersv1.EditRequest{Invocation: p.invocation(), Username: "jeff", Role: role, Password: NewPassword()})
				t.RefusedField(wire.FromStatus(err), "role", "edit an account to the role number %d and a password", role)
				if p.Declares(account.CapabilityApply) {
					_, err = p.Raw.Apply(t.ctx, &usersv1.ApplyRequest{Invocation: p.invocation(), Desired: &usersv1.Desired{Username: "jeff", Role: role}})
					t.RefusedField(wire.FromStatus(err), "role", "apply the role number %d", role)
				}
			}
			p.Untouched(before, "refusals")
		},
	},
	{
		Name:     "input/unknown-permissions-are-refused",
		Contract: `A receiver refuses a permission that it does not know, or that is unspecified, with INVALID_ARGUMENT; it never becomes a right (account.proto, Permission)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			p.Create("jeff", account.User)
			before := p.holdings()
			for _, permission := range []accountv1.Permission{99, -1, accountv1.Permission_PERMISSION_UNSPECIFIED} {
				_, err := p.Raw.Grant(t.ctx, &usersv1.GrantRequest{Invocation: p.invocation(), Username: "jeff", Permission: permission, Environment: "e"})
				t.RefusedField(wire.FromStatus(err), "permission", "grant the permission number %d", permission)
				if p.Declares(account.CapabilityApply) {
					grants := &usersv1.Grants{Grants: []*accountv1.Grant{{Environment: "e", Permissions: []accountv1.Permission{permission}}}}
					_, err = p.Raw.Apply(t.ctx, &usersv1.ApplyRequest{Invocation: p.invocation(), Desired: &usersv1.Desired{Username: "jeff", Grants: grants}})
					t.Refused(wire.FromStatus(err), account.KindInvalid, "", "apply the permission number %d", permission)
				}
			}
			p.Untouched(before, "refusals")
		},
	},
	{
		Name:     "input/unknown-fields-are-ignored",
		Contract: `A newer peer may send fields that an older one does not know: they are ignored, as protobuf has it (users.proto)`,
		run: func(t *T) {
			p := t.Open()
			show := &usersv1.ShowRequest{Caller: p.caller(), Username: p.admin.Username}
			list := &usersv1.ListRequest{Caller: p.caller()}
			for _, m := range []proto.Message{show, show.Caller, list} {
				newer(m)
			}
			shown, err := p.Raw.Show(t.ctx, show)
			t.OK(wire.FromStatus(err), "show with fields of a newer peer")
			if shown.GetAccount().GetUsername() != p.admin.Username {
				t.Errorf("shown is %q, want %q", account.Printable(shown.GetAccount().GetUsername()), p.admin.Username)
			}
			_, err = p.Raw.List(t.ctx, list)
			t.OK(wire.FromStatus(err), "list with fields of a newer peer")
			if !p.Declares(account.CapabilityChange) {
				return
			}
			create := &usersv1.CreateRequest{Invocation: p.invocation(), Username: "jeff", Password: NewPassword(), Role: accountv1.Role_ROLE_USER}
			for _, m := range []proto.Message{create, create.Invocation, create.Invocation.Caller} {
				newer(m)
			}
			_, err = p.Raw.Create(t.ctx, create)
			t.OK(wire.FromStatus(err), "create with fields of a newer peer")
			if a := p.Show("jeff"); a.Role != account.User || len(a.Grants) > 0 || !a.Enabled {
				t.Errorf("the account created with fields of a newer peer is %+v, want an enabled USER without grants", a)
			}
			p.Login("jeff", create.Password)
		},
	},
	{
		Name:     "input/bad-request-ids-are-refused",
		Contract: `Invocation.request_id is a version 7 UUID in its text form: another is INVALID_ARGUMENT, with the field "request_id" (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			good := p.invocation().RequestId
			for what, id := range map[string]string{
				"that is empty": "", "that is none": "x", "of version 4": good[:14] + "4" + good[15:], "that goes on": good + "0",
				"without hyphens": strings.ReplaceAll(good, "-", ""), "with letters that are no digits": strings.Repeat("g", 8) + good[8:], "of 1 MiB": strings.Repeat("0", 1<<20),
			} {
				in := p.invocation()
				in.RequestId = id
				_, err := p.Raw.Create(t.ctx, &usersv1.CreateRequest{Invocation: in, Username: "jeff", Password: NewPassword(), Role: accountv1.Role_ROLE_USER})
				t.RefusedField(wire.FromStatus(err), "request_id", "create under a request id %s", what)
			}
			p.Untouched(before, "refusals")
		},
	},
	{
		Name:     "input/no-caller-has-no-rights",
		Contract: `A caller that is absent or empty is no account: every call that takes one is refused, with UNAUTHENTICATED or as a bad argument (users.proto, Caller; rule 8)`,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			none := []account.Kind{account.KindNotAuthenticated, account.KindInvalid, account.KindNotPermitted}
			long := strings.Repeat("c", 1<<20)
			for what, who := range map[string]account.Caller{
				"an empty caller": {}, "a caller with a name only": {Username: p.Admin.Username}, "a caller with an id only": {AccountID: p.Admin.AccountID, Generation: p.Admin.Generation},
				"a caller of 1 MiB": {Username: long[:1<<19], AccountID: account.ID(long[:1<<19])},
			} {
				for _, c := range everyCall(who) {
					if c.checks && (c.capability == "" || p.Declares(c.capability)) {
						t.RefusedAs(c.call(t.ctx, p.Users), none, "%s by %s", c.method, what)
					}
				}
			}
			_, err := p.Raw.Show(t.ctx, &usersv1.ShowRequest{Username: p.admin.Username})
			t.RefusedAs(wire.FromStatus(err), none, "Show without a caller")
			_, err = p.Raw.List(t.ctx, &usersv1.ListRequest{})
			t.RefusedAs(wire.FromStatus(err), none, "List without a caller")
			if p.Declares(account.CapabilityChange) {
				_, err = p.Raw.Create(t.ctx, &usersv1.CreateRequest{Username: "jeff", Password: NewPassword(), Role: accountv1.Role_ROLE_USER})
				t.RefusedAs(wire.FromStatus(err), none, "Create without an invocation")
				in := p.invocation()
				in.Caller = nil
				_, err = p.Raw.Create(t.ctx, &usersv1.CreateRequest{Invocation: in, Username: "jeff", Password: NewPassword(), Role: accountv1.Role_ROLE_USER})
				t.RefusedAs(wire.FromStatus(err), none, "Create without a caller")
			}
			p.Untouched(before, "refusals")
		},
	},
	{
		Name:     "input/too-much-is-refused",
		Contract: `A batch of sessions has at most 1000 rows, a name at most 255 bytes: more is refused, or, of a page's after, answered as any name is (users.proto)`,
		run: func(t *T) {
			p := t.Open()
			_, err := p.Users.Sessions(t.ctx, p.Admin, p.rows(account.MaxBatch+1))
			t.RefusedAs(err, refusals, "show %d sessions", account.MaxBatch+1)
			for what, name := range map[string]string{"256 bytes": strings.Repeat("~", account.MaxUsername+1), "1 MiB": strings.Repeat("~", 1<<20)} {
				page, next, err := p.Users.List(t.ctx, p.Admin, name)
				if err != nil {
					t.RefusedAs(err, refusals, "list after a name of %s", what)
				} else if len(page) > 0 || next != "" {
					t.Errorf("after a name of %s that sorts after all others come %d accounts", what, len(page))
				}
				_, err = p.Users.Show(t.ctx, p.Admin, name)
				t.RefusedAs(err, refusals, "show a name of %s", what)
				_, err = p.Users.CheckPassword(t.ctx, p.Admin, account.Password{Username: name, Password: NewPassword()})
				t.RefusedAs(err, refusals, "check a password of a name of %s", what)
				_, err = p.login(name, NewPassword())
				t.RefusedAs(err, refusals, "log in with a name of %s", what)
			}
			t.Same(p.Show(p.admin.Username), t.authenticated(p), "the administrator after that")
		},
	},
	{
		Name:     "input/a-message-over-4-MiB-is-survived",
		Contract: `No message that a backend is sent is larger than 1 MiB: one of over 4 MiB is refused, with RESOURCE_EXHAUSTED or INVALID_ARGUMENT, and the process lives on (users.proto, service Users)`,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			large := grpc.MaxCallSendMsgSize(16 << 20)
			name := strings.Repeat("x", 4<<20)
			_, err := p.Raw.Show(t.ctx, &usersv1.ShowRequest{Caller: p.caller(), Username: name}, large)
			t.tooLarge(err, "Show")
			_, err = p.Raw.Authenticate(t.ctx, &usersv1.AuthenticateRequest{
				Username: p.admin.Username, Password: passwordOf(4 << 20), Listener: accountv1.Listener_LISTENER_CLIENT,
			}, large)
			t.tooLarge(err, "Authenticate")
			if p.Declares(account.CapabilityChange) {
				_, err = p.Raw.Create(t.ctx, &usersv1.CreateRequest{Invocation: p.invocation(), Username: "jeff", Password: passwordOf(4 << 20), Role: accountv1.Role_ROLE_USER}, large)
				t.tooLarge(err, "Create")
			}
			p.Untouched(before, "messages of over 4 MiB")
		},
	},
	{
		Name:     "input/names-that-are-no-UTF-8-are-survived",
		Contract: `A string of a message is UTF-8: a message with another is refused, and the process lives on (protobuf)`,
		run: func(t *T) {
			p := t.Open()
			before := p.holdings()
			show := &usersv1.ShowRequest{Caller: p.caller()}
			appendText(show, 2, "jeff\xff")
			_, err := p.Raw.Show(t.ctx, show)
			t.RefusedAs(wire.FromStatus(err), append(slices.Clone(refusals), account.KindInternal), "show a name that is no UTF-8")
			if p.Declares(account.CapabilityChange) {
				create := &usersv1.CreateRequest{Invocation: p.invocation(), Password: NewPassword(), Role: accountv1.Role_ROLE_USER}
				appendText(create, 2, "jeff\xff")
				_, err = p.Raw.Create(t.ctx, create)
				t.RefusedAs(wire.FromStatus(err), append(slices.Clone(refusals), account.KindInternal), "create a name that is no UTF-8")
			}
			p.Untouched(before, "names that are no UTF-8")
		},
	},
}

// badUsernames are those that no profile of usernames has. Which symbols a
// backend refuses beyond them is its reading of PRECIS. They are made when they
// are asked for: this package is part of every run of the command line.
func badUsernames() []struct{ what, name string } {
	return []struct{ what, name string }{
		{"that is empty", ""},
		{"of 256 bytes", strings.Repeat("n", account.MaxUsername+1)},
		{"of 1 MiB", strings.Repeat("n", 1<<20)},
		{"with a space", "jeff smith"},
		{"of a space", " "},
		{"with a no-break space", "jeff\u00a0smith"},
		{"with a line feed", "jeff\nsmith"},
		{"with a NUL", "jeff\x00"},
		{"with a control character of C1", "jeff\u0085"},
	}
}

// invocation is New as a message.
func (p *Plugin) invocation() *usersv1.Invocation {
	return &usersv1.Invocation{RequestId: p.New().RequestID.String(), Caller: p.caller(), Host: host}
}

// caller is Admin as a message.
func (p *Plugin) caller() *usersv1.Caller {
	return &usersv1.Caller{
		Username: p.Admin.Username, AccountId: string(p.Admin.AccountID), Generation: uint64(p.Admin.Generation), SessionId: p.Admin.SessionID,
	}
}

// tooLarge expects what gRPC says of a message that is too large, or what a
// backend that takes it says of its contents.
func (t *T) tooLarge(err error, method string) {
	if status.Code(err) != codes.ResourceExhausted {
		t.RefusedAs(wire.FromStatus(err), []account.Kind{account.KindInvalid, account.KindNotFound, account.KindNotAuthenticated}, "%s with a message of over 4 MiB", method)
	}
}

// newer adds to a message fields of numbers and types that this contract does
// not have.
func newer(m proto.Message) {
	raw := m.ProtoReflect().GetUnknown()
	raw = protowire.AppendVarint(protowire.AppendTag(raw, 1001, protowire.VarintType), 1)
	raw = protowire.AppendString(protowire.AppendTag(raw, 1002, protowire.BytesType), "of a newer peer")
	raw = protowire.AppendFixed64(protowire.AppendTag(raw, 1003, protowire.Fixed64Type), 1)
	m.ProtoReflect().SetUnknown(raw)
}

// appendText adds a string as it is, which the field's own type would refuse.
func appendText(m proto.Message, number protowire.Number, text string) {
	raw := m.ProtoReflect().GetUnknown()
	m.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(raw, number, protowire.BytesType), text))
}
