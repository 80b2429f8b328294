package bench_test

import (
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// BenchmarkFrontMemory is by how much the host's own memory grows with each of
// many connections at rest, on all of which a call was made, and with each of many
// sessions at rest, all of which have made a call: after a collection of garbage,
// and with what was given back to the system.
func BenchmarkFrontMemory(b *testing.B) {
	name, n := "1e4", 10_000
	if testing.Short() {
		name, n = "1e2", 100
	}
	for _, of := range []struct {
		what, unit string
		grow       func(f *restful, b *testing.B, n int) float64
	}{
		{"connections", "B/connection", (*restful).connections},
		{"sessions", "B/session", (*restful).sessions},
	} {
		b.Run(of.what+"="+name, func(b *testing.B) {
			var sizes []float64
			for b.Loop() {
				f := newRestful(b)
				sizes = append(sizes, of.grow(f, b, n)/float64(n))
				f.Stop()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(sizes), of.unit)
		})
	}
}

// atOnce is how many do something at once.
const atOnce = 16

// restful is a host, at which any password is good, that collects its garbage
// when it is asked to.
type restful struct{ *front }

func newRestful(b *testing.B) *restful {
	b.Helper()
	f := &front{data: dataServer(b)}
	f.Host = plainly(hosttest.New(b, f.settings(hosttest.OpenAccounts(b, 1)...)...))
	f.Executable = hosttest.Build(b, "./host/bench/testdata/collected")
	f.Env = append(f.Env, "CONCOURSE_PLUGIN_DIRECTORY="+filepath.Join(hosttest.Bin(b), "plugins"))
	f.Start()
	return &restful{f}
}

// connections returns by how many bytes n connections make the host grow, which
// all show the token of one session.
func (f *restful) connections(b *testing.B, n int) float64 {
	b.Helper()
	request := f.request(b, f.ClientAddress(), hosttest.Administrator, hosttest.Password, smallRead)
	all := make([]*line, n)
	defer func() {
		for _, l := range all {
			if l != nil {
				l.Close()
			}
		}
	}()
	lines(b, f.ClientAddress(), 4*atOnce, request) // so that what is there once is there
	return f.grown(b, n, func(_, i int) (err error) {
		all[i], err = newLine(f.ClientAddress(), request)
		return err
	})
}

// sessions returns by how many bytes n sessions make the host grow, over a few
// connections.
func (f *restful) sessions(b *testing.B, n int) float64 {
	b.Helper()
	var drivers [atOnce]*driver.Driver
	for i := range drivers {
		drivers[i] = driver.Dial(b, f.ClientAddress(), driver.Options{})
	}
	environment := "default"
	begin := func(worker, _ int) error {
		token, err := drivers[worker].Login(hosttest.Administrator, hosttest.Password, environment)
		if err != nil {
			return err
		}
		_, err = drivers[worker].Call(smallRead, driver.Call{Token: token, Environment: &environment})
		return err
	}
	f.grown(b, 4*atOnce, begin)
	return f.grown(b, n, begin)
}

// grown does something n times and returns by how many bytes that made the host
// grow.
func (f *restful) grown(b *testing.B, n int, do func(worker, i int) error) float64 {
	b.Helper()
	before := f.rests(b)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for worker := range atOnce {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(worker, i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return f.rests(b) - before
}

// rests has the host collect its garbage, and returns how many bytes it has that
// are no file's.
func (f *restful) rests(b *testing.B) float64 {
	b.Helper()
	asked, err := net.Dial("unix", filepath.Join(f.Home, "collect.sock"))
	if err != nil {
		b.Fatal(err)
	}
	defer asked.Close()
	if _, err := io.Copy(io.Discard, asked); err != nil {
		b.Fatal(err)
	}
	m := memory{directory: filepath.Join("/proc", strconv.Itoa(f.PID()))}
	mib, err := m.read("RssAnon")
	if err != nil {
		b.Fatal(err)
	}
	return mib * (1 << 20)
}
