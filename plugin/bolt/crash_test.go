package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
)

// crashPath, in the environment, makes this test's executable a process that
// writes to the store at that path until it is killed.
const crashPath = "BOLT_TEST_CRASH_PATH"

// replacePath makes it one that replaces that store's contents once.
const replacePath = "BOLT_TEST_REPLACE_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		writeUntilKilled(path)
	}
	if path := os.Getenv(replacePath); path != "" {
		replaceOnce(path)
	}
	if path := os.Getenv(limitedPath); path != "" {
		openOnce(path)
	}
	os.Exit(m.Run())
}

// writeUntilKilled prints each key after the update that wrote it returned.
func writeUntilKilled(path string) {
	s, err := bolt.Open(context.Background(), path, bolt.Options{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	var out sync.Mutex
	for writer := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := users.Key{Space: users.Accounts, Name: fmt.Sprintf("%d-%d-%d", os.Getpid(), writer, i)}
				record := users.Key{Space: users.Requests, Name: key.Name}
				at, err := s.Update(context.Background(), func(tx users.Tx) error {
					if err := tx.Put(key, []byte(strings.Repeat(key.Name, 20))); err != nil {
						return err
					}
					return tx.Put(record, []byte(key.Name))
				})
				if err != nil {
					fmt.Println("error:", err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(key.Name, at)
				out.Unlock()
			}
		}()
	}
	select {}
}

// TestKill kills a writing process again and again, and finds every update that
// it had acknowledged, whole, each time.
func TestKill(t *testing.T) {
	path := newPath(t)
	acknowledged := map[string]bool{}
	var last uint64
	for range 12 {
		at := runAndKill(t, path, acknowledged)
		last = max(last, at)
		s := open(t, path, bolt.Options{})
		found := contents(t, s)
		for name := range acknowledged {
			if found[name] != strings.Repeat(name, 20) {
				t.Errorf("%s was acknowledged, and is %q", name, found[name])
			}
		}
		if err := s.View(t.Context(), func(r users.Reader) error {
			for name := range found {
				if record, err := r.Get(users.Key{Space: users.Requests, Name: name}); err != nil || string(record) != name {
					t.Errorf("%s is there without the other half of its update: %q, %v", name, record, err)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if got := revision(t, s); uint64(got) < last {
			t.Errorf("revision %d, but %d was acknowledged", got, last)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		check(t, path)
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged; the test shows nothing")
	}
}

// runAndKill adds what one process acknowledges until it is killed, and returns
// the highest revision that it acknowledged.
func runAndKill(t *testing.T, path string, acknowledged map[string]bool) (last uint64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashPath+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, at, ok := strings.Cut(lines.Text(), " ")
		revision, err := strconv.ParseUint(at, 10, 64)
		if !ok || err != nil {
			t.Errorf("the process said %q", lines.Text())
			break
		}
		if last == 0 { // it has begun: kill it at some moment soon
			time.AfterFunc(rand.N(40*time.Millisecond), func() { child.Process.Kill() })
		}
		acknowledged[name] = true
		last = max(last, revision)
	}
	child.Process.Kill()
	child.Wait()
	return last
}
