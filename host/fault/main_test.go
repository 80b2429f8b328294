package fault_test

import (
	"os"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }
