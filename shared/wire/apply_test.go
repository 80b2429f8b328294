package wire_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func (b *backend) Apply(_ context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	b.asked = question{in, d}
	return b.applied, b.err
}

func (b *backend) Plan(_ context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	b.asked = question{who, d}
	return b.applied, b.err
}

func (b *backend) Export(_ context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	b.asked = question{who, after}
	return b.page, "next", b.err
}

func (b *backend) Recover(_ context.Context, r account.Recovery) (account.Change, error) {
	return b.answer(account.Invocation{}, r)
}

var someCaller = account.Caller{Username: "admin", AccountID: "a1", Generation: 2, SessionID: "s1"}

func TestApply(t *testing.T) {
	in := account.Invocation{RequestID: account.NewRequestID(then), Host: "h1", Caller: someCaller}
	on, off := true, false
	before := someone
	before.Enabled, before.Grants = false, nil
	b := &backend{}
	c, _ := connect(t, b, hclog.NewNullLogger())
	for name, d := range map[string]account.Desired{
		"Nothing":       {Username: "u"},
		"Role":          {Username: "u", Role: account.Admin},
		"Enabled":       {Username: "u", Enabled: &on},
		"Suspended":     {Username: "u", Enabled: &off},
		"Grants":        {Username: "u", Grants: account.Grants{"a": {account.Read, account.Write}, "b": {account.Write}}},
		"NoGrants":      {Username: "u", Grants: account.Grants{}},
		"Password":      {Username: "u", Password: account.Secret("pä ss")},
		"EmptyPassword": {Username: "u", Password: account.Secret{}},
		"Hash":          {Username: "u", PasswordHash: account.Secret("$x$y"), CreatedAt: then, PasswordChangedAt: then.Add(1), LastLoginAt: then.Add(time.Hour)},
		"OnlyNew":       {Username: "u", OnlyNew: true},
		"EmptyHash":     {Username: "u", PasswordHash: account.Secret{}},
	} {
		for which, a := range map[string]account.Applied{
			"New":       {Change: account.Change{Changed: true, Account: someone, Revision: 42}, PasswordSet: true},
			"Changed":   {Change: account.Change{Changed: true, Account: someone, Revision: 42, Note: "n"}, Before: &before},
			"Unchanged": {Change: account.Change{Account: someone, Revision: 42}, Before: &someone},
			"Repeated":  {Change: account.Change{Changed: true, Account: someone, Revision: 42, Repeated: true}},
		} {
			t.Run(name+"/"+which, func(t *testing.T) {
				b.applied = a
				got, err := c.Apply(t.Context(), in, d)
				if diff := cmp.Diff(question{in, d}, b.asked); diff != "" || err != nil {
					t.Errorf("the question changed on its way (-sent +got):\n%s%v", diff, err)
				}
				if diff := cmp.Diff(a, got); diff != "" {
					t.Errorf("the answer changed on its way (-sent +got):\n%s", diff)
				}
				if got, err = c.Plan(t.Context(), someCaller, d); err != nil || !cmp.Equal(a, got) || !cmp.Equal(question{someCaller, d}, b.asked) {
					t.Errorf("a plan was asked %+v and answered %+v, %v", b.asked, got, err)
				}
			})
		}
	}
	t.Run("Refusal", func(t *testing.T) {
		b.err = account.Refused(account.ReasonSelfSuspend, "zoë", "no")
		defer func() { b.err = nil }()
		if _, err := c.Apply(t.Context(), in, account.Desired{Username: "zoë"}); account.ReasonOf(err) != account.ReasonSelfSuspend {
			t.Errorf("got %v", err)
		}
	})
}

