package users_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cinchapi/concourse-users/shared/account"
)

// planned checks that a plan says what the apply then does, and that it writes
// nothing and makes no hash.
func planned(t *testing.T, h *harness, by string, d account.Desired) {
	t.Helper()
	before, made := h.contents(), h.hashing.Made.Load()
	p, planErr := h.Plan(t.Context(), h.caller(by), d)
	h.unchanged(before)
	if h.hashing.Made.Load() != made {
		t.Error("a plan made a hash")
	}
	a, err := h.Apply(t.Context(), h.as(by), d)
	if diff := cmp.Diff(err, planErr); diff != "" {
		t.Errorf("refused differently (-apply +plan):\n%s", diff)
	}
	ignored := []string{"PasswordChangedAt"}
	if p.Before == nil { // then there is no account yet to have an id
		ignored = append(ignored, "ID", "CreatedAt")
	}
	if d.PasswordHash != nil {
		ignored = ignored[1:]
	}
	same := cmp.Options{cmpopts.IgnoreFields(account.Account{}, ignored...), cmpopts.IgnoreFields(account.Change{}, "Revision")}
	if diff := cmp.Diff(a, p, same); diff != "" {
		t.Errorf("(-apply +plan):\n%s", diff)
	}
	if diff := cmp.Diff(a.Differences(), p.Differences()); diff != "" {
		t.Errorf("differences (-apply +plan):\n%s", diff)
	}
}

func TestPlan(t *testing.T) {
	hash := hashOf(t, otherPassword)
	many := account.Grants{}
	for i := range account.MaxEnvironments + 1 {
		many[strings.Repeat("e", 1+i%200)+strings.Repeat("f", i/200)] = []account.Permission{account.Read}
	}
	for name, d := range map[string]account.Desired{
		"New":              {Username: "new", Role: account.Admin, Password: account.Secret(newPassword), Grants: account.Grants{"e": {"read"}}},
		"NewSuspended":     {Username: "new", Enabled: &off, Password: account.Secret(newPassword)},
		"NewWithHash":      {Username: "ｎew", PasswordHash: hash, PasswordChangedAt: past, LastLoginAt: past.Add(time.Hour)},
		"Nothing":          {Username: "target"},
		"Same":             {Username: "target", Role: account.User, Enabled: &on, Password: account.Secret(newPassword), Grants: account.Grants{}},
		"Role":             {Username: "target", Role: account.Admin},
		"Suspension":       {Username: "target", Enabled: &off},
		"Grants":           {Username: "target", Grants: account.Grants{"e": {account.Write, "read"}}},
		"Password":         {Username: "target", Password: account.Secret(otherPassword)},
		"Hash":             {Username: "target", PasswordHash: hash, PasswordChangedAt: past},
		"Everything":       {Username: "target", Role: account.Admin, Enabled: &off, Password: account.Secret(otherPassword), Grants: account.Grants{"e": {"read"}}},
		"ErrName":          {Username: "two words"},
		"ErrNoPassword":    {Username: "new"},
		"ErrPolicy":        {Username: "target", Password: account.Secret("short")},
		"ErrPolicyOfNew":   {Username: "new", Password: account.Secret("short")},
		"ErrHash":          {Username: "target", PasswordHash: account.Secret("$x$")},
		"ErrBoth":          {Username: "target", PasswordHash: hash, Password: account.Secret(newPassword)},
		"ErrFuture":        {Username: "target", PasswordHash: hash, PasswordChangedAt: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"ErrRole":          {Username: "target", Role: "ROOT"},
		"ErrGrants":        {Username: "target", Grants: account.Grants{"a-b": nil}},
		"ErrTooMany":       {Username: "target", Grants: many},
		"ErrSelfSuspend":   {Username: "admin", Enabled: &off, Password: account.Secret("short")},
		"ErrLastAdmin":     {Username: "admin", Role: account.User, Password: account.Secret("short")},
		"ErrDemotesItself": {Username: "admin", Role: account.User, Password: account.Secret(newPassword)},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t)
			h.create("target", account.User)
			planned(t, h, "admin", d)
			if err, _, _ := strings.Cut(name, "Err"); err != "" { // it was carried out: planned again, nothing is left
				planned(t, h, "admin", d)
			}
		})
	}
	t.Run("WhileOthersChangeIt", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		views := 0
		h.store.set(func(s *hooked) {
			s.beforeView = func(ctx context.Context) error {
				if views++; views == 2 {
					h.must(h.Password(ctx, h.as("admin"), account.Password{Username: "target", Password: account.Secret(otherPassword)}))
				}
				return nil
			}
		})
		p, err := h.Plan(t.Context(), h.caller("admin"), account.Desired{Username: "target", Password: account.Secret(otherPassword)})
		h.store.set(func(s *hooked) { s.beforeView = nil })
		if err != nil || p.Changed || p.Before == nil || p.Before.Generation != 2 {
			t.Errorf("got %+v, %v, want the other's password found", p, err)
		}
	})
}
