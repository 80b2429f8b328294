package gate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestList_Filter(t *testing.T) {
	f := set(t)
	root := f.root(t)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f.plugin.accounts = map[string]account.Account{
		"ann":  {Username: "ann", Role: account.Admin, Enabled: true, LastLoginAt: noon},
		"bob":  {Username: "bob", Role: account.User, Enabled: true, Grants: account.Grants{"prod": {account.Read}}},
		"eve":  {Username: "eve", Role: account.User, Grants: account.Grants{"prod": {account.Write}, "test": {account.Read}}, LastLoginAt: noon.Add(-time.Hour)},
		"jeff": {Username: "jeff", Role: account.User, Enabled: true, LastLoginAt: noon.Add(time.Hour)},
	}
	yes, no := true, false
	for name, c := range map[string]struct {
		filter gate.AccountFilter
		want   []string
	}{
		"All":             {gate.AccountFilter{}, []string{"ann", "bob", "eve", "jeff"}},
		"Role":            {gate.AccountFilter{Role: account.Admin}, []string{"ann"}},
		"Enabled":         {gate.AccountFilter{Enabled: &yes}, []string{"ann", "bob", "jeff"}},
		"Suspended":       {gate.AccountFilter{Enabled: &no}, []string{"eve"}},
		"Environment":     {gate.AccountFilter{Environment: "prod"}, []string{"bob", "eve"}},
		"LastLoginBefore": {gate.AccountFilter{LastLoginBefore: noon}, []string{"bob", "eve"}}, // not at noon itself; never is before
		"AddUp":           {gate.AccountFilter{Role: account.User, Environment: "prod", Enabled: &yes}, []string{"bob"}},
		"None":            {gate.AccountFilter{Environment: "billing"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			err := f.List(t.Context(), root, c.filter, func(page []account.Account, _ func(string) int) error {
				if len(page) == 0 {
					t.Error("an empty page is emitted")
				}
				for _, a := range page {
					names = append(names, a.Username)
				}
				return nil
			})
			if err != nil || !slices.Equal(names, c.want) {
				t.Errorf("listed %q, %v; want %q", names, err, c.want)
			}
		})
	}
	t.Run("ErrEnvironment", func(t *testing.T) {
		err := f.List(t.Context(), root, gate.AccountFilter{Environment: "two words"}, nil)
		wantKind(t, "no environment's name", err, account.KindInvalid, "")
	})
}
