package gate_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

const otherPassword = "another from now on"

func setPassword(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
	return g.Password(ctx, c, id, account.Password{Username: "jeff", Password: account.Secret(otherPassword)})
}

func apply(d account.Desired) change {
	d.Username = "jeff"
	return func(ctx context.Context, g *gate.Gate, c gate.Caller, id account.RequestID) (gate.Result, error) {
		a, err := g.Apply(ctx, c, id, d)
		return gate.Result{Change: a.Change}, err
	}
}

// ending are the changes after which no earlier token of jeff's is good, and
// what they make of the account.
var ending = map[string]struct {
	change
	become
}{
	"Suspend":        {suspend, suspended},
	"Password":       {setPassword, renewed},
	"Delete":         {remove, gone},
	"EditRole":       {edit(account.User, nil), demoted},
	"EditBoth":       {edit(account.User, account.Secret(otherPassword)), demoted},
	"ApplySuspended": {apply(account.Desired{Enabled: new(bool)}), suspended},
	"ApplyPassword":  {apply(account.Desired{Password: account.Secret(otherPassword)}), renewed},
}

// scenario is who takes part in a race, with and without a session of jeff's
// from before.
type scenario struct {
	name  string
	small bool             // few enough orders for every run of the tests
	jeff  *account.Account // nil: an administrator
	join  func(*race)
}

// TestFaultRaces takes logins, changes, the change stream, the lease and calls
// through every order of their steps, and holds rules 3, 4 and 5 against each:
// what a change took away is not accepted behind its answer, nor behind a
// heartbeat of a later state, whichever login it came from; nobody is refused,
// or loses a session, without a reason; and all come to an end. The small
// scenarios are gone through in every run, the others as long as the span
// lasts; one that is begun is gone through to its end.
func TestFaultRaces(t *testing.T) {
	end := time.Now().Add(hosttest.Span(t, "CONCOURSE_FAULT", 0))
	var orders, left atomic.Int64
	t.Run("All", func(t *testing.T) {
		for _, s := range slices.Concat(aroundAChange(), carelessly(), twoLogins(), givenBack(), ofGrants(), pastTheLease(), calls(), acrossAGap()) {
			for _, held := range []bool{false, true} {
				name := s.name
				if held {
					name += ", with a session from before"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					if !s.small && time.Now().After(end) {
						left.Add(1)
						return
					}
					s.explore(t, held, false, func(*race) { orders.Add(1) })
				})
			}
		}
	})
	t.Logf("%d orders; %d scenarios were left to a longer span", orders.Load(), left.Load())
}

// explore goes through every order of the scenario's steps, has each judged,
// and hands it on at its end.
func (s *scenario) explore(t *testing.T, held, all bool, ended func(*race)) {
	synctest.Test(t, func(t *testing.T) {
		log := nowhere(t)
		(&explorer{all: all}).explore(t, func() (*run, func() error, func() error) {
			w := newRace(log, s.jeff)
			if held {
				w.hold()
			}
			s.join(w)
			return w.run, w.judge, func() error { ended(w); return w.last() }
		})
	})
}

// TestRacesLeaveOutOnlySwaps shows that the orders which are gone through come
// to all that any order comes to.
func TestRacesLeaveOutOnlySwaps(t *testing.T) {
	s := scenario{join: func(w *race) {
		w.logsIn("login", right)
		w.changes("root", lost, edit(account.User, nil))
		w.streams()
	}}
	var taken [2]int
	var came [2][]string
	for i, all := range []bool{false, true} {
		s.explore(t, true, all, func(w *race) {
			taken[i]++
			came[i] = append(came[i], w.outcome())
		})
		slices.Sort(came[i])
		came[i] = slices.Compact(came[i])
	}
	if diff := cmp.Diff(came[1], came[0]); diff != "" || len(came[0]) < 3 {
		t.Errorf("of %d outcomes (-of all orders +of those that were taken):\n%s", len(came[0]), diff)
	}
	if taken[0] >= taken[1] {
		t.Errorf("%d orders were taken of %d", taken[0], taken[1])
	}
}

// aroundAChange has a login begin on either side of a change that revokes, and
// another when that has been answered.
func aroundAChange() (all []scenario) {
	for name, e := range ending {
		for _, f := range []fate{answered, lost, unknown, late} {
			small := name == "Suspend" || f == answered && name != "EditRole"
			all = append(all, scenario{name: name + string(f), small: small, join: func(w *race) {
				w.logsIn("login", right)
				w.changes("root", f, e.change)
				if f == late {
					w.commits("plugin", e.become)
				}
				w.streams()
				w.logsInAfter()
			}})
		}
	}
	return all
}

// carelessly has a plugin change accounts and raise no generation.
func carelessly() (all []scenario) {
	for name, e := range ending {
		all = append(all, scenario{name: name + ", carelessly", small: true, join: func(w *race) {
			w.plugin.careless = true
			w.logsIn("login", right)
			w.changes("root", answered, e.change)
			w.streams()
		}})
	}
	return all
}

