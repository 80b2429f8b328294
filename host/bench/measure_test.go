package bench_test

import (
	"slices"
	"testing"
	"time"
)

// work is something of which the time is taken, call by call.
type work struct {
	name   string // of its metric; empty for a benchmark's subject
	do     func() error
	batch  int                 // calls that are timed as one, where one is too short for the clock; 0: 1
	after  func() error        // follows each call, untimed
	during func() (end func()) // goes on beside every block, untimed
}

// block is how long each work is measured before it is another's turn.
const (
	block  = 60 * time.Millisecond
	fewest = 3 // calls in a block, however long they take
)

// take returns the times of one block's calls, or of one call in a short run.
func (w *work) take(b *testing.B) []float64 {
	b.Helper()
	if w.during != nil {
		defer w.during()()
	}
	batch := max(w.batch, 1)
	var times []float64
	for end := time.Now().Add(block); time.Now().Before(end) || len(times) < fewest; {
		began := time.Now()
		for range batch {
			if err := w.do(); err != nil {
				b.Fatalf("%s: %v", w.name, err)
			}
		}
		times = append(times, float64(time.Since(began).Nanoseconds())/float64(batch))
		if w.after != nil {
			if err := w.after(); err != nil {
				b.Fatal(err)
			}
		}
		if testing.Short() {
			break
		}
	}
	return times
}

// once makes one call, untimed: the first is another's, who opens connections and
// fills caches.
func (w *work) once(b *testing.B) {
	b.Helper()
	if testing.Short() {
		return
	}
	err := w.do()
	if err == nil && w.after != nil {
		err = w.after()
	}
	if err != nil {
		b.Fatalf("%s: %v", w.name, err)
	}
}

// comparison is a benchmark's subject beside what it is compared with.
type comparison struct {
	subject work
	floor   []work // whose medians add up to the floor
	aside   []work // told beside it, in no sum
	like    []work // the same elsewhere: how many times theirs the subject takes, by their names
}

func (c *comparison) works() []work {
	return slices.Concat([]work{c.subject}, c.floor, c.aside, c.like)
}

// run takes a block of each work in turn, round after round, so that what else
// the machine does meets all alike. It reports the subject's median and 99th
// percentile over all calls, and of what is compared the median over the rounds:
// each round's medians are from within the same second.
func (c comparison) run(b *testing.B) {
	b.Helper()
	var all, floors, ratios, over []float64
	parts, likes := map[string][]float64{}, map[string][]float64{}
	for _, w := range c.works() {
		w.once(b)
	}
	for b.Loop() {
		times := c.subject.take(b)
		all = append(all, times...)
		p50, floor := median(times), 0.0
		for _, w := range c.floor {
			part := median(w.take(b))
			floor += part
			parts[w.name] = append(parts[w.name], part)
		}
		for _, w := range c.aside {
			parts[w.name] = append(parts[w.name], median(w.take(b)))
		}
		for _, w := range c.like {
			likes[w.name] = append(likes[w.name], p50/median(w.take(b)))
		}
		floors, ratios, over = append(floors, floor), append(ratios, p50/floor), append(over, p50-floor)
	}
	b.ReportMetric(0, "ns/op") // of a round, which nobody wants to know
	b.ReportMetric(float64(len(all)), "samples")
	b.ReportMetric(percentile(all, 50), "p50-ns")
	b.ReportMetric(percentile(all, 99), "p99-ns")
	for name, medians := range parts {
		b.ReportMetric(median(medians), name+"-ns")
	}
	for name, ratios := range likes {
		b.ReportMetric(median(ratios), name)
	}
	b.ReportMetric(median(floors), "floor-p50-ns")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(over), "over-ns")
}

func median(times []float64) float64 { return percentile(times, 50) }

// percentile is the nearest rank's.
func percentile(times []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