// What no host of ours sends is refused, or taken in its normal form.
func TestApplyOfOthers(t *testing.T) {
	b := &backend{applied: account.Applied{Change: account.Change{Account: someone}, Before: &someone}}
	_, conn := connect(t, b, hclog.NewNullLogger())
	raw := usersv1.NewUsersClient(conn)
	grant := func(environment string, ps ...accountv1.Permission) *accountv1.Grant {
		return &accountv1.Grant{Environment: environment, Permissions: ps}
	}
	var many []*accountv1.Grant
	for i := range account.MaxEnvironments + 1 {
		many = append(many, grant(fmt.Sprint("e", i), accountv1.Permission_PERMISSION_READ))
	}
	for name, c := range map[string]struct {
		desired *usersv1.Desired
		field   string
		kind    account.Kind
	}{
		"ErrMissing":     {nil, "desired", account.KindInvalid},
		"ErrRole":        {&usersv1.Desired{Role: 17}, "role", account.KindInvalid},
		"ErrPermission":  {&usersv1.Desired{Grants: &usersv1.Grants{Grants: []*accountv1.Grant{grant("e", 17)}}}, "permission", account.KindInvalid},
		"ErrEnvironment": {&usersv1.Desired{Grants: &usersv1.Grants{Grants: []*accountv1.Grant{grant("a-b")}}}, "environment", account.KindInvalid},
		"ErrTooMany":     {&usersv1.Desired{Grants: &usersv1.Grants{Grants: many}}, "", account.KindRefused},
		"ErrTime":        {&usersv1.Desired{CreatedAt: &timestamppb.Timestamp{Nanos: -1}}, "created_at", account.KindInvalid},
		"ErrLateTime":    {&usersv1.Desired{LastLoginAt: &timestamppb.Timestamp{Seconds: 1 << 40}}, "last_login_at", account.KindInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			in := &usersv1.Invocation{RequestId: account.NewRequestID(then).String()}
			_, err := raw.Apply(t.Context(), &usersv1.ApplyRequest{Invocation: in, Desired: c.desired})
			_, planErr := raw.Plan(t.Context(), &usersv1.PlanRequest{Desired: c.desired})
			for _, err := range []error{wire.FromStatus(err), wire.FromStatus(planErr)} {
				if e, ok := err.(*account.Error); !ok || e.Kind != c.kind || e.Field != c.field {
					t.Errorf("got %#v", err)
				}
			}
		})
	}
	t.Run("ErrRequestID", func(t *testing.T) {
		_, err := raw.Apply(t.Context(), &usersv1.ApplyRequest{Desired: &usersv1.Desired{Username: "u"}})
		if account.KindOf(wire.FromStatus(err)) != account.KindInvalid {
			t.Errorf("got %v", err)
		}
	})
	t.Run("RepeatedGrants", func(t *testing.T) {
		read, write := accountv1.Permission_PERMISSION_READ, accountv1.Permission_PERMISSION_WRITE
		_, err := raw.Plan(t.Context(), &usersv1.PlanRequest{Desired: &usersv1.Desired{Grants: &usersv1.Grants{
			Grants: []*accountv1.Grant{grant("e", write, write), grant("e", read, write), grant("none")},
		}}})
		want := account.Desired{Grants: account.Grants{"e": {account.Read, account.Write}}}
		if diff := cmp.Diff(question{account.Caller{}, want}, b.asked); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func TestExport(t *testing.T) {
	other := someone
	other.Username, other.Role, other.Grants, other.LastLoginAt = "ann", account.Admin, nil, then
	b := &backend{page: []account.Exported{
		{Account: other, PasswordHash: account.Secret("$argon2id$…")}, {Account: someone, PasswordHash: account.Secret("$x$")},
	}}
	c, _ := connect(t, b, hclog.NewNullLogger())
	got, next, err := c.Export(t.Context(), someCaller, "after")
	if diff := cmp.Diff(b.page, got); diff != "" || next != "next" || err != nil {
		t.Errorf("%q, %v, (-sent +got):\n%s", next, err, diff)
	}
	if diff := cmp.Diff(question{someCaller, "after"}, b.asked); diff != "" {
		t.Errorf("the question changed on its way (-sent +got):\n%s", diff)
	}
	t.Run("ErrLongHash", func(t *testing.T) {
		b.page[0].PasswordHash = account.Secret(strings.Repeat("h", 1025))
		_, _, err := c.Export(t.Context(), someCaller, "")
		if account.KindOf(err) != account.KindInternal || strings.Contains(err.Error(), "hh") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrTooMany", func(t *testing.T) {
		b.page = make([]account.Exported, account.MaxBatch+1)
		if _, _, err := c.Export(t.Context(), someCaller, ""); account.KindOf(err) != account.KindInternal {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Refusal", func(t *testing.T) {
		b.err = account.Unsupported(account.CapabilityExport)
		if _, _, err := c.Export(t.Context(), someCaller, ""); account.KindOf(err) != account.KindUnsupported {
			t.Errorf("got %v", err)
		}
	})
}

func TestRecover(t *testing.T) {
	b := &backend{change: account.Change{Changed: true, Account: someone, Revision: 42}}
	c, conn := connect(t, b, hclog.NewNullLogger())
	r := account.Recovery{Username: "zoë", Password: account.Secret("x"), RequestID: account.NewRequestID(then), Host: "h1"}
	got, err := c.Recover(t.Context(), r)
	if diff := cmp.Diff(question{account.Invocation{}, r}, b.asked); diff != "" || err != nil || !cmp.Equal(b.change, got) {
		t.Errorf("%s got %+v, %v", diff, got, err)
	}
	_, err = usersv1.NewUsersClient(conn).Recover(t.Context(), &usersv1.RecoverRequest{Username: "u", RequestId: "x"})
	if account.KindOf(wire.FromStatus(err)) != account.KindInvalid {
		t.Errorf("got %v", err)
	}
}
