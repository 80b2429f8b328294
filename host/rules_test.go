package host_test

import (
	"os"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// The files rules_*_test.go hold a test for each of the design's twelve rules
// ("What must always hold"), against real processes: host and plugin are built
// with the race detector, killed with SIGKILL, and asked over their own socket.
func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

// anew is the request id of a change that nobody has asked for before.
var anew account.RequestID

// secret is a password for tests that need only one.
const secret = "staple and battery"

// create makes an account with the secret as its password.
func create(t *testing.T, c *management.Client, username string, role account.Role) account.Account {
	t.Helper()
	return must(c.Create(t.Context(), anew, account.Create{Username: username, Password: account.Secret(secret), Role: role}))(t).Account
}

// must takes what a change came to, which must be a change.
func must(r management.Result, err error) func(*testing.T) management.Result {
	return func(t *testing.T) management.Result {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !r.Changed {
			t.Fatalf("nothing was changed of %+v", r.Account)
		}
		return r
	}
}

// show returns an account that must exist.
func show(t *testing.T, c *management.Client, username string) account.Account {
	t.Helper()
	a, err := c.Show(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return a.Account
}

// wantKind fails the test if an error is of another kind or reason.
func wantKind(t *testing.T, what string, err error, kind account.Kind, reason account.Reason) {
	t.Helper()
	if account.KindOf(err) != kind || account.ReasonOf(err) != reason {
		t.Errorf("%s: %v (kind %v, reason %q), want kind %v, reason %q", what, err, account.KindOf(err), account.ReasonOf(err), kind, reason)
	}
}
