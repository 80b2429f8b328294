package hosttest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Span returns how long a test of faults or of endurance may run: what the
// variable of the environment says, such as 5m in CONCOURSE_FAULT or
// CONCOURSE_SOAK, or else the short form, for every run of the tests.
func Span(t testing.TB, variable string, short time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return short
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("%s is %q, which is no duration such as 5m", variable, text)
	}
	return d
}

// Seed returns the number from which a test draws its choices: CONCOURSE_SEED,
// or else a random one. It logs how to draw the same again.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("CONCOURSE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CONCOURSE_SEED is %q, which is no number from 0 to 2^64-1", text)
		}
	}
	t.Logf("drawn from a seed; again with CONCOURSE_SEED=%d", seed)
	return seed
}
