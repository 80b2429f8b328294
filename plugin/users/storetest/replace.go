package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/users"
)

// RunReplacer tests the contract of users.Replacer, each case on a store of its
// own. open returns an empty store, and a function that closes it and opens what
// it then holds; it sees to it that what is open is closed when t ends.
func RunReplacer(t *testing.T, open func(t *testing.T) (s users.Store, reopen func() users.Store)) {
	for _, c := range replaceCases {
		t.Run("Replace/"+c.name, func(t *testing.T) {
			s, reopen := open(t)
			r, ok := s.(users.Replacer)
			if !ok {
				t.Fatalf("%T is no Replacer", s)
			}
			c.run(t, replacing{s, r, reopen})
		})
	}
}

// replacing is a store on which a case is run.
type replacing struct {
	users.Store
	users.Replacer
	reopen func() users.Store
}

// putter is what a fill is given.
type putter = func(users.Key, []byte) error

// replace fails the test if it fails.
func (s replacing) replace(t *testing.T, fill func(putter) error) users.Store {
	t.Helper()
	if err := s.Replace(t.Context(), fill); err != nil {
		t.Fatalf("Replace: %v", err)
	}
	return s.reopen()
}

// filling puts what is given, in order.
func filling(contents ...string) func(putter) error {
	return func(put putter) error {
		for _, pair := range contents {
			space, rest, _ := strings.Cut(pair, "/")
			name, value, _ := strings.Cut(rest, "=")
			if err := put(users.Key{Space: users.Space(space), Name: name}, []byte(value)); err != nil {
				return err
			}
		}
		return nil
	}
}

// holds checks everything that a store holds.
func holds(t *testing.T, s users.Store, contents ...string) {
	t.Helper()
	var got []string
	view(t, s, func(r users.Reader) error {
		for _, space := range users.Spaces() {
			if err := r.Scan(space, "", func(name string, value []byte) error {
				got = append(got, fmt.Sprintf("%s/%s=%s", space, name, value))
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if diff := cmp.Diff(contents, got); diff != "" {
		t.Error(diff)
	}
}

var (
	oldContents = []string{"meta/both=old", "meta/old=1", "accounts/a=old", "accounts/b=old", "requests/r=old", "signins/s=old"}
	newContents = []string{"meta/both=new", "accounts/b=new", "accounts/c=new", "requests/q=new"}
)

var replaceCases = []struct {
	name string
	run  func(t *testing.T, s replacing)
}{
	{"Everything", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		holds(t, s.replace(t, filling(newContents...)), newContents...)
	}},
	{"AnEmptyStore", func(t *testing.T, s replacing) {
		holds(t, s.replace(t, filling(newContents...)), newContents...)
	}},
	{"WithNothing", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		holds(t, s.replace(t, filling()))
	}},
	{"StaysOnError", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		calls := 0
		err := s.Replace(t.Context(), func(put putter) error {
			calls++
			return errors.Join(filling(newContents...)(put), errOwn)
		})
		if !errors.Is(err, errOwn) || calls != 1 {
			t.Errorf("Replace returned %v after %d calls, want the function's error after one", err, calls)
		}
		holds(t, s.reopen(), oldContents...)
	}},
	{"StaysOnALateError", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		big := bytes.Repeat([]byte("x"), 64<<10)
		err := s.Replace(t.Context(), func(put putter) error {
			for i := range 500 { // much more than is kept in memory
				if err := put(key(fmt.Sprintf("%04d", i)), big); err != nil {
					return err
				}
			}
			return errOwn
		})
		if !errors.Is(err, errOwn) {
			t.Errorf("Replace returned %v, want the function's error", err)
		}
		holds(t, s.reopen(), oldContents...)
	}},
	{"StaysOnABadKey", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		err := s.Replace(t.Context(), func(put putter) error {
			for _, bad := range []users.Key{
				key(""), key(strings.Repeat("n", users.MaxName+1)), {Space: "unheard of", Name: "n"}, {Name: "n"},
			} {
				if put(bad, []byte("x")) == nil {
					t.Errorf("%q/%q was put", bad.Space, bad.Name)
				}
			}
			return put(users.Key{Space: "unheard of", Name: "n"}, []byte("x"))
		})
		if err == nil {
			t.Error("a Replace with a key that no store may hold succeeded")
		}
		holds(t, s.reopen(), oldContents...)
	}},
	{"StaysWhenTimeEnds", func(t *testing.T, s replacing) {
		update(t, s, func(tx users.Tx) error { return filling(oldContents...)(tx.Put) })
		ctx, cancel := context.WithCancel(t.Context())
		if err := s.Replace(ctx, func(put putter) error {
			cancel()
			return filling(newContents...)(put)
		}); err == nil {
			t.Error("a Replace whose context ended succeeded")
		}
		holds(t, s.reopen(), oldContents...)
	}},
	{"RevisionsGoOn", func(t *testing.T, s replacing) {
		before := put(t, s, key("a"), "old")
		again := s.replace(t, filling(newContents...))
		after := revision(t, again)
		if after < before {
			t.Errorf("revision %d became %d", before, after)
		}
		if next := put(t, again, key("a"), "newer"); next <= after || next <= before {
			t.Errorf("the next Update is at revision %d, after %d and %d", next, before, after)
		}
		want(t, again, key("a"), "newer")
	}},
	{"Many", func(t *testing.T, s replacing) {
		expected := map[string]string{}
		again := s.replace(t, func(put putter) error {
			value := make([]byte, 1<<10)
			for i := range 20000 {
				copy(value, fmt.Sprintf("%08d", i)) // put keeps its own copy
				name := fmt.Sprintf("name%08d", i)
				if err := put(key(name), value); err != nil {
					return err
				}
				expected[name] = string(value[:8])
			}
			return nil
		})
		got := map[string]string{}
		view(t, again, func(r users.Reader) error {
			return r.Scan(users.Accounts, "", func(name string, value []byte) error {
				got[name] = string(value[:8])
				return nil
			})
		})
		if !maps.Equal(expected, got) {
			t.Errorf("it holds %d names, want %d", len(got), len(expected))
		}
	}},
	{"KeepsItsOwnCopy", func(t *testing.T, s replacing) {
		again := s.replace(t, func(put putter) error {
			value := []byte("mine")
			defer copy(value, "none")
			return put(key("a"), value)
		})
		want(t, again, key("a"), "mine")
	}},
	{"LongNamesAndBigValues", func(t *testing.T, s replacing) {
		name, big := strings.Repeat("n", users.MaxName), strings.Repeat("0123456789abcdef", 20<<10)
		again := s.replace(t, filling("accounts/"+name+"="+big))
		want(t, again, key(name), big)
	}},
}
