package bench_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// pace is calls that come when they are due, whether those before are answered or
// not, from several connections in turn.
type pace struct {
	lines     []*line
	perSecond int
	calls     int
}

// take returns the time of each call of one block.
func (p *pace) take(b *testing.B) []float64 {
	b.Helper()
	calls := p.calls
	if testing.Short() {
		calls = len(p.lines)
	}
	times, failed := make([]float64, calls), make([]error, len(p.lines))
	began := time.Now()
	var all sync.WaitGroup
	for k, l := range p.lines {
		all.Go(func() {
			for i := k; i < calls && failed[k] == nil; i += len(p.lines) {
				time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(p.perSecond))))
				asked := time.Now()
				failed[k] = l.call()
				times[i] = float64(time.Since(asked).Nanoseconds())
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		b.Fatal(err)
	}
	return times
}

// BenchmarkRelay makes one small read after another at a thousand a second,
// through the host, directly, and through a process that only passes bytes on,
// half a second each in turn. What the relay adds is the difference of medians,
// and of 99th percentiles, within the same second.
func BenchmarkRelay(b *testing.B) {
	const perSecond, connections = 1000, 8
	f := newFront(b)
	paced := func(lines []*line) *pace { return &pace{lines: lines, perSecond: perSecond, calls: perSecond / 2} }
	relayed, direct := paced(f.relayed(b, connections, smallRead)), paced(f.direct(b, connections, smallRead))
	passed := paced(f.passed(b, connections, smallRead))
	b.Run(fmt.Sprintf("rate=%d", perSecond), func(b *testing.B) {
		var ours, theirs, others, added, addedLate, ratios []float64
		for b.Loop() {
			times, least := relayed.take(b), direct.take(b)
			ours, theirs, others = append(ours, times...), append(theirs, least...), append(others, passed.take(b)...)
			added, ratios = append(added, median(times)-median(least)), append(ratios, median(times)/median(least))
			addedLate = append(addedLate, percentile(times, 99)-percentile(least, 99))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(len(ours)), "samples")
		b.ReportMetric(percentile(ours, 50), "p50-ns")
		b.ReportMetric(percentile(ours, 99), "p99-ns")
		b.ReportMetric(percentile(theirs, 50), "floor-p50-ns")
		b.ReportMetric(percentile(theirs, 99), "floor-p99-ns")
		b.ReportMetric(percentile(others, 50), "passing-p50-ns")
		b.ReportMetric(percentile(others, 99), "passing-p99-ns")
		b.ReportMetric(median(added), "added-p50-ns")
		b.ReportMetric(median(addedLate), "added-p99-ns")
		b.ReportMetric(median(ratios), "ratio")
	})
}

const smallRead = "getKeyRecord"

// BenchmarkRelayThroughput is how many small reads a second come through the host
// on many connections, against as many directly; and how many come through a
// process that only passes bytes on, against as many directly.
func BenchmarkRelayThroughput(b *testing.B) {
	f := newFront(b)
	for _, callers := range []int{16, 64} {
		over := func(lines []*line) *load {
			return &load{callers: callers, calls: 6000, do: func(caller int) error { return lines[caller].call() }}
		}
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			over(f.relayed(b, callers, smallRead)).against(b, over(f.direct(b, callers, smallRead)))
		})
		b.Run(fmt.Sprintf("callers=%d/through=passing", callers), func(b *testing.B) {
			over(f.passed(b, callers, smallRead)).against(b, over(f.direct(b, callers, smallRead)))
		})
	}
}

// BenchmarkRelayLarge reads 1 MiB, through the host and directly.
func BenchmarkRelayLarge(b *testing.B) {
	f := newFront(b)
	relayed, direct := f.relayed(b, 1, "jsonifyRecords")[0], f.direct(b, 1, "jsonifyRecords")[0]
	comparison{subject: work{do: relayed.call}, floor: []work{{name: "direct", do: direct.call}}}.run(b)
}

// BenchmarkFrontLogins is how many logins a second drivers get through on the
// client port, against hashes alone, one on each processor.
func BenchmarkFrontLogins(b *testing.B) {
	h := plainly(hosttest.New(b, append(settingsOf(b, fewestOf()), "client.address: localhost:0")...))
	h.Start()
	for _, callers := range []int{16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			drivers := make([]*driver.Driver, callers)
			for i := range drivers {
				drivers[i] = driver.Dial(b, h.ClientAddress(), driver.Options{})
			}
			hashing := hash(b)
			const calls = 128
			subject := load{callers: callers, calls: calls, do: func(caller int) error {
				username := fmt.Sprintf("user%d", caller)
				token, err := drivers[caller].Login(username, hosttest.Password, "default")
				for ; err != nil && strings.Contains(err.Error(), "try again"); token, err = drivers[caller].Login(username, hosttest.Password, "default") {
					time.Sleep(100 * time.Millisecond)
				}
				if err != nil {
					return err
				}
				return drivers[caller].Logout(token, "default")
			}}
			subject.against(b, &load{callers: runtime.GOMAXPROCS(0), calls: calls, do: func(int) error { return hashing.do() }})
		})
	}
}
