package fault_test

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// judge holds what was told, round by round, against the models.
type judge struct {
	known   map[string]state         // the accounts at the end of the last round
	pending []*call                  // outcomes that may still come about
	stops   []window                 // of the plugin, in this round
	revoked map[string]time.Duration // when the last revocation of earlier rounds began
	ended   map[string]time.Duration // when what may end sessions was last answered, in earlier rounds
	ledger  *ledger
	wrong   func(format string, args ...any)

	counts tally
}

// tally is how often what was seen.
type tally struct {
	calls, commands, acknowledged, refused, unknown, askedAgain, fromRecord, lastAdmin, pastLease int
	windows                                                                                       int
}

// window is a time in which the plugin surely was stopped.
type window struct{ from, to time.Duration }

// lingers is how long after its last answer an unknown outcome may come about:
// the host gives up after the call timeout, a plugin that was stopped soon after
// it is continued.
const lingers = 4 * callTimeout

// thinking bounds the search for an order. A round whose order cannot be found
// in it is not judged, and so fails.
const thinking = 5 * time.Minute

func newJudge(auditLog string) *judge {
	return &judge{
		known: map[string]state{}, revoked: map[string]time.Duration{}, ended: map[string]time.Duration{},
		ledger: newLedger(auditLog),
	}
}

// round judges the calls of one round, which left the accounts as they are now.
// The keeper's look at them is among the calls.
func (j *judge) round(t *testing.T, s *scene, are map[string]state) {
	t.Helper()
	if j.wrong = sparing(t); s.rounds == 0 {
		j.known = are // whatever there was before
	}
	calls := s.take()
	slices.SortFunc(calls, func(a, b *call) int { return cmp.Compare(a.began, b.began) })
	j.ledger.read(j.wrong)
	j.ledger.judge(calls, j.wrong)
	j.count(calls)
	j.eachCall(calls, s.options.nonsense)
	j.tokens(calls)
	if !s.options.nonsense {
		j.sessions(calls)
	}
	j.leases(calls)
	j.order(append(j.pending, calls...))
	j.pending = slices.DeleteFunc(append(j.pending, calls...), func(c *call) bool {
		return !c.unknown || !c.changes() || s.now()-c.ended > lingers
	})
	j.known, j.stops = are, nil
}

// sparing reports the first few of what is wrong in a round; the rest mostly
// says the same.
func sparing(t *testing.T) func(format string, args ...any) {
	const most = 8
	var told atomic.Int64
	return func(format string, args ...any) {
		if told.Add(1) <= most {
			t.Errorf(format, args...)
		} else {
			t.Fail()
		}
	}
}

// unfinished judges what was told in a round that did not come to its end,
// which may say why.
func (j *judge) unfinished(t *testing.T, s *scene) {
	t.Helper()
	j.wrong = sparing(t)
	s.mu.Lock()
	calls := slices.Clone(s.calls)
	s.mu.Unlock()
	j.tokens(calls)
	j.order(append(j.pending, calls...))
}

func (j *judge) count(calls []*call) {
	n := &j.counts
	n.windows += len(j.stops)
	for _, c := range calls {
		n.calls++
		if c.by != nil && c.by.connection == nil {
			n.commands++
		}
		if account.ReasonOf(c.err) == account.ReasonPastLease {
			n.pastLease++
		}
		if !c.changes() {
			continue
		}
		switch {
		case c.unknown:
			n.unknown++
		case c.err == nil:
			n.acknowledged++
		default:
			n.refused++
		}
		if c.tries > 1 {
			n.askedAgain++
		}
		if c.repeated {
			n.fromRecord++
		}
		if refusalOf(c.err) == lastAdmin {
			n.lastAdmin++
		}
	}
}

// eachCall finds answers that no call may get, and calls that took too long.
func (j *judge) eachCall(calls []*call, nonsense bool) {
	for _, c := range calls {
		if err := c.unexpected(); err != nil && !nonsense {
			j.wrong("no call may end so: %v\n%v", err, c)
		}
		if c.changes() && account.KindOf(c.err) == account.KindInternal {
			j.wrong("a change may not end so, since nobody can tell whether it was carried out: %v\n%v", c.err, c)
		}
		if took := c.ended - c.asked; took > bound {
			j.wrong("a call took %v, with a bound of %v:\n%v", took, bound, c)
		}
		if c.of != nil && c.err == nil && c.changed != c.of.changed {
			j.wrong("asked again, and told something else:\n%v\n%v", c.of, c)
		}
	}
}

