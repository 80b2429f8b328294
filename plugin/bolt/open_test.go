package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
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
	t.Run("NewerRelease", func(t *testing.T) {
		for says, make := range map[string]func(*testing.T, string){
			"has layout 2, written by a newer release; this one reads layout 1": database("concourse-users", "layout", "2"),
			"has format 99, written by a newer release; this one reads format": func(t *testing.T, path string) {
				s := open(t, path, bolt.Options{})
				put(t, s, users.Key{Space: users.Meta, Name: "store"}, `{"format":99}`)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			},
		} {
			path := newPath(t)
			make(t, path)
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
			before := read(t, path)
			_, err := bolt.Open(t.Context(), path, bolt.Options{})
			if account.KindOf(err) != account.KindUnsupported || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want Unsupported that says %q", err, says)
			}
			if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(old) || !bytes.Equal(before, read(t, path)) {
				t.Errorf("the file was written to at %v, %v", info.ModTime(), err)
			}
		}
	})
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
	// Whatever a full disk lets a new store come to, the next Open makes one.
	t.Run("AfterADiskWasFull", func(t *testing.T) {
		for pages := 0; ; pages++ {
			path := newPath(t)
			said := openLimited(t, path, pages*4096+100)
			if said == "" {
				if pages < 5 { // bbolt's own empty file
					t.Errorf("a store fits into %d pages, so the test shows too little", pages)
				}
				return
			}
			if !strings.Contains(said, path+" cannot be created: ") {
				t.Errorf("%d pages: %s; want that it cannot be created", pages, said)
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 1 {
				t.Errorf("%d pages: %v is left, %v", pages, left, err)
			}
			put(t, open(t, path, bolt.Options{}), accountKey(1), "x")
		}
	})
	t.Run("WhereALinkLeads", func(t *testing.T) {
		path := newPath(t)
		link := filepath.Join(filepath.Dir(path), "link")
		if err := os.Symlink(filepath.Base(path), link); err != nil {
			t.Fatal(err)
		}
		put(t, open(t, link, bolt.Options{}), accountKey(1), "x")
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			t.Errorf("where the link leads: %v, %v", info, err)
		}
		if to, err := os.Readlink(link); err != nil || to != filepath.Base(path) {
			t.Errorf("the link is %q, %v", to, err)
		}
	})
	// Two that find no store make one between them.
	t.Run("OnceForAllThatCome", func(t *testing.T) {
		path := newPath(t)
		opened := make(chan error)
		const all = 4
		for i := range all {
			go func() {
				s, err := bolt.Open(context.Background(), path, bolt.Options{})
				if err == nil {
					_, err = s.Update(context.Background(), func(tx users.Tx) error { return tx.Put(accountKey(i), []byte("x")) })
					err = errors.Join(err, s.Close())
				}
				opened <- err
			}()
		}
		for range all {
			if err := <-opened; err != nil {
				t.Error(err)
			}
		}
		if got := contents(t, open(t, path, bolt.Options{})); len(got) != all {
			t.Errorf("%d of %d changes are there: %v", len(got), all, got)
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

// openLimited opens a store in a process whose files may have so many bytes and
// no more, and returns how that was refused.
func openLimited(t *testing.T, path string, most int) string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", limitedPath+"="+path, limitedTo+"="+strconv.Itoa(most))
	said, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return string(said)
}

// limitedPath, in the environment, makes this test's executable a process that
// opens the store at that path, while no file may grow beyond limitedTo.
const (
	limitedPath = "BOLT_TEST_LIMITED_PATH"
	limitedTo   = "BOLT_TEST_LIMITED_TO"
)

func openOnce(path string) {
	most, err := strconv.ParseUint(os.Getenv(limitedTo), 10, 64)
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most})
	}
	if err == nil {
		_, err = bolt.Open(context.Background(), path, bolt.Options{})
	}
	if err != nil {
		fmt.Print(err)
	}
	os.Exit(0)
}

// TestOpenWritesAnew shows that Open does not take what it reads for what is on
// disk: a sync that has failed before may have left the one without the other.
func TestOpenWritesAnew(t *testing.T) {
	path := newPath(t)
	s := open(t, path, bolt.Options{})
	put(t, s, accountKey(1), "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, long := read(t, path), time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, bolt.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || !info.ModTime().After(long.Add(time.Minute)) {
		t.Errorf("it was written last at %v, %v", info.ModTime(), err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("something else was written than there was")
	}
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
