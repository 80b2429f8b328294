package bolt_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestOpenRefuses(t *testing.T) {
	rows := []struct {
		name string
		make func(t *testing.T, path string)
		says string
	}{
		{"Text", file("this is a letter, and a rather short one"), "not a users store"},
		{"LongText", file(strings.Repeat("all work and no play ", 4096)), "not a users store"},
		{"Zeros", file(string(make([]byte, 1<<15))), "not a users store"},
		{"OneZeroPage", file(string(make([]byte, 4096))), "not a users store"},
		{"AnotherProgramsDatabase", database("accounts", "a", "b"), "another program"},
		{"NewerLayout", database("concourse-users", "layout", "2"), "newer version"},
		{"NoLayout", database("concourse-users", "other", "1"), "not a users store"},
		{"NoSuchLayout", database("concourse-users", "layout", "0"), "not a users store"},
		{"NoBuckets", database("concourse-users", "layout", "1"), "no bucket"},
		{"CutToTwoPages", cut(2), "not a users store"},
		{"CutToFivePages", cut(5), "not a users store"},
		{"CutToTenPages", cut(10), "cut short"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := newPath(t)
			row.make(t, path)
			before := read(t, path)
			s, err := bolt.Open(t.Context(), path, bolt.Options{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if account.KindOf(err) != account.KindInvalid {
				t.Errorf("%v has kind %v, want invalid", err, account.KindOf(err))
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%q does not name the path and %q", err, row.says)
			}
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the file was changed")
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			open(t, path, bolt.Options{}) // nothing was left behind that a good file minds
		})
	}
	t.Run("MissingDirectory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "missing")
		_, err := bolt.Open(t.Context(), filepath.Join(dir, "accounts.db"), bolt.Options{})
		if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want Invalid that names %s", err, dir)
		}
	})
	t.Run("Directory", func(t *testing.T) {
		_, err := bolt.Open(t.Context(), t.TempDir(), bolt.Options{})
		if account.KindOf(err) != account.KindInvalid {
			t.Errorf("got %v, want Invalid", err)
		}
	})
	t.Run("NameOfARestore", func(t *testing.T) {
		_, err := bolt.Open(t.Context(), beside(newPath(t)), bolt.Options{})
		if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), "a restore uses") {
			t.Errorf("got %v, want Invalid", err)
		}
	})
	t.Run("Held", func(t *testing.T) {
		path := newPath(t)
		open(t, path, bolt.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := bolt.Open(ctx, path, bolt.Options{})
		if account.KindOf(err) != account.KindUnavailable || !strings.Contains(err.Error(), path+" is held by another process") {
			t.Errorf("got %v, want Unavailable that names %s", err, path)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("took %v although its context ended after 100ms", took)
		}
	})
}

// TestOpenWaits has another process's store grow, and close, while Open waits.
func TestOpenWaits(t *testing.T) {
	path := newPath(t)
	first := open(t, path, bolt.Options{})
	opened := make(chan error)
	go func() {
		s, err := bolt.Open(t.Context(), path, bolt.Options{})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	time.Sleep(20 * time.Millisecond) // it may have begun; either way it must succeed
	for i := range 20 {
		put(t, first, accountKey(i), strings.Repeat("x", 3000))
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestOpenCreates(t *testing.T) {
	t.Run("PrivateFile", func(t *testing.T) {
		path := newPath(t)
		open(t, path, bolt.Options{})
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
	})
	t.Run("FromWhatACrashLeft", func(t *testing.T) {
		for name, leave := range map[string]func(*testing.T, string){
			"EmptyFile":     file(""),
			"EmptyDatabase": database("", "", ""),
		} {
			t.Run(name, func(t *testing.T) {
				path := newPath(t)
				leave(t, path)
				put(t, open(t, path, bolt.Options{}), accountKey(1), "x")
			})
		}
	})
}

// FuzzOpen opens whatever there is: the answer is a store or a refusal that
// leaves the file alone.
func FuzzOpen(f *testing.F) {
	path := newPath(f)
	s, err := bolt.Open(f.Context(), path, bolt.Options{})
	if err != nil {
		f.Fatal(err)
	}
	put(f, s, accountKey(1), "x")
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	valid := read(f, path)
	f.Add(valid)
	f.Add(append(make([]byte, 4096), valid[4096:]...))
	f.Add(append(make([]byte, 8192), valid[8192:]...))
	f.Add(bytes.Repeat([]byte{0xed}, 3*4096))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := newPath(t)
		file(string(data))(t, path)
		s, err := bolt.Open(t.Context(), path, bolt.Options{})
		if err == nil {
			s.Close()
		} else if !bytes.Equal(data, read(t, path)) {
			t.Errorf("refused with %v, and changed", err)
		}
	})
}

func file(content string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// database makes a bolt database whose freelist is not synced, so that bbolt
// would write to it on opening.
func database(bucket, key, value string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if bucket == "" {
			return
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte(bucket))
			if err != nil {
				return err
			}
			return b.Put([]byte(key), []byte(value))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// cut makes a store of some size and leaves its first pages.
func cut(pages int) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		s, err := bolt.Open(t.Context(), path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			put(t, s, accountKey(i), strings.Repeat("x", 3000))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(pages*os.Getpagesize())); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
