package soak_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Bounds on what a flood may cost. A user of the socket's group has 256
// connections with 16 calls at once, each of some 20 KiB while it waits.
const (
	mostHost    = 128 << 20 // bytes resident
	mostPerUser = 96 << 20  // and for each user who floods
	mostPlugin  = 256 << 20

	mostRatio = 2.0 // of the flood's p99 to that beside as much plain computation
)

// firstUser is the uid of the first of those who flood. None of them exists.
const firstUser = 64400

// scenario is a flood.
type scenario struct {
	name  string
	users int  // who flood the management socket
	long  bool // only in the long form
	start func(h *hosttest.Host, t *testing.T) []*load
}

// perUser is how many connections a user may have.
const perUser = 256

// fromUsers floods the management socket as other users, with all connections
// that they may have.
func fromUsers(n int, more ...string) func(h *hosttest.Host, t *testing.T) []*load {
	return func(h *hosttest.Host, t *testing.T) (all []*load) {
		for i := range n {
			all = append(all, startLoad(t, firstUser+i, append([]string{"logins", "-socket", h.Socket(), "-known", attacked,
				"-connections", fmt.Sprint(perUser), "-streams", "16"}, more...)...))
		}
		return all
	}
}

// fromAddresses floods the clients' listener, where sources are addresses.
func fromAddresses(n int) func(h *hosttest.Host, t *testing.T) []*load {
	return func(h *hosttest.Host, t *testing.T) []*load {
		return []*load{startLoad(t, self, "client-logins", "-socket", filepath.Join(h.Home, "clients.sock"), "-known", attacked,
			"-connections", "8", "-streams", "256", "-addresses", fmt.Sprint(n))}
	}
}

// scenarios are the floods that this user can make: only root is many users.
func scenarios(t *testing.T) []scenario {
	all := []scenario{
		{name: "one address", long: true, start: fromAddresses(1)},
		{name: "50,000 addresses", start: fromAddresses(50_000)},
	}
	if os.Geteuid() != 0 {
		t.Log("only root can be many users of the management socket: it is flooded as clients flood only")
		return all
	}
	return append([]scenario{
		{name: "one user", users: 1, start: fromUsers(1)},
		{name: "one user with long names", users: 1, start: fromUsers(1, "-padding", "400000")},
		{name: "eight users", users: 8, long: true, start: fromUsers(8)},
	}, all...)
}

// attacked is an administrator whose name the floods submit; other is one whose
// name they do not.
const attacked, other = "attacked", "other"

// TestSoakFlood floods a host with logins. Administrators' commands stay nearly
// as fast as beside as much plain computation, memory stays bounded, and nobody
// else is locked out, the account under attack from another source included.
func TestSoakFlood(t *testing.T) {
	span := hosttest.Span(t, "CONCOURSE_SOAK", 0)
	long := span > 0
	phase, rounds := time.Second/2, 1
	all := scenarios(t)
	if long {
		phase, rounds = 5*time.Second, max(3, int(span/3)/(len(all)*2*int(5*time.Second+settle)))
	}
	for _, s := range all {
		if s.long && !long {
			continue
		}
		t.Run(strings.ReplaceAll(s.name, " ", "-"), func(t *testing.T) { flooded(t, s, phase, rounds, long) })
	}
}

// settle is how long a load runs before what it does is measured.
const settle = 500 * time.Millisecond

func flooded(t *testing.T, s scenario, phase time.Duration, rounds int, long bool) {
	h := startFlooded(t)
	o := newOnlooker(t, h)
	o.look(phase, nil) // warms up
	before, routines := usageOf(t, h.PID()), goroutines(t, h)

	ratios := map[string][]float64{}
	total := tally{Answers: map[string]int{}}
	for round := range rounds {
		loads := s.start(h, t)
		hosttest.Await(t, "the flood has its connections", func() bool {
			return usageOf(t, h.PID()).descriptors > before.descriptors+s.users*perUser/2
		})
		time.Sleep(settle)
		flood := o.look(phase, loads)
		for _, l := range loads {
			r := l.end()
			total.Attempts += r.Attempts
			for answer, n := range r.Answers {
				total.Answers[answer] += n
			}
		}
		// A flood that waits takes no processor: neither does what it is held against.
		computation := startLoad(t, self, "compute", "-cores", fmt.Sprint(flood.cores))
		time.Sleep(settle)
		plain := o.look(phase, nil)
		computation.end()
		for _, command := range commands {
			f, p := flood.took[command], plain.took[command]
			ratio := float64(f.p99()) / float64(p.p99())
			ratios[command] = append(ratios[command], ratio)
			t.Logf("round %d, %s: beside the flood %v; beside plain computation of %.2f processors %v: p99 %.2f times", round, command, f, flood.cores, p, ratio)
			if most := 10*p.median() + time.Second/2; f.median() > most {
				t.Errorf("%s takes %v beside the flood, more than %v", command, f.median(), most)
			}
		}
	}
	for _, command := range commands {
		ratio := medianOf(ratios[command])
		t.Logf("%s: the median of %d rounds is %.2f times", command, rounds, ratio)
		if long && ratio > mostRatio {
			t.Errorf("%s: p99 is %.2f times that beside plain computation, more than %v", command, ratio, mostRatio)
		}
	}
	most := int64(mostHost + s.users*mostPerUser)
	t.Logf("%d attempts: %v; at most the host had %.0f MiB (may have %.0f) and the plugin %.0f MiB (%.0f)",
		total.Attempts, total.Answers, mib(o.mostHost), mib(most), mib(o.mostPlugin), mib(mostPlugin))
	if o.mostHost > most || o.mostPlugin > mostPlugin {
		t.Error("that is more memory than a flood may cost")
	}
	if total.Attempts == 0 || total.Answers["ok"] > 0 {
		t.Error("this was no flood of refusals")
	}
	hosttest.Await(t, "descriptors and goroutines are what they were", func() bool {
		return usageOf(t, h.PID()).descriptors <= before.descriptors+2 && goroutines(t, h) <= routines+8
	})
}

