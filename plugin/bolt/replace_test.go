package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

type putter = func(users.Key, []byte) error

func TestReplace(t *testing.T) {
	t.Run("RefusesAllElseAfterIt", func(t *testing.T) {
		for name, result := range map[string]error{"Done": nil, "Failed": errors.New("the fill's own")} {
			s := open(t, newPath(t), bolt.Options{})
			w, err := s.Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Replace(t.Context(), func(putter) error { return result }); !errors.Is(err, result) {
				t.Fatalf("%s: %v", name, err)
			}
			_, updated := s.Update(t.Context(), func(users.Tx) error { return nil })
			_, watched := s.Watch(t.Context())
			_, next := w.Next(t.Context())
			for what, err := range map[string]error{
				"Update": updated, "Watch": watched, "Next": next,
				"View":    s.View(t.Context(), func(users.Reader) error { return nil }),
				"Replace": s.Replace(t.Context(), func(putter) error { return nil }),
			} {
				if account.KindOf(err) != account.KindUnavailable {
					t.Errorf("%s: %s after Replace: %v, want Unavailable", name, what, err)
				}
			}
		}
	})
	t.Run("WaitsForUpdates", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		held := hold(t, s)
		replaced := make(chan error, 1)
		go func() {
			replaced <- s.Replace(t.Context(), func(put putter) error { return put(accountKey(7), []byte("new")) })
		}()
		select {
		case err := <-replaced:
			t.Fatalf("Replace returned %v while an update was under way", err)
		case <-time.After(20 * time.Millisecond):
		}
		held.release()
		if r := <-held.done; r.err != nil {
			t.Errorf("the update under way: %v", r.err)
		}
		if err := <-replaced; err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, open(t, path, bolt.Options{})); len(got) != 1 || got[accountKey(7).Name] != "new" {
			t.Errorf("it holds %v", got)
		}
	})
	t.Run("LeavesNothingBeside", func(t *testing.T) {
		for _, result := range []error{nil, errors.New("the fill's own")} {
			path := newPath(t)
			s := open(t, path, bolt.Options{})
			s.Replace(t.Context(), func(putter) error { return result })
			alone(t, path)
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		}
	})
	t.Run("KeepsALink", func(t *testing.T) {
		real := newPath(t)
		link := filepath.Join(t.TempDir(), "link.db")
		if err := os.Symlink(real, link); err != nil {
			t.Fatal(err)
		}
		s := open(t, link, bolt.Options{})
		if err := s.Replace(t.Context(), func(put putter) error { return put(accountKey(7), []byte("new")) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
			t.Errorf("the link is %v (%v)", info.Mode(), err)
		}
		if got := contents(t, open(t, real, bolt.Options{})); got[accountKey(7).Name] != "new" {
			t.Errorf("it holds %v", got)
		}
	})
	t.Run("ErrCannotBeWritten", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		put(t, s, accountKey(1), "old")
		if err := os.MkdirAll(filepath.Join(beside(path), "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		err := s.Replace(t.Context(), func(put putter) error { return put(accountKey(7), []byte("new")) })
		if account.KindOf(err) != account.KindUnavailable {
			t.Errorf("got %v, want Unavailable", err)
		}
		if err := errors.Join(s.Close(), os.RemoveAll(beside(path))); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, open(t, path, bolt.Options{})); got[accountKey(1).Name] != "old" {
			t.Errorf("it holds %v", got)
		}
	})
	t.Run("WhatWasCutShortIsRemoved", func(t *testing.T) {
		path := newPath(t)
		for _, name := range []string{beside(path), path + ".new"} {
			if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var log bytes.Buffer
		open(t, path, bolt.Options{Logger: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info})})
		if _, err := os.Stat(beside(path)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(log.String(), beside(path)) {
			t.Errorf("what was cut short is left (%v), or the log does not tell: %q", err, log.String())
		}
		if _, err := os.Stat(path + ".new"); err != nil {
			t.Errorf("somebody's own file: %v", err)
		}
	})
	// Who waited for the file that was replaced gets the one in its place.
	t.Run("WhoWaitsOpensTheNewOne", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		opened := make(chan map[string]string, 1)
		held := make(chan struct{})
		go func() {
			<-held
			other, err := bolt.Open(t.Context(), path, bolt.Options{})
			if err != nil {
				t.Error(err)
				close(opened)
				return
			}
			opened <- contents(t, other)
			if err := other.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := s.Replace(t.Context(), func(put putter) error {
			close(held)
			time.Sleep(100 * time.Millisecond) // for the other to begin to wait
			return put(accountKey(7), []byte("new"))
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-opened; got[accountKey(7).Name] != "new" {
			t.Errorf("it got %v", got)
		}
	})
}

// beside is where a file is built that is to replace the store's.
func beside(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".restoring")
}

// alone checks that nothing is beside the store.
func alone(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Errorf("the directory has %v (%v)", all, err)
	}
}

const many = 3000

// replaceOnce prints a line when the replacing begins, and when it is done.
func replaceOnce(path string) {
	ctx := context.Background()
	s, err := bolt.Open(ctx, path, bolt.Options{})
	if err == nil {
		err = s.Replace(ctx, func(put putter) error {
			fmt.Println("begins")
			value := []byte(strings.Repeat("new", 1000))
			for i := range many {
				if err := put(accountKey(i), value); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("done")
	select {}
}

// TestKillWhileReplacing kills a process at some moment of a Replace, again and
// again, and finds the old contents or the new, whole, and nothing else.
func TestKillWhileReplacing(t *testing.T) {
	longest := time.Minute // of the first, which comes to its end
	outcomes := map[string]int{}
	for round := range 15 {
		path := newPath(t)
		s := open(t, path, bolt.Options{})
		put(t, s, accountKey(many+1), "old")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		after := longest
		if round > 0 {
			after = rand.N(longest * 5 / 4)
		}
		done, took := replaceAndKill(t, path, after)
		if round == 0 {
			longest = took
		}
		s = open(t, path, bolt.Options{})
		got := contents(t, s)
		switch {
		case len(got) == 1 && got[accountKey(many+1).Name] == "old" && !done:
			outcomes["old"]++
		case len(got) == many && got[accountKey(many-1).Name] == strings.Repeat("new", 1000):
			outcomes["new"]++
		default:
			t.Errorf("it holds %d names (done: %v)", len(got), done)
		}
		alone(t, path)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		check(t, path)
	}
	if outcomes["old"] == 0 || outcomes["new"] == 0 {
		t.Errorf("the outcomes are %v; the test shows too little", outcomes)
	}
}

// replaceAndKill reports whether the process had said that it was done, and how
// long it took then.
func replaceAndKill(t *testing.T, path string, after time.Duration) (done bool, took time.Duration) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), replacePath+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var began time.Time
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch lines.Text() {
		case "begins":
			began = time.Now()
			time.AfterFunc(after, func() { child.Process.Kill() })
		case "done":
			done, took = true, time.Since(began)
			child.Process.Kill()
		default:
			t.Errorf("the process said %q", lines.Text())
		}
	}
	child.Process.Kill()
	child.Wait()
	return done, took
}
