package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// written puts a file of accounts into a directory of the test's.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// numberedAccounts is a file of accounts whose password is the variable P.
func numberedAccounts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- {username: user%04d, grants: {billing: [READ]}, password_env: P}\n", i)
	}
	return b.String()
}

// An export with hashes brings every account to another host as it is, the
// administrator who brings it included.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from, to := hosttest.Start(t), hosttest.Start(t)
	const other = "another for the start"
	if _, err := to.Admin().Password(t.Context(), account.RequestID{}, account.Password{Username: "admin", Password: account.Secret(other)}); err != nil {
		t.Fatal(err)
	}
	in := as(from, "users", "apply", "-f", written(t, `
- {username: jeff, grants: {billing: [READ, WRITE], default: [WRITE]}, password_env: P}
- {username: zoë, role: ADMIN, password_env: P}
- {username: "yes", enabled: false, password_env: P}
- {username: admin, grants: {billing: [READ]}}
`))
	in.env = append(in.env, "P=jeff likes jam")
	run(t, in).expect(t, 0, "created jeff (USER; READ, WRITE in billing; WRITE in default)\ncreated zoë (ADMIN)\n"+
		"created yes (USER; suspended)\nchanged admin: none -> READ in billing\n4 accounts: 3 created, 1 changed\n", "")
	from.As("zoë", "jeff likes jam")
	hosttest.Await(t, "the login is written down", func() bool {
		a, err := from.Admin().Show(t.Context(), "zoë")
		return err == nil && !a.LastLoginAt.IsZero()
	})
	for _, format := range []string{"yaml", "json"} {
		exported := run(t, as(from, "users", "export", "--with-hashes", "--format", format))
		if exported.code != 0 {
			t.Fatalf("%+v", exported)
		}
		password := hosttest.Password
		if format == "yaml" {
			password = other
		}
		apply := invocation{
			args: []string{"users", "apply", "-f", "-"}, stdin: exported.stdout,
			env: []string{"CONCOURSE_HOME=" + to.Home, "CONCOURSE_PASSWORD=" + password},
		}
		if o := run(t, apply); format == "yaml" {
			o.expect(t, 0, "created zoë (ADMIN)\ncreated jeff (USER; READ, WRITE in billing; WRITE in default)\n"+
				"created yes (USER; suspended)\nchanged admin: none -> READ in billing; password set\n4 accounts: 3 created, 1 changed\n", "")
		}
		apply.env[1] = "CONCOURSE_PASSWORD=" + hosttest.Password
		run(t, apply).expect(t, 0, "4 accounts: nothing to change\n", "")
	}
	want, got := accountsOf(t, from.Admin()), accountsOf(t, to.Admin())
	for _, a := range []map[string]account.Account{want, got} {
		if a["admin"].PasswordChangedAt.IsZero() {
			t.Error("no time of the administrator's password")
		}
	}
	for name, a := range want {
		b := got[name]
		if name == "admin" { // was there, and has logged in
			a.CreatedAt, b.CreatedAt, a.LastLoginAt, b.LastLoginAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		}
		a.ID, b.ID, a.Generation, b.Generation = "", "", 0, 0
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s (-there +here):\n%s", name, d)
		}
	}
	to.As("zoë", "jeff likes jam")
	again := run(t, as(to, "users", "export")).stdout
	if d := cmp.Diff(run(t, as(from, "users", "export")).stdout, again); d != "" {
		t.Errorf("the exports differ:\n%s", d)
	}
}

func accountsOf(t *testing.T, c *management.Client) map[string]account.Account {
	t.Helper()
	all := map[string]account.Account{}
	for batch, err := range c.List(t.Context(), management.AccountFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range batch {
			all[a.Username] = a.Account
		}
	}
	return all
}

// A host that is killed in the middle and started again by others is waited
// for; the command logs in again, and every account is made once.
func TestApplyOutlivesTheHost(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	const n = 60
	in := as(h, "users", "apply", "--format", "json", "-f", written(t, numberedAccounts(n)))
	in.env = append(in.env, "P=they share a secret")
	cmd := command(t, in)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	audited := func() (made int) {
		for _, e := range h.Audit() {
			if e.Verb == account.VerbApply && e.Changed != nil && *e.Changed {
				made++
			}
		}
		return made
	}
	hosttest.Await(t, "some accounts are made", func() bool { return audited() >= 5 })
	h.KillPlugin()
	hosttest.Await(t, "more accounts are made", func() bool { return audited() >= 15 })
	h.Kill()
	h.Start()
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 0 || stderr.String() != "" {
		t.Fatalf("%v, stderr %q", cmd.ProcessState, stderr.String())
	}
	var results []struct {
		Username string
		Changed  bool
	}
	if err := json.Unmarshal([]byte(stdout.String()), &results); err != nil || len(results) != n {
		t.Fatalf("%v, %d results, want %d", err, len(results), n)
	}
	for i, r := range results {
		if r.Username != fmt.Sprintf("user%04d", i) || !r.Changed {
			t.Errorf("result %d is %+v", i, r)
		}
	}
	if made := len(accountsOf(t, h.Admin())); made != n+1 {
		t.Errorf("%d accounts, want %d", made, n+1)
	}
	o := run(t, in)
	if o.code != 0 || strings.Contains(o.stdout, `"changed":true`) {
		t.Errorf("applied again: exit code %d\n%s", o.code, o.stdout)
	}
}

