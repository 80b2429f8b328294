package users_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What is not told anew is not taken from the one before, whichever part of an
// entry it is, and even if the directory changes it in place.
func TestDirectoryStoreEntries(t *testing.T) {
	all := func() []users.Entry {
		return []users.Entry{{Username: "ｊeff", Enabled: true, Grants: account.Grants{"a": {account.Read}}, PasswordHash: account.Secret(adminHash)},
			{Username: "ana", Enabled: true, Grants: account.Grants{"a": {account.Read}}, PasswordHash: account.Secret(adminHash)}}
	}
	changes := map[string]func(*users.Entry){
		"Username":          func(e *users.Entry) { e.Username = "kim" },
		"Role":              func(e *users.Entry) { e.Role = account.Admin },
		"Enabled":           func(e *users.Entry) { e.Enabled = false },
		"Grants":            func(e *users.Entry) { e.Grants["a"][0] = account.Write },
		"PasswordHash":      func(e *users.Entry) { copy(e.PasswordHash, anotherHash) },
		"ID":                func(e *users.Entry) { e.ID = "17" },
		"CreatedAt":         func(e *users.Entry) { e.CreatedAt = past },
		"PasswordChangedAt": func(e *users.Entry) { e.PasswordChangedAt = past },
	}
	if n := reflect.TypeFor[users.Entry]().NumField(); n != len(changes) {
		t.Errorf("an entry has %d fields", n)
	}
	for field, change := range changes {
		for i := range all() {
			entries := all()
			d := (&people{}).is(entries...)
			s := readOnly(t, d)
			w, err := s.Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			d.is(entries...)
			if got := events(t, w); len(got) != 0 {
				t.Errorf("nothing came as %v", got)
			}
			change(&entries[i])
			d.is(entries...)
			if got := events(t, w); len(got) == 0 {
				t.Errorf("another %s of account %d goes by", field, i)
			}
		}
	}
}

// The bound is on what is checked again: a large directory is read in little more
// than the time that its author takes.
func TestDirectoryStoreReuse(t *testing.T) {
	const many = 1000
	var entries []users.Entry
	for i := range many {
		entries = append(entries, users.Entry{Username: fmt.Sprint("user", i), PasswordHash: account.Secret(adminHash), Grants: account.Grants{"a": {account.Read}}})
	}
	d := (&people{}).is(entries...)
	s := readOnly(t, d)
	namesIn(t, s, "")
	allocated := testing.AllocsPerRun(5, func() {
		entries[0].Enabled = !entries[0].Enabled
		d.is(entries...)
		if err := s.View(t.Context(), func(users.Reader) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	if allocated > 2*many { // checking one takes about forty
		t.Errorf("one change among %d accounts allocates %.0f times", many, allocated)
	}
}

// A name that nobody has, or nobody logs in as, costs what one of the accounts
// does: no login makes their hashes alike (rule 9).
func TestReadOnlyDecoys(t *testing.T) {
	expected := map[string]int{}
	var all []users.Entry
	for i := range 20 {
		hash := costing([]string{"m=7168,t=5", "m=65536,t=1"}[i%2])
		if i == 0 {
			hash = slices.Concat(hash[:len(hash)-4], account.Secret("AAAA"))
		}
		all = append(all, users.Entry{Username: fmt.Sprint("user", i), Enabled: true, PasswordHash: hash})
		expected[string(hash)]++
	}
	all = append(all, users.Entry{Username: "hashless", Enabled: true})
	d := (&people{}).is(all...)
	s, _, _ := directing(t, "file", d)
	hashing := s.SetCost(64, 1)
	decoy := func(name string) string {
		t.Helper()
		before := hashing.Matched.Load()
		if _, err := login(t, s, name, otherPassword); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("%s: %v", name, err)
		}
		if n := hashing.Matched.Load() - before; n != 1 {
			t.Errorf("%s: %d hashes were computed", name, n)
		}
		return hashing.Last()
	}
	names, costs, first := []string{"hashless", "two words"}, map[string]bool{}, map[string]string{}
	for i := range 30 {
		names = append(names, fmt.Sprint("nobody", i))
	}
	for _, name := range names {
		hash := decoy(name)
		if expected[hash] == 0 {
			t.Fatalf("%s costs what no account does: %q", name, hash)
		}
		costs[hash[:strings.Index(hash, ",p=")]] = true
		first[name] = hash
	}
	if len(costs) != 2 {
		t.Errorf("30 names have the costs %v of accounts", costs)
	}
	for _, name := range names {
		if again := decoy(name); again != first[name] {
			t.Errorf("%s cost %q, and now %q", name, first[name], again)
		}
	}
	if wide := decoy("ｈashless"); wide != first["hashless"] {
		t.Errorf("a name in another form costs %q, and not %q", wide, first["hashless"])
	}
	if own := decoy("user3"); own != string(all[3].PasswordHash) {
		t.Errorf("an account costs %q", own)
	}

	// An account that comes changes what a few names cost, if any.
	d.is(append(all, users.Entry{Username: "new", PasswordHash: costing("m=65536,t=1")})...)
	changed := 0
	for _, name := range names {
		if cost, _, _ := strings.Cut(decoy(name), ",p="); !strings.HasPrefix(first[name], cost) {
			changed++
		}
	}
	if changed > len(names)/2 {
		t.Errorf("%d names of %d cost something else after an account has come", changed, len(names))
	}

	// A password that is right for the decoy lets nobody in.
	d.is(staff()...)
	if _, err := login(t, s, "nobody", adminPassword); account.KindOf(err) != account.KindNotAuthenticated || hashing.Last() != adminHash {
		t.Errorf("somebody's password for nobody: %v, against %q", err, hashing.Last())
	}
	d.is(named("hashless")...)
	if hash := decoy("nobody"); !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,") {
		t.Errorf("without any hash to choose from it costs %q", hash)
	}
}
