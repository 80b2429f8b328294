package fault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// A scene is a real host under the load of many clients, which is harmed in one
// way after another while every call and its answer is written down.
//
// To add a fault:
//
//  1. Write an injector: it harms s.host, sees that what should go on goes on
//     (s.goesOn), and mends the harm before it returns. It draws from s.draw,
//     runs in the test's goroutine, and may call every method of s.host. The
//     load runs before, during and after it.
//  2. Put it into a table, map[string]injector, and hand that to harmAll, with
//     the settings that the host is to have.
//
// harmAll runs rounds until the time is over, one injector in each. After a
// round the clients rest, every account is read, and the models judge what was
// told (judge_test.go). What the harm leaves behind must be gone at the end.
// An injector that stops the plugin for longer than the lease calls s.stop,
// which also writes down for the judges when it was stopped.
type injector func(t *testing.T, s *scene)

// sceneOptions say how a scene's host differs from the usual one.
type sceneOptions struct {
	plugin   string            // the executable; empty: the bolt plugin
	settings map[string]string // of the plugin
	host     []string          // lines of concourse.yaml
	env      []string
	place    func(*testing.T, *hosttest.Host) // prepares the home before the first start
	// nonsense says that calls may end with any kind of error, and sessions for
	// no reason: the plugin is not right.
	nonsense bool
}

// The settings under which calls end soon. The longest that a call may take is
// a login's: the throttle lets it wait for 5 s, the lease and the plugin for the
// call timeout, and the audit log's question for 2 s more. The rest of bound is
// for a busy machine, and for the time that a host is stopped.
const (
	lease       = time.Second
	leaseWait   = time.Second
	callTimeout = 3 * time.Second
	bound       = 45 * time.Second
)

// How a load is made.
const (
	workers  = 8  // over the management socket
	commands = 1  // over the command line
	watchers = 3  // of tokens
	underWay = 20 // acknowledged changes without which nothing is harmed

	enough = 1500 // things done in a round, from which on clients go slowly
	slowly = 10 * pause
)

type scene struct {
	host *hosttest.Host
	draw *rand.Rand // the test's goroutine's own

	*history
	options sceneOptions
	beliefs *beliefs
	clients []*client
	battle  atomic.Bool // of this round's clients
	keeper  *client     // the scene's own, while the others rest
	judge   *judge
	rounds  int
	load    *load // nil: the clients rest
}

// load is what the clients do in one round.
type load struct {
	stop   chan struct{}
	done   sync.WaitGroup
	things atomic.Int64 // that were done
}

func newScene(t *testing.T, o sceneOptions) *scene {
	t.Helper()
	seed := hosttest.Seed(t)
	settings := []string{
		fmt.Sprintf("lease: %v", lease), fmt.Sprintf("lease_wait: %v", leaseWait), fmt.Sprintf("call_timeout: %v", callTimeout),
		"audit.max_size: 1GiB", "metrics.address: 127.0.0.1:0",
	}
	if o.plugin != "" {
		settings = append(settings, "plugin.path: "+o.plugin)
	}
	if len(o.settings) > 0 {
		settings = append(settings, "plugin.settings:")
	}
	for name, value := range o.settings {
		settings = append(settings, fmt.Sprintf("  %s: '%s'", name, value))
	}
	s := &scene{
		host: hosttest.New(t, append(settings, o.host...)...), draw: rand.New(rand.NewPCG(seed, 0)),
		history: &history{}, options: o, beliefs: newBeliefs(),
	}
	s.host.Env = o.env
	if o.place != nil {
		o.place(t, s.host)
	}
	s.host.Start()
	s.start = time.Now()
	s.keeper = s.client("keeper", (*client).step)
	for n := range workers {
		s.clients = append(s.clients, s.client(fmt.Sprintf("worker%d", n), (*client).step))
	}
	for n := range commands {
		s.clients = append(s.clients, s.client(fmt.Sprintf("command%d", n), (*client).command))
	}
	for n := range watchers {
		s.clients = append(s.clients, s.client(fmt.Sprintf("watcher%d", n), (*client).watch))
	}
	t.Cleanup(func() {
		s.leave()
		if t.Failed() {
			s.judge.unfinished(t, s)
			t.Logf("the last calls that nobody judged:\n%s", s.lastCalls())
		}
	})
	s.judge = newJudge(s.host.AuditLog())
	s.beliefs.of[hosttest.Administrator].failures = 0
	s.rest(t)
	return s
}

func (s *scene) client(name string, step func(*client, context.Context)) *client {
	return &client{
		history: s.history, host: s.host, beliefs: s.beliefs, name: name, battle: &s.battle, act: step,
		draw: rand.New(rand.NewPCG(s.draw.Uint64(), uint64(len(s.clients)))),
	}
}

// leave ends every client's session.
func (s *scene) leave() {
	for _, c := range s.clients {
		c.leave()
	}
}

