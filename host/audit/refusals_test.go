package audit_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

func refusal(username, address string) audit.Entry {
	outcome, reason := audit.Outcome(account.NotAuthenticated())
	return audit.Entry{Outcome: outcome, Reason: reason, Caller: &audit.Caller{Username: username, RemoteAddress: address}}
}

func refuse(t *testing.T, l *audit.Log, e audit.Entry) {
	t.Helper()
	if err := tryRefuse(l, e); err != nil {
		t.Error(err)
	}
}

// tryRefuse logs the refusal of an account's name, or, without one, of a name
// that nobody has.
func tryRefuse(l *audit.Log, e audit.Entry) error {
	submitted := e.Caller.Username
	e.Caller = &audit.Caller{RemoteAddress: e.Caller.RemoteAddress}
	return l.LoginRefused(e, submitted, func() bool { return submitted != "" })
}

// brief is what matters of a refusals line, times as seconds since begin.
func brief(e audit.Entry, begin time.Time) string {
	s := string(e.Event)
	if e.Caller != nil {
		s += " " + e.Caller.Username + "@" + e.Caller.RemoteAddress
	}
	if e.Count > 0 {
		s += fmt.Sprintf(" %d in %v-%v", e.Count, e.First.Sub(begin).Seconds(), e.Last.Sub(begin).Seconds())
	}
	return s + e.Detail
}

func TestLoginRefused(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		l := open(t, path, audit.Options{})
		lines := func(want ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			for _, e := range read(t, path) {
				got = append(got, brief(e, begin))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		refuse(t, l, refusal("jeff", "a"))
		lines("login_refused jeff@a") // the first is there at once
		for range 5 {
			time.Sleep(time.Second)
			refuse(t, l, refusal("jeff", "a"))
		}
		refuse(t, l, refusal("jeff", "b"))
		refuse(t, l, refusal("", "a"))
		first := []string{"login_refused jeff@a", "login_refused jeff@b", "login_refused @a"}
		lines(first...)
		time.Sleep(6 * time.Second) // the first window is over, the others are not
		all := append(first, "login_refused jeff@a 5 in 1-5")
		lines(all...)
		refuse(t, l, refusal("jeff", "a")) // begins anew
		refuse(t, l, refusal("jeff", "a"))
		refuse(t, l, refusal("", "a"))
		all = append(all, "login_refused jeff@a")
		lines(all...)
		time.Sleep(5 * time.Second)
		all = append(all, "login_refused @a 1 in 11-11")
		lines(all...)
		closeLog(t, l) // tells of what is only counted
		lines(append(all, "login_refused jeff@a 1 in 11-11")...)
		if err := tryRefuse(l, refusal("jeff", "a")); err != audit.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Names that no account has are not written, and yet counted apart: the second
// one waits for the disk as the first did.
func TestLoginRefusedUnknownNames(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{})
	asked := 0
	for _, submitted := range []string{"nobody", "no one", "nobody"} {
		if err := l.LoginRefused(refusal("", "a"), submitted, func() bool { asked++; return false }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(read(t, path)); n != 2 || asked != 2 {
		t.Errorf("%d lines at once, and %d questions whether a name is known, want one for each name", n, asked)
	}
	closeLog(t, l)
}

func TestLoginRefusedOverflow(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		l := open(t, path, audit.Options{})
		for i := range 4096 + 100 {
			refuse(t, l, refusal("", fmt.Sprint(i)))
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		all := read(t, path)
		if len(all) != 4097 {
			t.Fatalf("%d lines, want 4097", len(all))
		}
		if got, want := brief(all[4096], begin), "login_refused 100 in 0-0of further usernames and sources"; got != want {
			t.Errorf("the last is %q, want %q", got, want)
		}
		closeLog(t, l)
	})
}

// filling is a file on a disk that may be full.
type filling struct {
	audit.File
	full *atomic.Bool
}

func (f filling) Write(b []byte) (int, error) {
	if f.full.Load() {
		return 0, errNoSpace
	}
	return f.File.Write(b)
}

// What a full disk did not take is counted on.
func TestLoginRefusedDiskFull(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var full atomic.Bool
		l := open(t, path, audit.Options{OpenFile: func(path string) (audit.File, error) {
			real, err := disk(path)
			return filling{real, &full}, err
		}})
		refuse(t, l, refusal("jeff", "a"))
		refuse(t, l, refusal("jeff", "a"))
		full.Store(true)
		time.Sleep(15 * time.Second)
		full.Store(false)
		refuse(t, l, refusal("jeff", "a"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		all := read(t, path)
		if len(all) != 3 || all[1].Event != audit.LogResumed || brief(all[2], begin) != "login_refused jeff@a 2 in 0-15" {
			t.Errorf("read %+v", all)
		}
		closeLog(t, l)
	})
}
