package host_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestFrontRule3 shows of drivers' calls what rule 3 says: once a change that takes
// something away is answered, no call that begins then is let in, however many race
// with it.
func TestFrontRule3(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	revoking := revoke("billing")
	for what, row := range map[string]struct {
		change  change
		refused map[driver.Style]string
	}{
		"suspend":  {suspend, deadToken},
		"password": {setPassword("another from now on"), deadToken},
		"delete":   {deleteUser, deadToken},
		"role":     {setRole(account.Admin), deadToken},
		"revoke":   {revoking, permissionRefused},
	} {
		var racers []*racer
		for i := range 4 {
			style := []driver.Style{driver.Multiplexed, driver.Bare}[i%2]
			r := &racer{begun: make(chan struct{}), refused: make(chan struct{}), style: style}
			if i == 0 {
				r.visitor = d.enter(style, what)
			} else {
				r.visitor = d.logIn(style, what)
			}
			racers = append(racers, r)
			go r.race([]string{"selectRecord", "verifyOrSet"}[i/2])
		}
		for _, r := range racers {
			<-r.begun
		}
		must(row.change(t.Context(), d.admin, anew, what))(t)
		answered := time.Now()
		for _, r := range racers {
			<-r.refused
			if r.last.After(answered) {
				t.Errorf("%s: a call that began %v after the answer was let in", what, r.last.Sub(answered))
			}
			wantRefused(t, what, r.refusal, row.refused[r.style], "")
			r.Close()
		}
	}
}

// deadToken is how each style is told of a token that is good no more.
var deadToken = map[driver.Style]string{driver.Multiplexed: "SecurityException", driver.Bare: "SecurityException"}

// racer calls until it is refused.
type racer struct {
	*visitor
	style   driver.Style
	begun   chan struct{} // closed when calls are being let in
	refused chan struct{} // closed when one was refused
	last    time.Time     // when the last call began that was let in
	refusal error
}

func (r *racer) race(method string) {
	defer close(r.refused)
	for n := 0; ; n++ {
		began := time.Now()
		if r.refusal = r.ask(method); r.refusal != nil {
			return
		}
		if r.last = began; n == 10 {
			close(r.begun)
		}
	}
}

// TestFrontRule5 stops the plugin for longer than the lease: drivers' calls and
// logins are told that the host does not know, and never that their token is dead;
// then they are let in again with the same token.
func TestFrontRule5(t *testing.T) {
	t.Parallel()
	d := openDoor(t, "lease: 2s", "lease_wait: 500ms")
	var visitors []*visitor
	for name, style := range styles {
		visitors = append(visitors, d.enter(style, strings.ToLower(name)))
	}
	for i, c := range visitors {
		var call, login error
		before := 0
		hosttest.Await(t, "a call is refused, and then a login", func() bool {
			d.h.StopPlugin() // again and again: it may have been replaced
			before = len(d.up.Calls("verifyOrSet"))
			if call = c.ask("verifyOrSet"); call == nil {
				return false // and no login: within the lease it would wait for a new plugin, and be let in by it
			}
			_, login = driver.Dial(t, d.h.ClientAddress(), driver.Options{}).Login(hosttest.Administrator, hosttest.Password, "")
			return login != nil
		})
		wantRefused(t, "a call past the lease", call, "", "out of touch")
		wantRefused(t, "a login past the lease", login, "", "out of touch")
		if after := len(d.up.Calls("verifyOrSet")); after != before {
			t.Error("a call that was refused has come to the upstream")
		}
		d.h.SignalPlugin(syscall.SIGCONT)
		hosttest.Await(t, fmt.Sprintf("client %d is let in again with its token", i), func() bool { return c.ask("selectRecord") == nil })
	}
}
