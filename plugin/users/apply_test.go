package users_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

// apply applies by the admin.
func (h *harness) apply(d account.Desired) account.Applied {
	h.t.Helper()
	a, err := h.Apply(h.t.Context(), h.as("admin"), d)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

var (
	on, off = true, false
	past    = time.Date(2020, 2, 29, 12, 0, 0, 123456789, time.UTC)
)

func TestApply(t *testing.T) {
	t.Run("ErrAlreadyExists", func(t *testing.T) {
		h := start(t)
		h.apply(account.Desired{Username: "jeff", Password: account.Secret(newPassword), OnlyNew: true})
		d := account.Desired{Username: "jeff", Role: account.Admin, OnlyNew: true}
		if _, err := h.Apply(t.Context(), h.as("admin"), d); account.KindOf(err) != account.KindAlreadyExists {
			t.Errorf("Apply: %v", err)
		}
		if _, err := h.Plan(t.Context(), h.as("admin").Caller, d); account.KindOf(err) != account.KindAlreadyExists {
			t.Errorf("Plan: %v", err)
		}
		if is := h.kept("jeff"); is.Role != account.User || is.Generation != 1 {
			t.Errorf("jeff is %+v", is)
		}
	})
	t.Run("ANewAccount", func(t *testing.T) {
		h := start(t)
		got := h.apply(account.Desired{Username: "ｊeff", Password: account.Secret(newPassword)})
		want := account.Applied{PasswordSet: true, Change: account.Change{Changed: true, Revision: got.Revision, Account: account.Account{
			ID: h.kept("jeff").ID, Generation: 1, Username: "jeff", Role: account.User, Enabled: true,
			CreatedAt: got.Account.CreatedAt, PasswordChangedAt: got.Account.CreatedAt,
		}}}
		if diff := cmp.Diff(want, got); diff != "" || time.Since(got.Account.CreatedAt) > time.Minute {
			t.Error(diff, got.Account.CreatedAt)
		}
		if _, err := h.login("jeff", newPassword); err != nil {
			t.Error(err)
		}
		if !got.EndsSessions() {
			t.Error("what held the name before may keep its sessions")
		}
	})
	t.Run("ANewAccountInAllParts", func(t *testing.T) {
		h := start(t)
		got := h.apply(account.Desired{Username: "jeff", Role: "admin", Enabled: &off, Password: account.Secret(newPassword),
			Grants: account.Grants{"prod": {account.Write, account.Read}}})
		a := got.Account
		if a.Role != account.Admin || a.Enabled || a.Generation != 1 || !cmp.Equal(a.Grants, account.Grants{"prod": {account.Read, account.Write}}) {
			t.Errorf("got %+v", a)
		}
		h.checkAdmins()
		h.apply(account.Desired{Username: "jeff", Enabled: &on})
		h.checkAdmins()
	})
	t.Run("ANewAccount/ErrNoPassword", func(t *testing.T) {
		h := start(t)
		before := h.contents()
		_, err := h.Apply(t.Context(), h.as("admin"), account.Desired{Username: "jeff", Role: account.User})
		invalid(t, err, "password", "")
		h.unchanged(before)
	})
	t.Run("EveryPart", func(t *testing.T) {
		h := start(t)
		before := h.create("target", account.User)
		h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Read, Environment: "old"}))
		before.Grants = account.Grants{"old": {account.Read}}
		got := h.apply(account.Desired{Username: "target", Role: account.Admin, Enabled: &off, Password: account.Secret(otherPassword),
			Grants: account.Grants{"new": {account.Write}}})
		want := account.Account{
			ID: before.ID, Generation: before.Generation + 3, Username: "target", Role: account.Admin,
			Grants: account.Grants{"new": {account.Write}}, CreatedAt: before.CreatedAt, PasswordChangedAt: got.Account.PasswordChangedAt,
		}
		if diff := cmp.Diff(want, got.Account); diff != "" || !got.Changed || !got.PasswordSet || !want.PasswordChangedAt.After(before.PasswordChangedAt) {
			t.Error(diff, got)
		}
		if diff := cmp.Diff(&before, got.Before); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}
		if shown, err := h.Show(t.Context(), h.caller("admin"), "target"); err != nil || !cmp.Equal(shown, got.Account) {
			t.Errorf("stored: %+v, %v", shown, err)
		}
	})
	t.Run("OnlyWhatIsSaid", func(t *testing.T) {
		for name, c := range map[string]struct {
			d      account.Desired
			raised account.Generation
			ends   bool
			change func(*account.Account)
		}{
			"Role":    {account.Desired{Role: account.Admin}, 1, true, func(a *account.Account) { a.Role = account.Admin }},
			"Enabled": {account.Desired{Enabled: &off}, 1, true, func(a *account.Account) { a.Enabled = false }},
			"Grants": {account.Desired{Grants: account.Grants{"e": {account.Write}}}, 0, false,
				func(a *account.Account) { a.Grants = account.Grants{"e": {account.Write}} }},
			"NoGrants": {account.Desired{Grants: account.Grants{}}, 0, false, func(a *account.Account) { a.Grants = nil }},
			"Nothing":  {account.Desired{}, 0, false, nil},
			"Same": {account.Desired{Role: account.User, Enabled: &on, Password: account.Secret(newPassword),
				Grants: account.Grants{"default": {account.Read}}}, 0, false, nil},
		} {
			t.Run(name, func(t *testing.T) {
				h := start(t)
				want := h.create("target", account.User)
				want = h.must(h.Grant(t.Context(), h.as("admin"), account.Grant{Username: "target", Permission: account.Read, Environment: "default"})).Account
				before, hash := h.contents(), h.kept("target").Hash
				c.d.Username = "target"
				in := h.as("admin")
				got, err := h.Apply(t.Context(), in, c.d)
				if err != nil {
					t.Fatal(err)
				}
				if c.change != nil {
					c.change(&want)
				}
				want.Generation += c.raised
				if diff := cmp.Diff(want, got.Account); diff != "" || got.Changed != (c.change != nil) || got.PasswordSet || got.EndsSessions() != c.ends {
					t.Errorf("%s changed %v, ends sessions %v", diff, got.Changed, got.EndsSessions())
				}
				if now := h.kept("target"); now.Hash != hash || now.Generation != want.Generation {
					t.Errorf("the store has %+v", now)
				}
				if c.change != nil {
					return
				}
				// What changes nothing is recorded like any other, and repeated so.
				if _, ok := before["requests/"+in.RequestID.String()]; ok || !strings.Contains(h.contents()["requests/"+in.RequestID.String()], `"changed":false`) {
					t.Errorf("the record is %q", h.contents()["requests/"+in.RequestID.String()])
				}
				if again, err := h.Apply(t.Context(), in, c.d); err != nil || !again.Repeated || again.Changed || again.EndsSessions() {
					t.Errorf("its repeat: %+v, %v", again, err)
				}
				before["requests/"+in.RequestID.String()] = h.contents()["requests/"+in.RequestID.String()]
				h.unchanged(before)
			})
		}
	})
	t.Run("GrantsInNormalForm", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		for _, c := range []struct {
			given   account.Grants
			want    account.Grants
			changed bool
		}{
			{account.Grants{"e": {"write", "READ", "write", "Read"}, "none": {}}, account.Grants{"e": {account.Read, account.Write}}, true},
			{account.Grants{"e": {account.Write, account.Read}}, account.Grants{"e": {account.Read, account.Write}}, false},
			{account.Grants{"f": nil, "e": {"read", "write"}}, account.Grants{"e": {account.Read, account.Write}}, false},
			{nil, account.Grants{"e": {account.Read, account.Write}}, false},
			{account.Grants{"e": {}}, nil, true},
			{account.Grants{}, nil, false},
		} {
			got := h.apply(account.Desired{Username: "target", Grants: c.given})
			if diff := cmp.Diff(c.want, got.Account.Grants); diff != "" || got.Changed != c.changed {
				t.Errorf("%v changed: %v, want %v; %s", c.given, got.Changed, c.changed, diff)
			}
		}
	})
	t.Run("ErrInvalid", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		hash := hashOf(t, newPassword)
		before, made := h.contents(), h.hashing.Made.Load()
		for field, d := range map[string]account.Desired{
			"username":            {Username: "two words"},
			"role":                {Username: "target", Role: "ROOT"},
			"environment":         {Username: "target", Grants: account.Grants{"a-b": {account.Read}}},
			"permission":          {Username: "target", Grants: account.Grants{"e": {"EXECUTE"}}},
			"password":            {Username: "target", Password: account.Secret(newPassword), PasswordHash: hash},
			"password_hash":       {Username: "target", PasswordHash: account.Secret{}},
			"created_at":          {Username: "target", PasswordHash: hash, CreatedAt: time.Now().Add(time.Hour)},
			"password_changed_at": {Username: "target", PasswordHash: hash, PasswordChangedAt: time.Now().Add(time.Hour)},
			"last_login_at":       {Username: "new", PasswordHash: hash, LastLoginAt: time.Now().Add(time.Hour)},
		} {
			_, err := h.Apply(t.Context(), h.as("admin"), d)
			invalid(t, err, field, "")
		}
		h.unchanged(before)
		if h.hashing.Made.Load() != made {
			t.Error("a password was hashed")
		}
	})
	t.Run("ErrTooManyGrants", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		grants := account.Grants{"none": {}} // does not count
		for i := range account.MaxEnvironments {
			grants[fmt.Sprint("e", i)] = []account.Permission{account.Read}
		}
		if got := h.apply(account.Desired{Username: "target", Grants: grants}); len(got.Account.Grants) != account.MaxEnvironments {
			t.Errorf("%d of %d were granted", len(got.Account.Grants), account.MaxEnvironments)
		}
		before := h.contents()
		grants["more"] = []account.Permission{account.Read}
		_, err := h.Apply(t.Context(), h.as("admin"), account.Desired{Username: "target", Grants: grants})
		refusal(t, err, account.KindRefused, account.ReasonTooManyGrants)
		h.unchanged(before)
	})
	t.Run("ErrSelfSuspend", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		before, made := h.contents(), h.hashing.Made.Load()
		for _, d := range []account.Desired{
			{Username: "admin", Enabled: &off},
			{Username: "ａdmin", Enabled: &off, Role: account.User, Password: account.Secret(newPassword)},
		} {
			_, err := h.Apply(t.Context(), h.as("admin"), d)
			refusal(t, err, account.KindRefused, account.ReasonSelfSuspend)
		}
		h.unchanged(before)
		if h.hashing.Made.Load() != made {
			t.Error("a password was hashed for a change that could be refused before")
		}
	})
	t.Run("OfItsOwnAccount", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		in := h.as("second")
		demotion := account.Desired{Username: "second", Role: account.User, Enabled: &on}
		first, err := h.Apply(t.Context(), in, demotion)
		if err != nil || !first.Changed || !first.EndsSessions() {
			t.Fatalf("got %+v, %v", first, err)
		}
		got, err := h.Apply(t.Context(), in, demotion)
		if err != nil || !got.Repeated || !got.Changed || got.Before != nil || !got.EndsSessions() || got.Account.Generation != first.Account.Generation {
			t.Errorf("the repeat: %+v, %v", got, err)
		}
		in.RequestID = account.NewRequestID(time.Now())
		_, err = h.Apply(t.Context(), in, demotion)
		refusal(t, err, account.KindNotAuthenticated, "")
	})
	t.Run("Runs", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		h.store.set(func(s *hooked) { s.rerun = true })
		got := h.apply(account.Desired{Username: "target", Role: account.Admin, Password: account.Secret(otherPassword)})
		if got.Before == nil || got.Before.Role != account.User || got.Account.Role != account.Admin || got.Account.Generation != 3 {
			t.Errorf("got %+v before, %+v after", got.Before, got.Account)
		}
	})
}
