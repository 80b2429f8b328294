package soak_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-crypt/crypt/algorithm/argon2"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// hashesPerSecond is the floor of every login: how many hashes, at the cost of
// those that the plugin makes, this machine computes while one runs on each
// processor.
func hashesPerSecond(t *testing.T, span time.Duration) float64 {
	t.Helper()
	hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(19456), argon2.WithT(2), argon2.WithP(1))
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for time.Since(began) < span {
				if _, err := hasher.Hash(hosttest.Password); err != nil {
					t.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
}
