package bench_test

import (
	"os"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

func TestMain(m *testing.M) {
	code := hosttest.MainPlain(m)
	os.RemoveAll(seeded.dir)
	os.Exit(code)
}
