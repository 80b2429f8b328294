package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	span     = 2500 * time.Millisecond // of each result
	most     = 64                      // callers at once
	patience = 30 * time.Second        // with a peer that does not answer
)

// The numbers of callers whose results the tables compare.
var (
	alone = []int{1}
	all   = []int{1, 16, most}
)

// operation is what callers ask of a peer, each over its own connection.
type operation struct {
	name    string
	callers []int
	before  func(ctx context.Context) error // precedes each result, untimed; nil for nothing
	do      func(ctx context.Context, caller int) error
}

// take lets the callers ask again and again, and returns the time of each call
// and how long all took together. The first call of all is nobody's.
func (o operation) take(ctx context.Context, callers int) (times []time.Duration, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, span+2*patience)
	defer cancel()
	if o.before != nil {
		if err := o.before(ctx); err != nil {
			return nil, 0, err
		}
	}
	if err := o.do(ctx, 0); err != nil {
		return nil, 0, err
	}
	each, failed := make([][]time.Duration, callers), make([]error, callers)
	var everyone sync.WaitGroup
	began := time.Now()
	for caller := range callers {
		everyone.Go(func() {
			for asked := time.Now(); asked.Sub(began) < span && failed[caller] == nil; {
				failed[caller] = o.do(ctx, caller)
				answered := time.Now()
				each[caller] = append(each[caller], answered.Sub(asked))
				asked = answered
			}
		})
	}
	everyone.Wait()
	took = time.Since(began)
	if err := errors.Join(failed...); err != nil {
		return nil, 0, err
	}
	return slices.Concat(each...), took, nil
}

// line is a result in the form of "go test -bench". The rate of a single caller
// is its median's, as that of ours is in the tables.
func line(peer, op string, callers int, times []time.Duration, took time.Duration) string {
	slices.Sort(times)
	p50, p99 := percentile(times, 50), percentile(times, 99)
	rate := float64(len(times)) / took.Seconds()
	if callers == 1 {
		rate = 1 / p50.Seconds()
	}
	return fmt.Sprintf("BenchmarkPeer/peer=%s/op=%s/callers=%d-%d\t%d\t%d p50-ns\t%d p99-ns\t%.1f per-s",
		peer, op, callers, runtime.GOMAXPROCS(0), len(times), p50.Nanoseconds(), p99.Nanoseconds(), rate)
}

// percentile is the nearest rank's, of times in their order.
func percentile(times []time.Duration, p int) time.Duration {
	return times[min(len(times)*p/100, len(times)-1)]
}