// startFlooded starts a host that other users may flood, and clients.
func startFlooded(t *testing.T) *hosttest.Host {
	t.Helper()
	// Others may run what is there, and so be loads of their own.
	for _, dir := range []string{hosttest.Bin(t), filepath.Dir(hosttest.Build(t, "./host/testdata/flood"))} {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	settings := []string{measured}
	if os.Geteuid() == 0 {
		settings = append(settings, fmt.Sprintf("management.socket_group: '%d'", socketGroup))
	}
	return hosttest.StartWithClients(t, settings...)
}

// onlooker is an administrator at work while something loads the machine.
type onlooker struct {
	t      *testing.T
	h      *hosttest.Host
	admin  *management.Client
	plugin int

	n                    int
	mostHost, mostPlugin int64 // bytes resident, so far
}

func newOnlooker(t *testing.T, h *hosttest.Host) *onlooker {
	t.Helper()
	o := &onlooker{t: t, h: h, admin: h.Admin(), plugin: h.PluginPID()}
	for _, name := range []string{attacked, other} {
		r := account.Create{Username: name, Password: account.Secret(hosttest.Password), Role: account.Admin}
		if _, err := o.admin.Create(t.Context(), account.RequestID{}, r); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// The commands whose times are taken: through an open session, and by a command
// line that logs in.
const (
	showInSession  = "show in a session"
	grantInSession = "grant in a session"
	commandLine    = "a command line"
)

var commands = []string{showInSession, grantInSession, commandLine}

// seen is what an onlooker saw.
type seen struct {
	took  map[string]latencies
	cores float64 // that the load kept busy, with what it made host and plugin do
}

// look works for a while, and fails the test when a command fails.
func (o *onlooker) look(span time.Duration, loads []*load) seen {
	o.t.Helper()
	s := seen{took: map[string]latencies{}}
	took := func(command string, do func() error) time.Duration {
		began := time.Now()
		if err := do(); err != nil {
			o.t.Errorf("%s: %v", command, err)
		}
		d := time.Since(began)
		s.took[command] = append(s.took[command], d)
		return d
	}
	used := func() (all time.Duration) {
		for _, l := range loads {
			all += usageOf(o.t, l.pid()).processor
		}
		if len(loads) > 0 {
			all += usageOf(o.t, o.h.PID()).processor + usageOf(o.t, o.plugin).processor
		}
		return all
	}
	before, began := used(), time.Now()
	// Nobody waits for a machine that is too slow: a few of each are enough.
	for i := 0; time.Since(began) < span || i < 3; i++ {
		for range 10 {
			took(showInSession, func() error { _, err := o.admin.Show(o.t.Context(), other); return err })
			took(grantInSession, func() error {
				o.n++
				g := account.Grant{Username: other, Environment: fmt.Sprint("e", o.n%100), Permission: account.Read}
				_, err := o.admin.Grant(o.t.Context(), account.RequestID{}, g)
				return err
			})
			time.Sleep(time.Millisecond)
		}
		took(commandLine, func() error { return o.commandLine([]string{hosttest.Administrator, other, attacked}[i%3]) })
		o.mostHost = max(o.mostHost, usageOf(o.t, o.h.PID()).rss)
		o.mostPlugin = max(o.mostPlugin, usageOf(o.t, o.plugin).rss)
	}
	s.cores = (used() - before).Seconds() / time.Since(began).Seconds()
	return s
}

// commandLine logs in as the administrator and shows an account.
func (o *onlooker) commandLine(username string) error {
	cmd := o.h.Command("users", "show", other, "--username", username)
	cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
	if out := o.h.RunCommand(cmd, ""); out.Code != 0 {
		return fmt.Errorf("exit code %d: %s", out.Code, out.Stderr)
	}
	return nil
}
