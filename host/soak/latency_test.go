package soak_test

import (
	"fmt"
	"slices"
	"time"
)

// latencies are how long calls took.
type latencies []time.Duration

// at returns the quantile, of 0 to 1.
func (l latencies) at(quantile float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return sorted[min(int(quantile*float64(len(l))), len(l)-1)]
}

func (l latencies) median() time.Duration { return l.at(0.5) }

func (l latencies) p99() time.Duration { return l.at(0.99) }

func (l latencies) String() string {
	return fmt.Sprintf("median %v, p99 %v of %d", l.median().Round(10*time.Microsecond), l.p99().Round(10*time.Microsecond), len(l))
}

// medianOf returns the middle one.
func medianOf(ratios []float64) float64 {
	sorted := slices.Sorted(slices.Values(ratios))
	return sorted[len(sorted)/2]
}
