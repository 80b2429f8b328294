package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
)

// sorted are names in byte order, which is not that of any alphabet.
var sorted = []string{
	"!", "0", "A", "B", "Z", "a", "a!", "a/b", "aa", "ab", "b", "ba", "b" + strings.Repeat("x", users.MaxName-1), "~", "é", "日本", "\U0001F511",
}

// fill puts the sorted names in another order, and neighbours into the spaces
// beside.
func fill(t *testing.T, s users.Store) {
	t.Helper()
	update(t, s, func(tx users.Tx) error {
		for i := range sorted {
			name := sorted[(i*7+3)%len(sorted)]
			if err := tx.Put(key(name), []byte("value of "+name)); err != nil {
				return err
			}
		}
		for _, space := range []users.Space{users.Meta, users.Requests, users.SignIns} {
			if err := tx.Put(users.Key{Space: space, Name: "aaa"}, []byte("of another space")); err != nil {
				return err
			}
		}
		return nil
	})
}

func scan(t *testing.T, s users.Store, after string) (names []string) {
	t.Helper()
	view(t, s, func(r users.Reader) error {
		return r.Scan(users.Accounts, after, func(name string, value []byte) error {
			names = append(names, name)
			if string(value) != "value of "+name {
				t.Errorf("%q came with %q", name, value)
			}
			return nil
		})
	})
	return names
}

var scanCases = []testCase{
	{"Empty", func(t *testing.T, s users.Store) {
		if got := scan(t, s, ""); got != nil {
			t.Errorf("an empty space has %q", got)
		}
	}},
	{"InByteOrder", func(t *testing.T, s users.Store) {
		if !slices.IsSorted(sorted) {
			t.Fatal("the names of this case are not sorted")
		}
		fill(t, s)
		if diff := cmp.Diff(sorted, scan(t, s, "")); diff != "" {
			t.Error(diff)
		}
	}},
	{"AfterAName", func(t *testing.T, s users.Store) {
		fill(t, s)
		for i, name := range sorted {
			if diff := cmp.Diff(append([]string(nil), sorted[i+1:]...), scan(t, s, name)); diff != "" {
				t.Errorf("after %q: %s", name, diff)
			}
		}
	}},
	{"AfterAnAbsentName", func(t *testing.T, s users.Store) {
		fill(t, s)
		remove(t, s, key("ab"))
		rest := sorted[slices.Index(sorted, "b"):]
		for _, absent := range []string{"ab", "aaa", "az"} {
			if diff := cmp.Diff(rest, scan(t, s, absent)); diff != "" {
				t.Errorf("after %q: %s", absent, diff)
			}
		}
	}},
	{"ErrStop", func(t *testing.T, s users.Store) {
		fill(t, s)
		calls := 0
		view(t, s, func(r users.Reader) error {
			return r.Scan(users.Accounts, "", func(string, []byte) error {
				if calls++; calls == 3 {
					return users.ErrStop
				}
				return nil
			})
		})
		if calls != 3 {
			t.Errorf("the function was called %d times, want 3", calls)
		}
	}},
	{"ErrorComesBack", func(t *testing.T, s users.Store) {
		fill(t, s)
		err := s.View(t.Context(), func(r users.Reader) error {
			return r.Scan(users.Accounts, "", func(string, []byte) error { return errOwn })
		})
		if !errors.Is(err, errOwn) {
			t.Errorf("Scan returned %v, want the function's error", err)
		}
	}},
	{"InAnUpdate", func(t *testing.T, s users.Store) {
		fill(t, s)
		update(t, s, func(tx users.Tx) error {
			var names []string
			err := tx.Scan(users.Accounts, "", func(name string, _ []byte) error {
				names = append(names, name)
				return nil
			})
			if diff := cmp.Diff(sorted, names); diff != "" {
				t.Error(diff)
			}
			return err
		})
	}},
	{"Many", func(t *testing.T, s users.Store) {
		const n = 3000
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("name%06d", i))
		}
		for some := range slices.Chunk(names, 100) {
			update(t, s, func(tx users.Tx) error {
				for _, name := range some {
					if err := tx.Put(key(name), []byte("value of "+name)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if diff := cmp.Diff(names, scan(t, s, "")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(names[n-10:], scan(t, s, names[n-11])); diff != "" {
			t.Error(diff)
		}
	}},
}