// What is no single account's error ends the run: nothing else is begun.
func TestApplyEnds(t *testing.T) {
	t.Parallel()
	file := written(t, strings.ReplaceAll(numberedAccounts(100), "P}", "HOME}"))
	for name, c := range map[string]struct {
		refusal error
		code    int
		said    string
	}{
		"SessionEnded": {account.SessionEnded(), 3, "ERROR: The session has ended; 0 of 100 accounts done, run it again for the rest\n"},
		"NoAdmin":      {account.NotPermitted(account.ReasonNeedsAdmin, "'admin' is not an administrator; that takes the role ADMIN"), 4, "ERROR: 'admin' is not an administrator; 0 of 100 accounts done, run it again for the rest\n"},
		"Unsupported":  {account.Unsupported("apply"), 10, "ERROR: Applying accounts from a file is unsupported by this backend\n"},
		"Unavailable":  {account.Unavailable("the plugin is away"), 7, "ERROR: The plugin is away; 0 of 100 accounts done, run it again for the rest\n"},
		"Throttled":    {account.Throttled(time.Second), 11, "ERROR: Too many attempts; 0 of 100 accounts done, run it again for the rest\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, &fakeHost{refusal: c.refusal})
			run(t, f.as("users", "apply", "-f", file, "--wait", "300ms")).expect(t, c.code, "100 accounts: 100 not begun\n", c.said)
			o := run(t, f.as("users", "apply", "-f", file, "--wait", "1ms", "--format", "json"))
			var results []map[string]any
			if err := json.Unmarshal([]byte(o.stdout), &results); err != nil || len(results) != 100 || o.code != c.code || results[99]["error"] == nil {
				t.Errorf("exit code %d, %v: %.300s", o.code, err, o.stdout)
			}
		})
	}
	t.Run("OutcomeUnknown", func(t *testing.T) {
		id, err := account.ParseRequestID(requestID)
		if err != nil {
			t.Fatal(err)
		}
		f := serve(t, &fakeHost{refusal: account.OutcomeUnknown(id)})
		o := run(t, f.as("users", "apply", "-f", written(t, "{username: jeff, password_env: HOME}"), "--wait", "300ms"))
		if o.code != 12 || o.stdout != "1 account: 1 failed\n" || !regexp.MustCompile(
			`\AERROR: .*/users.yaml:1: jeff: the outcome is unknown; run it again\nERROR: The outcome is unknown; 0 of 1 account done, run it again for the rest\n\z`).MatchString(o.stderr) {
			t.Errorf("%+v", o)
		}
	})
}

// An account with grants in as many environments as one may have fits.
func TestApplyManyGrants(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	var text strings.Builder
	text.WriteString("username: admin\ngrants:\n")
	for i := range account.MaxEnvironments {
		fmt.Fprintf(&text, "  %s%04d: [READ, WRITE]\n", strings.Repeat("e", 251), i)
	}
	in := as(h, "users", "apply", "--format", "json", "-f", written(t, text.String()))
	if o := run(t, in); o.code != 0 || len(accountsOf(t, h.Admin())["admin"].Grants) != account.MaxEnvironments {
		t.Fatalf("exit code %d: %.300s", o.code, o.stderr)
	}
	for i := range 2 * account.MaxEnvironments {
		fmt.Fprintf(&text, "  %s%04d: [READ]\n", strings.Repeat("f", 251), i)
	}
	o := run(t, as(h, "users", "apply", "-f", written(t, text.String())))
	if o.code != 2 || !strings.HasSuffix(o.stderr, "users.yaml:1: 'admin' is too large; an account may hold grants in at most 1024 environments\n") {
		t.Errorf("exit code %d: %.300s", o.code, o.stderr)
	}
}

func TestExportStreams(t *testing.T) {
	t.Parallel()
	few, many := serve(t, &fakeHost{accounts: manyAccounts(1)}), serve(t, &fakeHost{accounts: manyAccounts(100)})
	for _, format := range []string{"yaml", "json"} {
		t.Run(format, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			small := run(t, few.as("users", "export", "--format", format, "-o", out))
			large := run(t, many.as("users", "export", "--format", format, "-o", out, "--force"))
			exported, err := os.ReadFile(out)
			if n := strings.Count(string(exported), "user0"); err != nil || large.code != 0 || n != 100*account.MaxBatch {
				t.Errorf("exit code %d, %d accounts: %s (%v)", large.code, n, large.stderr, err)
			}
			if grown := large.maxRSS - small.maxRSS; grown > 32<<10 {
				t.Errorf("100,000 accounts take %d KiB more than 1,000", grown)
			}
		})
	}
}

// An export that breaks off must not pass for a whole one, nor take the place of
// one.
func TestExportThatBreaksOff(t *testing.T) {
	t.Parallel()
	whole := manyAccounts(2)
	f := serve(t, &fakeHost{accounts: func(send func(*managementv1.ListResponse) error) error {
		if err := whole(send); err != nil {
			return err
		}
		return account.Unavailable("the plugin is gone")
	}})
	for _, format := range []string{"yaml", "json"} {
		t.Run(format, func(t *testing.T) {
			o := run(t, f.as("users", "export", "--format", format))
			if o.code != 7 || !strings.Contains(o.stderr, "he plugin is gone") {
				t.Fatalf("exit code %d, stderr %q", o.code, o.stderr)
			}
			if o = run(t, f.as("users", "apply", "-f", written(t, o.stdout))); o.code != 2 || !strings.Contains(o.stderr, "it is not YAML") {
				t.Errorf("what was exported is taken: %+v", o)
			}
			out := written(t, "as before")
			if o := run(t, f.as("users", "export", "--format", format, "-o", out, "--force")); o.code != 7 {
				t.Errorf("%+v", o)
			}
			left, err := os.ReadDir(filepath.Dir(out))
			text, readErr := os.ReadFile(out)
			if err != nil || readErr != nil || len(left) != 1 || string(text) != "as before" {
				t.Errorf("left is %v, with %.40q (%v, %v)", left, text, err, readErr)
			}
		})
	}
}
