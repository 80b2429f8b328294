package host_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule12AuditLogIsComplete shows that a change that took effect has exactly
// one line that says so, and one that did not has none: lines are on disk
// before the answer, and those that a crash cost are added at the next start.
func TestRule12AuditLogIsComplete(t *testing.T) {
	t.Parallel()
	t.Run("LostLines", func(t *testing.T) { t.Parallel(); lostLines(t) })
	t.Run("KillStorm", func(t *testing.T) { t.Parallel(); auditedStorm(t) })
	t.Run("Logins", func(t *testing.T) { t.Parallel(); auditedLogins(t) })
}

// lostLines stops the log, so that changes are committed and their lines are
// not written, kills the host, and finds each line at the next start, marked.
func lostLines(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "jeff", account.User)
	ids := map[string]bool{}
	h.StopAuditLog(100) // the first line is torn, not absent
	_, err := grant("e")(t.Context(), admin, anew, "jeff")
	wantKind(t, "a change whose line cannot be written", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
	id, err := idIn(err)
	if err != nil {
		t.Fatal(err)
	}
	ids[id.String()] = true
	_, err = grant("f")(t.Context(), admin, anew, "jeff")
	wantKind(t, "a change after that", err, account.KindUnavailable, "")
	h.Kill()
	for start := range 2 {
		h.Start()
		if held := len(show(t, h.Admin(), "jeff").Grants); held != len(ids) {
			t.Fatalf("%d of %d changes were committed, so this is another case than it should be", held, len(ids))
		}
		recovered := map[string]int{}
		for _, e := range changes(t, h) {
			if !ids[e.RequestID] {
				continue
			}
			recovered[e.RequestID]++
			if !e.Recovered || e.CommittedAt.IsZero() || e.Verb != account.VerbGrant || e.Target != "jeff" ||
				e.Caller == nil || e.Caller.Username != hosttest.Administrator || e.Changed == nil || !*e.Changed {
				t.Errorf("a recovered line says too little, or something else: %+v", e)
			}
		}
		for id := range ids {
			if recovered[id] != 1 {
				t.Errorf("start %d: %d lines for %s, want one", start, recovered[id], id)
			}
		}
		h.Stop()
	}
}

// auditedStorm makes changes while plugin and host are killed, never asks
// again, and compares the lines with what is there.
func auditedStorm(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	var scripts [4]granter
	for i := range scripts {
		scripts[i] = granter{host: h, name: fmt.Sprintf("user%d", i), ids: map[string]string{}, acknowledged: map[string]bool{}, progress: make(chan struct{}, 1)}
		create(t, admin, scripts[i].name, account.User)
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i := range scripts {
		running.Go(func() { scripts[i].run(t, stop) })
	}
	for kill := range 12 {
		for i := range scripts {
			for range 2 { // one may have been left from before the last kill
				select {
				case <-scripts[i].progress:
				case <-time.After(time.Minute):
					t.Error("a script does not get on")
				}
			}
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		if kill%3 == 0 {
			h.KillPlugin()
		} else {
			h.Kill()
			h.Start()
		}
	}
	close(stop)
	running.Wait()
	h.Kill()
	h.Start()

	lines, recovered := map[string]int{}, 0
	for _, e := range changes(t, h) {
		if lines[e.RequestID]++; e.Recovered {
			recovered++
		}
	}
	admin = h.Admin()
	asked, unknown, took := 0, 0, 0
	for i := range scripts {
		s, grants := &scripts[i], show(t, admin, scripts[i].name).Grants
		for environment, id := range s.ids {
			asked++
			want := 0
			if grants.Holds(environment, account.Read) {
				want = 1
			}
			if !s.acknowledged[environment] {
				unknown++
				took += want
			} else if want == 0 {
				t.Errorf("the grant in %s was acknowledged and is not there", environment)
			}
			if lines[id] != want {
				t.Errorf("%d lines say that the grant in %s was made (acknowledged: %v), want %d", lines[id], environment, s.acknowledged[environment], want)
			}
			delete(lines, id)
		}
	}
	if len(lines) != 1+len(scripts) { // the first administrator, and the accounts
		t.Errorf("there are lines of changes that nobody asked for: %v", lines)
	}
	t.Logf("%d changes, %d of unknown outcome, of which %d were carried out; %d lines recovered", asked, unknown, took, recovered)
}

// granter grants its account one environment after the other, and never asks
// again for one whose outcome is unknown.
type granter struct {
	host         *hosttest.Host
	name         string
	ids          map[string]string // request ids, by environment
	acknowledged map[string]bool   // environments
	progress     chan struct{}
}

func (g *granter) run(t *testing.T, stop <-chan struct{}) {
	var c *management.Client
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		var id account.RequestID
		var err error
		if c == nil {
			c, err = g.host.Login(hosttest.Administrator, hosttest.Password)
		}
		if err == nil {
			id, err = c.Request(t.Context())
		}
		if err == nil {
			environment := fmt.Sprintf("%s_%d", g.name, n)
			g.ids[environment] = id.String()
			_, err = grant(environment)(t.Context(), c, id, g.name)
			g.acknowledged[environment] = err == nil
		}
		switch account.KindOf(err) {
		case 0:
			select {
			case g.progress <- struct{}{}:
			default:
			}
			continue
		case account.KindUnavailable, account.KindOutcomeUnknown, account.KindThrottled, account.KindNotAuthenticated:
		default:
			t.Errorf("%s: %v", g.name, err)
			return
		}
		if c != nil {
			c.Close()
			c = nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// auditedLogins kills the host after each login: its line is there.
func auditedLogins(t *testing.T) {
	h := hosttest.Start(t)
	const logins = 4
	for range logins {
		h.Admin()
		h.Kill()
		h.Start()
	}
	_, err := h.Login(hosttest.Administrator, "not the password")
	wantKind(t, "a wrong password", err, account.KindNotAuthenticated, "")
	count := map[audit.Event]int{}
	for _, e := range h.Audit() {
		count[e.Event]++
	}
	for event, want := range map[audit.Event]int{
		audit.Login: logins, audit.LoginRefused: 1, audit.HostStarted: logins + 1, audit.PluginStarted: logins + 1,
	} {
		if count[event] != want {
			t.Errorf("%d lines of %s, want %d", count[event], event, want)
		}
	}
}

// changes returns the lines that say that a change was made, and checks that no
// line is missing.
func changes(t *testing.T, h *hosttest.Host) (made []audit.Entry) {
	t.Helper()
	for i, e := range h.Audit() {
		if e.Seq != uint64(i)+1 {
			t.Errorf("line %d has the number %d", i+1, e.Seq)
		}
		if e.Event == audit.Change && e.Outcome == audit.OK {
			made = append(made, e)
		}
	}
	return made
}