// harmAll harms a new scene in every way, in an order drawn from the seed, until
// the time is over.
func harmAll(t *testing.T, o sceneOptions, lasts time.Duration, faults map[string]injector) {
	s := newScene(t, o)
	if s.round(t, calm); t.Failed() {
		return // nothing is known any more
	}
	s.leave()
	before := s.measure(t)
	injected := map[string]int{}
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		for _, name := range shuffled(s.draw, faults) {
			if !t.Run(name, func(t *testing.T) { s.round(t, faults[name]) }) {
				return
			}
			if injected[name]++; !time.Now().Before(end) {
				break
			}
		}
	}
	s.round(t, calm)
	s.leave()
	s.settles(t, before)
	s.judge.finish(t, s)
	s.keepsSecrets(t)
	t.Logf("injected: %v", injected)
}

// calm harms nothing.
func calm(*testing.T, *scene) {}

func shuffled(draw *rand.Rand, faults map[string]injector) (order []string) {
	for name := range faults {
		order = append(order, name)
	}
	slices.Sort(order)
	draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// round harms the scene once, under load, and judges what everybody was told.
func (s *scene) round(t *testing.T, harm injector) {
	t.Helper()
	s.rounds++
	s.muster(t)
	s.battle.Store(s.draw.IntN(2) == 0)
	s.begin(t.Context())
	defer s.end()
	s.getsOn(t, underWay)
	harm(t, s)
	s.goesOn(t)
	s.end()
	s.rest(t)
}

func (s *scene) begin(ctx context.Context) {
	l := &load{stop: make(chan struct{})}
	s.load = l
	for _, c := range s.clients {
		l.done.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				c.act(c, ctx)
				c.rest()
				if l.things.Add(1) > enough {
					time.Sleep(slowly)
				}
			}
		})
	}
}

// end lets the clients finish what they have begun.
func (s *scene) end() {
	if s.load != nil {
		close(s.load.stop)
		s.load.done.Wait()
		s.load = nil
	}
}

// goesOn waits until changes are acknowledged again.
func (s *scene) goesOn(t *testing.T) {
	t.Helper()
	s.getsOn(t, 10)
}

// getsOn waits until so many more changes were asked for and acknowledged.
func (s *scene) getsOn(t *testing.T, n int) {
	t.Helper()
	from := s.now()
	hosttest.Await(t, fmt.Sprintf("%d more changes are acknowledged", n), func() bool {
		return s.count(func(c *call) bool { return c.changes() && c.err == nil && c.began >= from }) >= n
	})
}

// rest reads the accounts while the clients rest, and has everything judged that
// was told since the last time.
func (s *scene) rest(t *testing.T) {
	t.Helper()
	s.enter(t)
	defer s.keeper.leave()
	list := s.sure(t, call{verb: verbList})
	are := map[string]state{}
	for _, found := range list.found {
		is := found.state
		for p := 1; p < len(passwords) && is.password == 0; p++ {
			k := s.sure(t, call{verb: verbCheck, target: found.name, wish: wish{password: p}})
			if k.matches {
				is.password = p
			}
		}
		if is.password == 0 {
			t.Errorf("'%s' has a password that nobody set", found.name)
		}
		are[found.name] = is
	}
	s.judge.round(t, s, are)
}

// enter logs the keeper in as any administrator that is left: there always is
// one (rule 7).
func (s *scene) enter(t *testing.T) {
	t.Helper()
	hosttest.Await(t, "an enabled ADMIN can log in", func() bool {
		for _, name := range admins {
			believed := s.beliefs.password(name)
			for n := range len(passwords) - 1 {
				in, err := s.keeper.login(t.Context(), name, 1+(believed-1+n)%(len(passwords)-1))
				if err == nil {
					s.keeper.session = in
					return true
				}
				if account.KindOf(err) != account.KindNotAuthenticated {
					break
				}
			}
		}
		return false
	})
}

// muster raises administrators that have fallen, not always all of them.
func (s *scene) muster(t *testing.T) {
	t.Helper()
	s.enter(t)
	defer s.keeper.leave()
	yes := true
	for _, name := range admins {
		if s.judge.known[name].administers() || s.draw.IntN(3) == 0 {
			continue
		}
		s.sure(t, call{verb: account.VerbApply, target: name, wish: wish{
			role: account.Admin, enabled: &yes, password: 1 + s.draw.IntN(len(passwords)-1),
		}})
	}
}

// sure makes a call as the keeper, which must succeed: all is well, though
// perhaps busy.
func (s *scene) sure(t *testing.T, c call) *call {
	t.Helper()
	c.client, c.by = s.keeper.name, s.keeper.session
	var k *call
	hosttest.Await(t, fmt.Sprintf("%s '%s' succeeds while all is well", c.verb, c.target), func() bool {
		one := c
		k = &one
		k.began = s.now()
		s.keeper.carry(t.Context(), k)
		return k.err == nil
	})
	return k
}

// stop stops the plugin for so long, or until the host replaces it.
func (s *scene) stop(t *testing.T, lasts time.Duration) {
	t.Helper()
	s.host.StopPlugin()
	from, pid := s.now(), s.host.PluginPID()
	to := from
	for to-from < lasts {
		now := s.now()
		if !stopped(t, pid) {
			break
		}
		to = now
		time.Sleep(pause)
	}
	if stopped(t, pid) {
		resume(pid)
	}
	s.judge.stops = append(s.judge.stops, window{from, to})
}
