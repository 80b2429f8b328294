package soak_test

import (
	"os"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.MainPlain(m)) }

// beside lets a test run beside others in the short form, whose bounds are
// generous enough.
func beside(t *testing.T) {
	t.Helper()
	if os.Getenv("CONCOURSE_SOAK") == "" {
		t.Parallel()
	}
}