// order finds for each account an order of the calls that explains every answer
// and agrees with the clock, and one for all that may be ADMINs.
func (j *judge) order(calls []*call) {
	of := map[string][]porcupine.Operation{}
	var court []porcupine.Operation
	clients := map[string]int{}
	for _, c := range calls {
		if _, ok := clients[c.client]; !ok {
			clients[c.client] = len(clients)
		}
		for _, o := range c.steps() {
			one := o.Input.(step)
			o.ClientId = clients[c.client]
			of[one.name] = append(of[one.name], o)
			if slices.Contains(admins[:], one.name) && one.decides() {
				court = append(court, o)
			}
		}
	}
	var searches sync.WaitGroup
	for name, operations := range of {
		searches.Go(func() { j.explain("'"+name+"'", modelOf(j.known[name]), operations) })
	}
	searches.Go(func() { j.explain("the ADMINs", modelOfAdmins(j.court()), court) })
	searches.Wait()
}

func (j *judge) court() (c court) {
	for i, name := range admins {
		c[i] = j.known[name]
	}
	return c
}

// decides reports whether a step says something of who is an enabled ADMIN.
func (s step) decides() bool {
	return s.part == took || s.part == tookOf || s.part == may || s.part == refused && refusalOf(s.err) == lastAdmin
}

// explain reports what nothing explains.
func (j *judge) explain(what string, m porcupine.Model, operations []porcupine.Operation) {
	switch porcupine.CheckOperationsTimeout(m, operations, thinking) {
	case porcupine.Ok:
		return
	case porcupine.Unknown:
		j.wrong("within %v no order of the %d calls that meet %s was found, nor that there is none", thinking, len(operations), what)
		return
	}
	_, info := porcupine.CheckOperationsVerbose(m, operations, thinking)
	var longest []porcupine.Operation
	for _, partition := range info.PartialLinearizationsOperations() {
		for _, partial := range partition {
			if len(partial) > len(longest) {
				longest = partial
			}
		}
	}
	j.wrong("no order of the calls that meet %s explains all answers; the best explains %d of %d:\n%s", what, len(longest), len(operations), story(m, longest, operations))
}

// story tells the end of an order, and the calls that come next and do not fit.
func story(m porcupine.Model, order, all []porcupine.Operation) string {
	const most = 12
	var b strings.Builder
	is, placed := m.Init(), map[any]bool{}
	for i, o := range order {
		_, is = m.Step(is, o.Input, nil)
		placed[o.Input] = true
		if i >= len(order)-most {
			fmt.Fprintf(&b, "%v\n\t%v\n", o.Input.(step).call, is)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(o porcupine.Operation) bool { return placed[o.Input] })
	slices.SortFunc(rest, func(a, b porcupine.Operation) int { return cmp.Compare(a.Return, b.Return) })
	b.WriteString("then none of these fits:\n")
	for _, o := range rest[:min(most, len(rest))] {
		fmt.Fprintf(&b, "(part %d) %v\n", o.Input.(step).part, o.Input.(step).call)
	}
	return b.String()
}

// finish looks at the whole, and says how much it was.
func (j *judge) finish(t *testing.T, s *scene) {
	t.Helper()
	s.host.Stop()
	s.host.Start() // with which the audit log is complete
	s.rest(t)
	j.ledger.finish(t.Errorf)
	s.host.Stop()
	if file := filepath.Join(s.host.Home, "accounts.db"); s.options.plugin == "" {
		if out, err := exec.Command(hosttest.BuildPlain(t, "./plugin/bolt/testdata/check"), file).CombinedOutput(); err != nil {
			t.Errorf("the store's file is not sound: %v\n%s", err, out)
		}
	}
	n := j.counts
	if n.windows > 0 && n.pastLease == 0 {
		t.Error("the plugin was stopped, and no call was ever refused for the lease")
	}
	t.Logf("%d calls (%d commands) in %d rounds: %d changes acknowledged, %d refused (LAST_ADMIN %d), %d unknown to the end; %d asked for again, %d answered from the record; %d calls refused past the lease",
		n.calls, n.commands, s.rounds, n.acknowledged, n.refused, n.lastAdmin, n.unknown, n.askedAgain, n.fromRecord, n.pastLease)
}
