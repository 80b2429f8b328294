package supervisor

import (
	"math/rand/v2"
	"time"
)

// backoff spaces restarts: the first at once, then doubling up to a bound,
// each shortened by up to a half so that many hosts do not restart in step.
type backoff struct {
	least, most time.Duration
	restarts    int
}

func (b *backoff) next() time.Duration {
	n := b.restarts
	b.restarts++
	if n == 0 {
		return 0
	}
	d := b.most
	if n-1 < 30 {
		d = min(b.least<<(n-1), b.most)
	}
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.restarts = 0 }
