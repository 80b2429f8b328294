package host_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule2OnceAcrossHosts shows that a request id means one change on all the
// hosts that share a store, and that each of them writes the audit lines of its
// own changes and of no others'.
func TestRule2OnceAcrossHosts(t *testing.T) {
	t.Parallel()
	t.Run("Repeats", func(t *testing.T) { t.Parallel(); repeatsOnAnotherHost(t) })
	t.Run("LostLines", func(t *testing.T) { t.Parallel(); lostLinesOfAnotherHost(t) })
	t.Run("MemberDies", func(t *testing.T) { t.Parallel(); scriptsOnTwoHosts(t) })
}

// repeatsOnAnotherHost asks two hosts for the same, at once and one after the
// other.
func repeatsOnAnotherHost(t *testing.T) {
	c := etcdtest.Start(t, 1)
	hosts := sharing(t, c, 2)
	admin := hosts[0].Admin()
	create(t, admin, "jeff", account.User)
	there := hosts[1].Admin()
	before := show(t, admin, "jeff").Generation
	const rounds = 8
	for range rounds {
		id, err := admin.Request(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for host, client := range []*management.Client{admin, there} {
			both.Go(func() {
				if r, err := suspend(t.Context(), client, id, "jeff"); err != nil || !r.Changed {
					t.Errorf("host %d answers %+v, %v; want the one outcome", host, r, err)
				}
			})
		}
		both.Wait()
		must(enable(t.Context(), there, anew, "jeff"))(t)
		if r, err := suspend(t.Context(), there, id, "jeff"); err != nil || !r.Changed || !r.Enabled {
			t.Errorf("asked again: %+v, %v; want the recorded outcome, and the account as it is", r, err)
		}
		_, err = enable(t.Context(), there, id, "jeff")
		wantKind(t, "another verb, on the other host", err, account.KindInvalid, account.ReasonRequestReused)
	}
	if got := show(t, there, "jeff").Generation; got != before+2*rounds {
		t.Errorf("%d rounds of suspending and enabling raised the generation from %d to %d", rounds, before, got)
	}
}

// lostLinesOfAnotherHost kills a host between a commit and its line: the line
// is added when that host starts, and not by the other one.
func lostLinesOfAnotherHost(t *testing.T) {
	c := etcdtest.Start(t, 1)
	hosts := sharing(t, c, 2)
	admin := hosts[0].Admin()
	create(t, admin, "jeff", account.User)
	hosts[0].StopAuditLog(0)
	_, err := grant("e")(t.Context(), admin, anew, "jeff")
	wantKind(t, "a change whose line cannot be written", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
	id, err := idIn(err)
	if err != nil {
		t.Fatal(err)
	}
	hosts[0].Kill()
	hosts[1].Stop()
	hosts[1].Start()
	must(grant("f")(t.Context(), hosts[1].Admin(), anew, "jeff"))(t)
	hosts[0].Start()
	for i, want := range []int{1, 0} {
		lines := 0
		for _, e := range changes(t, hosts[i]) {
			if e.RequestID == id.String() {
				lines++
				if !e.Recovered || e.Target != "jeff" {
					t.Errorf("the line says %+v", e)
				}
			}
		}
		if lines != want {
			t.Errorf("host %d has %d lines of the change, want %d", i, lines, want)
		}
	}
}

// scriptsOnTwoHosts changes accounts on both hosts while members of etcd, the
// plugins and a host die: what was acknowledged is there, each change has one
// line on the one host that it was asked of, and no host has one too many.
func scriptsOnTwoHosts(t *testing.T) {
	c := etcdtest.Start(t, 3)
	hosts := sharing(t, c, 2)
	var grants [4]granter
	admin := hosts[0].Admin()
	for i := range grants {
		grants[i] = granter{host: hosts[i%2], name: fmt.Sprintf("user%d", i), ids: map[string]string{}, acknowledged: map[string]bool{}, progress: make(chan struct{}, 1)}
		create(t, admin, grants[i].name, account.User)
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i := range grants {
		running.Go(func() { grants[i].run(t, stop) })
	}
	var leader int
	for _, harm := range []func(){
		func() { leader = c.Leader(); c.Kill(leader) },
		func() { c.Restart(leader) },
		func() { hosts[0].KillPlugin() },
		func() { leader = c.Leader(); c.Stop(leader) },
		func() { hosts[1].Kill(); hosts[1].Start() },
		func() { c.Continue(leader) },
		func() { c.RestartAll() },
	} {
		for i := range grants {
			for range 2 { // one may have been left from before
				select {
				case <-grants[i].progress:
				case <-time.After(time.Minute):
					t.Errorf("%s does not get on", grants[i].name)
				}
			}
		}
		harm()
	}
	close(stop)
	running.Wait()
	lines := map[string]int{}
	for _, h := range hosts {
		h.Kill()
		h.Start() // which adds the lines that are missing
		for _, e := range changes(t, h) {
			if e.Verb == account.VerbGrant && e.Event == audit.Change {
				lines[e.RequestID]++
			}
		}
	}
	admin = hosts[1].Admin()
	asked, acknowledged := 0, 0
	for i := range grants {
		held := show(t, admin, grants[i].name).Grants
		for environment, id := range grants[i].ids {
			asked++
			want := 0
			if held.Holds(environment, account.Read) {
				want = 1
			}
			if grants[i].acknowledged[environment] {
				if acknowledged++; want == 0 {
					t.Errorf("the grant in %s was acknowledged and is not there", environment)
				}
			}
			if lines[id] != want {
				t.Errorf("%d lines say that the grant in %s was made (acknowledged: %v), want %d", lines[id], environment, grants[i].acknowledged[environment], want)
			}
			delete(lines, id)
		}
	}
	if len(lines) > 0 {
		t.Errorf("there are lines of grants that nobody asked for: %v", lines)
	}
	t.Logf("%d grants on two hosts, %d acknowledged", asked, acknowledged)
}
