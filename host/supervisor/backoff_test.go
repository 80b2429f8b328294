package supervisor

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	b := backoff{least: 100 * time.Millisecond, most: 10 * time.Second}
	if d := b.next(); d != 0 {
		t.Errorf("the first restart waits %v", d)
	}
	for i, most := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000} {
		most *= time.Millisecond
		if d := b.next(); d < most/2 || d > most {
			t.Errorf("restart %d waits %v, want %v to %v", i+2, d, most/2, most)
		}
	}
	for range 100 {
		if d := b.next(); d > b.most {
			t.Fatalf("waits %v", d)
		}
	}
	if b.reset(); b.next() != 0 {
		t.Error("a restart after good health waits")
	}
}
