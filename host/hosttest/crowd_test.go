package hosttest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestCrowd(t *testing.T) {
	h := hosttest.StartWithClients(t, hosttest.OpenAccounts(t, 10)...)
	crowd := h.Crowd(301, "user0", "user9")
	for i := range crowd.Tokens {
		if err := crowd.Check(i); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
	counted := h.Run("", "users", "sessions", "--count-by", "account")
	if text := strings.Join(strings.Fields(counted.Stdout), " "); !strings.Contains(text, "user0 151 user9 150") {
		t.Errorf("the sessions are\n%s%s", counted.Stdout, counted.Stderr)
	}
	crowd.Close()
	another := h.Clients()
	hosttest.Await(t, "the crowd's sessions have ended", func() bool {
		return account.KindOf(another.Check(crowd.Tokens[0])) == account.KindNotAuthenticated &&
			account.KindOf(another.Check(crowd.Tokens[300])) == account.KindNotAuthenticated
	})
}