// twoLogins has them at once, with the password before and behind a change.
func twoLogins() (all []scenario) {
	for name, e := range ending {
		for _, other := range []string{right, otherPassword} {
			which := ", and two logins with the same password"
			if other != right {
				which = ", and two logins"
			}
			all = append(all, scenario{name: name + which, small: name == "Suspend" && other == right, join: func(w *race) {
				w.logsIn("login", right)
				w.logsIn("other login", other)
				w.changes("root", answered, e.change)
				w.streams()
			}})
		}
	}
	return append(all, scenario{name: "Password elsewhere, and two logins", small: true, join: func(w *race) {
		w.logsIn("login", right)
		w.logsIn("other login", otherPassword)
		w.commits("elsewhere", renewed)
		w.streams()
	}})
}

// givenBack has what a change took away given back, by the same administrator
// or by another, to the account or to another of its name.
func givenBack() (all []scenario) {
	for _, f := range []fate{answered, lost, unknown} {
		for _, merging := range []bool{false, true} {
			name := string(f)
			if merging {
				name += ", told once"
			}
			all = append(all,
				scenario{name: "Delete then create" + name, join: func(w *race) {
					w.merging = merging
					w.logsIn("login", right)
					w.changes("root", f, remove, create)
					w.streams()
					w.logsInAfter()
				}},
				scenario{name: "Suspend then enable" + name, join: func(w *race) {
					w.merging = merging
					w.logsIn("login", right)
					w.changes("root", f, suspend, enable)
					w.streams()
					w.logsInAfter()
				}},
				scenario{name: "Delete and create" + name, join: func(w *race) {
					w.merging = merging
					w.logsIn("login", right)
					w.changes("root", f, remove)
					w.changes("other administrator", answered, create).when(w.isNotThere)
					w.streams()
				}},
				scenario{name: "Suspend and enable" + name, join: func(w *race) {
					w.merging = merging
					w.logsIn("login", right)
					w.changes("root", f, suspend)
					w.changes("other administrator", answered, enable).when(w.isSuspended)
					w.streams()
				}},
			)
		}
	}
	return append(all, scenario{name: "Suspend and enable elsewhere", small: true, join: func(w *race) {
		w.logsIn("login", right)
		w.commits("elsewhere", suspended, enabled)
		w.streams()
	}}, scenario{name: "Delete and create, repeated, not told", small: true, join: func(w *race) {
		w.plugin.subscribed = false
		w.logsIn("login", right)
		w.changes("root", lost, remove)
		w.changes("other administrator", answered, create).when(w.isNotThere)
	}})
}

// ofGrants has a grant revoked.
func ofGrants() (all []scenario) {
	jeff := &account.Account{
		Username: "jeff", Role: account.User, Enabled: true, Grants: account.Grants{"plain": {account.Write}},
	}
	for _, f := range []fate{answered, lost} {
		all = append(all, scenario{name: "Revoke" + string(f), jeff: jeff, small: true, join: func(w *race) {
			w.logsIn("login", right)
			w.changes("root", f, revoke)
			w.streams()
			w.logsInAfter()
		}})
	}
	return all
}

// pastTheLease has the lease run out and come back.
func pastTheLease() (all []scenario) {
	for name, e := range ending {
		all = append(all,
			scenario{name: name + " past the lease", small: name == "Delete", join: func(w *race) {
				w.logsIn("login", right)
				w.changes("root", answered, e.change)
				w.streams()
				w.lapses()
				w.beats(nil)
			}},
			scenario{name: name + " elsewhere, past the lease", small: true, join: func(w *race) {
				w.logsIn("login", right)
				w.commits("elsewhere", e.become)
				w.streams()
				w.lapses()
				w.beats(nil)
			}},
		)
	}
	return all
}

// calls has one come in, past the lease too.
func calls() (all []scenario) {
	for name, e := range ending {
		all = append(all, scenario{name: name + " and a call", small: name == "Suspend", join: func(w *race) {
			w.hold()
			w.callsIn()
			w.changes("root", answered, e.change)
			w.streams()
			w.lapses()
			w.beats(nil)
		}})
	}
	return all
}

// acrossAGap has a stream end and another begin, while changes are made here
// and elsewhere.
func acrossAGap() (all []scenario) {
	for name, e := range ending {
		all = append(all,
			scenario{name: name + " elsewhere, in a gap", small: name == "Suspend" || name == "Delete", join: func(w *race) {
				w.loses()
				w.logsIn("login", right)
				w.commits("elsewhere", e.become)
				w.streams()
			}},
			scenario{name: name + " elsewhere, in a gap past the lease", join: func(w *race) {
				follower := w.loses()
				w.logsIn("login", right)
				w.commits("elsewhere", e.become)
				w.streams()
				w.lapses()
				w.beats(follower)
			}},
			scenario{name: name + " in a gap", join: func(w *race) {
				w.loses()
				w.logsIn("login", right)
				w.changes("root", answered, e.change)
				w.streams()
			}},
		)
	}
	return append(all, scenario{name: "Delete and create elsewhere, in a gap", join: func(w *race) {
		w.loses()
		w.logsIn("login", right)
		w.commits("elsewhere", gone, reborn)
		w.streams()
	}})
}

// nowhere is an audit log that costs nothing.
func nowhere(t *testing.T) *audit.Log {
	t.Helper()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit", "audit.jsonl"), audit.Options{
		OpenFile: func(path string) (audit.File, error) {
			file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
			return unwritten{file}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

type unwritten struct{ *os.File }

func (unwritten) Write(b []byte) (int, error) { return len(b), nil }
func (unwritten) Sync() error                 { return nil }
