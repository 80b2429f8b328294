package host_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule1AcknowledgedChangesAreDurable shows that what was acknowledged is
// there after SIGKILL of the plugin, of the host, and of both, at any moment:
// scripts change their accounts while the processes die under them, compare
// every answer with all that they were told before, and what the command line
// says after the last kill is exactly what was acknowledged. (host/fault cuts the
// power.)
func TestRule1AcknowledgedChangesAreDurable(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	scripts := startScripts(t, h, 6)
	plugin := func() { h.KillPlugin() }
	host := func() { h.Kill(); h.Start() }
	both := func() { h.KillPlugin(); h.Kill(); h.Start() }
	kills := 0
	for range 5 {
		for _, kill := range []func(){plugin, plugin, host, plugin, both, host} {
			scripts.progress(t)
			time.Sleep(rand.N(20 * time.Millisecond)) // anywhere in a change
			kill()
			kills++
		}
	}
	scripts.progress(t)
	acknowledged, repeated := scripts.finish(t)
	both()
	t.Logf("%d kills, %d changes acknowledged, %d of them asked again for", kills, acknowledged, repeated)

	out := h.Run("", "users", "list", "--format", "json")
	var listed []struct {
		Username string
		Role     account.Role
		Enabled  bool
		Grants   account.Grants
	}
	if err := json.Unmarshal([]byte(out.Stdout), &listed); err != nil || out.Code != 0 {
		t.Fatalf("users list: %+v, %v", out, err)
	}
	there := map[string]account.Account{}
	for _, a := range listed {
		there[a.Username] = account.Account{Username: a.Username, Role: a.Role, Enabled: a.Enabled, Grants: a.Grants}
	}
	want := 1 // the administrator
	for _, s := range scripts {
		want += 1 + len(s.made)
		if err := s.differs(there[s.name]); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for _, name := range s.made {
			if there[name].Username == "" {
				t.Errorf("'%s' was acknowledged and is not there", name)
			}
		}
		for _, name := range s.gone {
			if there[name].Username != "" {
				t.Errorf("the deletion of '%s' was acknowledged, and it is there", name)
			}
		}
	}
	if len(there) != want {
		t.Errorf("there are %d accounts, want %d", len(there), want)
	}
}

// scripts run side by side.
type scripts []*script

// startScripts starts n scripts; finish must follow.
func startScripts(t *testing.T, h *hosttest.Host, n int) scripts {
	t.Helper()
	var all scripts
	for i := range n {
		s := &script{host: h, name: fmt.Sprintf("script%d", i), ended: make(chan error, 1)}
		go func() { s.ended <- s.run(t.Context()) }()
		all = append(all, s)
	}
	return all
}

// progress waits until most scripts were told of another change.
func (all scripts) progress(t *testing.T) {
	t.Helper()
	before := make([]int64, len(all))
	for i, s := range all {
		before[i] = s.acknowledged.Load()
	}
	hosttest.Await(t, "most scripts get on", func() bool {
		moved := 0
		for i, s := range all {
			if s.acknowledged.Load() > before[i] {
				moved++
			}
			select {
			case err := <-s.ended:
				t.Fatalf("a script ended early: %v", err)
			default:
			}
		}
		return moved > len(all)/2
	})
}

// finish ends the scripts, each with its change under way acknowledged.
func (all scripts) finish(t *testing.T) (acknowledged, repeated int64) {
	t.Helper()
	for _, s := range all {
		s.stop.Store(true)
	}
	for _, s := range all {
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		acknowledged += s.acknowledged.Load()
		repeated += s.repeated.Load()
	}
	if t.Failed() || slices.ContainsFunc(all, func(s *script) bool { return s.acknowledged.Load() == 0 }) {
		t.FailNow()
	}
	return acknowledged, repeated
}
