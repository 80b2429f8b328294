package bench_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is work that many do at once.
type load struct {
	callers int
	calls   int // of all of them together, in one block
	do      func(caller int) error
}

// take returns how many calls a second one block came to, and the time of each
// call.
func (l *load) take(b *testing.B) (perSecond float64, times []float64) {
	b.Helper()
	calls := l.calls
	if testing.Short() {
		calls = l.callers
	}
	times = make([]float64, calls)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for caller := range l.callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < calls; i = int(next.Add(1)) - 1 {
				asked := time.Now()
				if err := l.do(caller); err != nil {
					b.Errorf("caller %d: %v", caller, err)
					return
				}
				times[i] = float64(time.Since(asked).Nanoseconds())
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	if b.Failed() {
		b.FailNow()
	}
	return float64(calls) / took.Seconds(), times
}

// against takes blocks of both loads in turn, and reports the first one's rate
// and latencies, and the median over the rounds of its rate in the second one's.
func (l *load) against(b *testing.B, floor *load) {
	b.Helper()
	var all, rates, floors, ratios []float64
	for b.Loop() {
		rate, times := l.take(b)
		least, _ := floor.take(b)
		all = append(all, times...)
		rates, floors, ratios = append(rates, rate), append(floors, least), append(ratios, rate/least)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(all)), "samples")
	b.ReportMetric(percentile(all, 50), "p50-ns")
	b.ReportMetric(percentile(all, 99), "p99-ns")
	b.ReportMetric(median(rates), "per-s")
	b.ReportMetric(median(floors), "floor-per-s")
	b.ReportMetric(median(ratios), "ratio")
}
