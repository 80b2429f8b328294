package host_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

const (
	few  = 10
	many = 20_000
)

// mostGrowth bounds the ratio of two times that should be alike. A cache that
// misses and a tree that is a level higher cost something; a look at each of
// many accounts multiplies a call over the socket by five, and a look at each of
// many sessions a token check by hundreds.
const mostGrowth = 3

// TestRule11CostOfACheckDoesNotGrow compares token checks, logins and changes
// of single accounts among few and among many. Samples of both are taken in
// turn, and the quickest are compared: they are the work itself, whatever else
// the machine does.
func TestRule11CostOfACheckDoesNotGrow(t *testing.T) {
	t.Parallel()
	t.Run("Accounts", func(t *testing.T) { t.Parallel(); growingAccounts(t) })
	t.Run("Sessions", func(t *testing.T) { t.Parallel(); growingSessions(t) })
}

// growingAccounts asks two hosts over their sockets.
func growingAccounts(t *testing.T) {
	seed := hosttest.Build(t, "./host/testdata/seed")
	hosts, admins := map[int]*hosttest.Host{}, map[int]*management.Client{}
	for _, n := range []int{few, many} {
		h := hosttest.Start(t)
		h.Stop()
		out, err := exec.Command(seed, filepath.Join(h.Home, "accounts.db"), hosttest.Administrator, strconv.Itoa(n)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		h.Start()
		hosts[n], admins[n] = h, h.Admin()
	}
	someone := func(n, sample int) string { return fmt.Sprintf("user%d", sample*7919%n) }
	for _, c := range []struct {
		what    string
		samples int
		do      func(n, sample int) error
	}{
		{"token check", 60, func(n, _ int) error { _, err := admins[n].Request(t.Context()); return err }},
		{"show", 60, func(n, sample int) error { _, err := admins[n].Show(t.Context(), someone(n, sample)); return err }},
		{"grant", 60, func(n, sample int) error {
			_, err := grant(fmt.Sprintf("e%d", sample))(t.Context(), admins[n], anew, someone(n, sample))
			return err
		}},
		{"suspend", 60, func(n, sample int) error {
			_, err := suspend(t.Context(), admins[n], anew, someone(n, sample))
			return err
		}},
		{"role", 60, func(n, sample int) error { // moves the counter of ADMINs
			_, err := setRole([]account.Role{account.Admin, account.User}[sample%2])(t.Context(), admins[n], anew, someone(n, 1))
			return err
		}},
		{"login", 9, func(n, _ int) error {
			c, err := hosts[n].Login(hosttest.Administrator, hosttest.Password)
			if err == nil {
				c.Close()
			}
			return err
		}},
	} {
		compare(t, c.what, c.samples, func(n, sample int) {
			if err := c.do(n, sample); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
		})
	}
}

// growingSessions asks two connection tables, ten sessions to an account.
func growingSessions(t *testing.T) {
	tables, tokens := map[int]*session.Table{}, map[int][]session.Token{}
	for _, n := range []int{few, many} {
		tables[n] = session.New(session.Options{Lease: time.Hour})
		tables[n].Heartbeat("store", 0, time.Now())
		for i := range n {
			tokens[n] = append(tokens[n], begin(t, tables[n], fmt.Sprintf("user%d", i/10)))
		}
	}
	const batch = 500 // one alone is too short to be measured
	for what, do := range map[string]func(table *session.Table, tokens []session.Token, i int){
		"token check": func(table *session.Table, tokens []session.Token, i int) {
			if _, err := table.Check(tokens[i*7919%len(tokens)]); err != nil {
				t.Fatal(err)
			}
		},
		"login and revocation": func(table *session.Table, _ []session.Token, i int) {
			begin(t, table, "passing")
			if ended := table.Revoke("passing"); ended != 1 {
				t.Fatalf("%d sessions ended, want 1", ended)
			}
		},
		"snapshot": func(table *session.Table, _ []session.Token, i int) {
			table.Apply(snapshotOf("user0", account.Revision(i+2)))
		},
	} {
		compare(t, what, 41, func(n, _ int) {
			for i := range batch {
				do(tables[n], tokens[n], i)
			}
		})
	}
}

func begin(t *testing.T, table *session.Table, username string) session.Token {
	t.Helper()
	l := table.Begin(username)
	defer l.Abandon()
	token, _, err := l.Complete(snapshotOf(username, 1), session.Details{})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func snapshotOf(username string, at account.Revision) account.Snapshot {
	return account.Snapshot{
		Username: username, ID: account.ID("id of " + username), Generation: 1, Role: account.User, Enabled: true, Revision: at,
	}
}

// compare takes the time of do among few and among many.
func compare(t *testing.T, what string, samples int, do func(n, sample int)) {
	t.Helper()
	times := map[int][]time.Duration{}
	for sample := range samples {
		for _, n := range []int{few, many} {
			began := time.Now()
			do(n, sample)
			times[n] = append(times[n], time.Since(began))
		}
	}
	least, most := slices.Min(times[few]), slices.Min(times[many])
	t.Logf("%s: %v among %d, %v among %d", what, least, few, most, many)
	if most > mostGrowth*least {
		t.Errorf("%s takes %v among %d, and %v among %d", what, least, few, most, many)
	}
}
