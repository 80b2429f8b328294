package account_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestGrants(t *testing.T) {
	t.Run("AddUp", func(t *testing.T) {
		var g account.Grants
		both := g.With("e", account.Write).With("e", account.Read).With("e", account.Read)
		if diff := cmp.Diff(account.Grants{"e": {account.Read, account.Write}}, both); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if g != nil {
			t.Error("the original changed")
		}
	})
	t.Run("WriteImpliesRead", func(t *testing.T) {
		g := account.Grants{}.With("e", account.Write)
		if !g.Allows("e", account.Read) || !g.Allows("e", account.Write) || g.Holds("e", account.Read) {
			t.Errorf("%v", g)
		}
		if g.Allows("other", account.Read) || (account.Grants{"e": {account.Read}}).Allows("e", account.Write) {
			t.Error("a grant reaches too far")
		}
	})
	t.Run("Without", func(t *testing.T) {
		g := account.Grants{"e": {account.Read}, "f": {account.Write}}
		if diff := cmp.Diff(account.Grants{"f": {account.Write}}, g.Without("e")); diff != "" || len(g) != 2 {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestSnapshotAllows(t *testing.T) {
	admin := account.Snapshot{ID: "a", Role: account.Admin, Enabled: true}
	if !admin.Allows("anywhere", account.Write) {
		t.Error("an ADMIN holds every permission everywhere")
	}
	for _, s := range []account.Snapshot{
		{ID: "a", Role: account.Admin},
		{Role: account.Admin, Enabled: true}, // gone
		{ID: "a", Role: account.User, Enabled: true},
	} {
		if s.Allows("anywhere", account.Read) {
			t.Errorf("%+v allows", s)
		}
	}
}

func TestRequestID(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 123e6, time.UTC)
	a, b := account.NewRequestID(now), account.NewRequestID(now.Add(time.Millisecond))
	if !a.Time().Equal(now) || a.String() >= b.String() || a == account.NewRequestID(now) {
		t.Errorf("%v carries %v; the next is %v", a, a.Time(), b)
	}
	if first := account.FirstRequestID(now); first.String() > a.String() || !first.Time().Equal(now) {
		t.Errorf("%v sorts after %v", first, a)
	}
	for _, id := range []account.RequestID{a, account.FirstRequestID(now)} {
		if back, err := account.ParseRequestID(id.String()); err != nil || back != id {
			t.Errorf("%v came back as %v, %v", id, back, err)
		}
	}
	for _, bad := range []string{
		"", "x", strings.ToUpper(a.String()) + "0", "0190b3a0-0000-4000-8000-000000000000",
		"0190b3a0-0000-7000-0000-000000000000", "0190b3a0+0000-7000-8000-000000000000", strings.Repeat("g", 36),
	} {
		if _, err := account.ParseRequestID(bad); account.KindOf(err) != account.KindInvalid {
			t.Errorf("%q is taken for a request id", bad)
		}
	}
}

func TestSecret(t *testing.T) {
	r := account.Create{Username: "jeff", Password: account.Secret("hunter2")}
	j, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(r), fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", r), fmt.Sprintf("%x", r.Password),
		fmt.Sprintf("%s", r.Password), r.Password.String(), fmt.Sprint(&r), string(j),
	} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74") || strings.Contains(shown, "aHVudGVyMg") {
			t.Errorf("it shows: %s", shown)
		}
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range account.Kinds() {
		if seen[k.String()] {
			t.Errorf("two kinds are called %s", k)
		}
		seen[k.String()] = true
	}
	if len(seen) != 13 || account.Kind(99).String() != "internal" {
		t.Errorf("%d kinds; an unknown one is called %s", len(seen), account.Kind(99))
	}
	if k := account.KindOf(fmt.Errorf("wrapped: %w", account.NotFound("x"))); k != account.KindNotFound {
		t.Errorf("a wrapped error is of kind %v", k)
	}
}
