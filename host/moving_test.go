package host_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestMoving moves accounts from one backend to another and back, by an export
// and an apply: they are the same everywhere, and everybody logs in on the way.
func TestMoving(t *testing.T) {
	t.Parallel()
	t.Run("BoltToBolt", func(t *testing.T) {
		t.Parallel()
		moveAlong(t, hosttest.Start(t), hosttest.Start(t))
	})
	t.Run("BoltToEtcdToBolt", func(t *testing.T) {
		t.Parallel()
		cluster := etcdtest.StartWith(t, etcdtest.Options{Unsynced: true})
		etcd := hosttest.Start(t, "plugin:", "  path: concourse-users-etcd", "  settings:", "    endpoints: "+strings.Join(cluster.Endpoints(), ","))
		moveAlong(t, hosttest.Start(t), etcd, hosttest.Start(t))
	})
}

// moveAlong fills the first host and moves its accounts along the others.
func moveAlong(t *testing.T, hosts ...*hosttest.Host) {
	admin := hosts[0].Admin()
	takeOver(t, hosts[0], ofTheOriginal(t), "4 accounts: 4 created")
	create(t, admin, "jeff", account.User)
	must(grant("prod")(t.Context(), admin, anew, "jeff"))(t)
	must(admin.Grant(t.Context(), anew, account.Grant{Username: "jeff", Permission: account.Write, Environment: "prod"}))(t)
	create(t, admin, "zoë", account.Admin)
	must(suspend(t.Context(), admin, anew, "zoë"))(t)
	must(grant("test")(t.Context(), admin, anew, "zoë"))(t)
	must(grant("test")(t.Context(), admin, anew, hosttest.Administrator))(t)

	passwords := map[string]string{"raw": rawPassword, "other": otherForm, "short": shortPassword, "gone": secret, "jeff": secret, "zoë": secret}
	signsIn := []string{"short", "jeff", "other"} // one at each host, and a hash is renewed
	for i, h := range hosts {
		if i > 0 {
			was := exportOf(t, hosts[i-1])
			if o := h.Run(was, "users", "apply", "-f", "-"); o.Code != 0 || o.Stderr != "" || !strings.HasSuffix(o.Stdout, "\n7 accounts: 6 created, 1 changed\n") {
				t.Fatalf("host %d: %+v", i, o)
			}
			is := exportOf(t, h)
			if d := cmp.Diff(accountsIn(t, was), accountsIn(t, is)); d != "" {
				t.Fatalf("host %d (-before +after):\n%s", i, d)
			}
			if o := h.Run(is, "users", "apply", "-f", "-"); o.Code != 0 || o.Stdout != "7 accounts: nothing to change\n" {
				t.Fatalf("host %d, again: %+v", i, o)
			}
		}
		admin := h.Admin()
		for username, password := range passwords {
			if !matches(t, admin, username, password) {
				t.Errorf("host %d: '%s' has another password", i, username)
			}
		}
		if err := authenticate(h, signsIn[i], passwords[signsIn[i]]); err != nil {
			t.Errorf("host %d: %v", i, err)
		}
		hosttest.Await(t, "the login is written down", func() bool { return !show(t, admin, signsIn[i]).LastLoginAt.IsZero() })
	}
	last := hosts[len(hosts)-1]
	for _, username := range []string{"raw", "other", "short", "jeff"} {
		if err := authenticate(last, username, passwords[username]); err != nil {
			t.Errorf("%s: %v", username, err)
		}
	}
	for _, username := range []string{"gone", "zoë"} {
		_, err := last.Login(username, passwords[username])
		wantKind(t, username, err, account.KindNotPermitted, account.ReasonSuspended)
	}
}

func exportOf(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	o := h.Run("", "users", "export", "--with-hashes", "--format", "json")
	if o.Code != 0 {
		t.Fatalf("%+v", o)
	}
	return o.Stdout
}

// accountsIn returns the accounts of an export in all that moves: of the
// administrator, who was there before, creation and logins do not.
func accountsIn(t *testing.T, export string) map[string]map[string]any {
	t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(export), &all); err != nil {
		t.Fatal(err)
	}
	named := map[string]map[string]any{}
	for _, a := range all {
		if a["username"] == hosttest.Administrator {
			delete(a, "created_at")
			delete(a, "last_login_at")
		}
		named[a["username"].(string)] = a
	}
	return named
}
