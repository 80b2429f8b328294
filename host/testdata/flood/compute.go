package main

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// slice is the time in which a processor that is not wholly taken is taken for
// a part.
const slice = 10 * time.Millisecond

// compute keeps processors busy with plain computation.
func compute(ctx context.Context, o options) tally {
	var all sync.WaitGroup
	for left := o.cores; left > 0.01; left-- {
		busy := time.Duration(min(left, 1) * float64(slice))
		all.Go(func() {
			block := make([]byte, 4096)
			for ctx.Err() == nil {
				for began := time.Now(); time.Since(began) < busy; {
					sum := sha256.Sum256(block)
					copy(block, sum[:])
				}
				if busy < slice {
					time.Sleep(slice - busy)
				}
			}
		})
	}
	all.Wait()
	return tally{}
}
