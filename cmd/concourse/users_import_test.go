package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials/credentialstest"
)

// credentialsSample was written by the original; what is in it is beside it.
const credentialsSample = "../../shared/credentials/testdata/access.sample"

func writeCredentials(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("it takes two files and no !")
	}
	accounts, err := credentialstest.Parse([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), credentialstest.File(accounts...), 0o600))
}

// numberedCredentials is a file of accounts with the password "they share it".
func numberedCredentials(t *testing.T, n int) string {
	t.Helper()
	var all []credentialstest.Account
	for i := range n {
		all = append(all, credentialstest.Account{Username: fmt.Sprintf("user%04d", i), Password: "they share it", Role: "USER", Enabled: true})
	}
	path := filepath.Join(t.TempDir(), "access")
	if err := os.WriteFile(path, credentialstest.File(all...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A run that is killed in the middle leaves accounts that are whole, and another
// run makes the rest, be host and plugin killed meanwhile.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	const n = 120
	in := as(h, "users", "import", "--from-concourse", numberedCredentials(t, n))
	made := func() (n int) {
		for _, e := range h.Audit() {
			if e.Verb == account.VerbApply && e.Changed != nil && *e.Changed {
				n++
			}
		}
		return n
	}
	cmd := command(t, in)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "some accounts are made", func() bool { return made() >= 5 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if cmd.ProcessState.Exited() {
		t.Fatalf("the run was over before it was killed: %v", cmd.ProcessState)
	}
	first := made()

	cmd = command(t, in)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Of what the first run had under way, 32 at most, some may still come.
	hosttest.Await(t, "accounts are made", func() bool { return made() > first+32 })
	h.KillPlugin()
	h.Kill()
	h.Start()
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 0 || stderr.String() != "" {
		t.Fatalf("%v, stdout %q, stderr %q", cmd.ProcessState, stdout.String(), stderr.String())
	}
	if strings.Contains(stdout.String(), "kept") || !strings.HasSuffix(stdout.String(), "\n120 accounts: "+fmt.Sprintf("%d created, %d unchanged\n", strings.Count(stdout.String(), "created user"), n-strings.Count(stdout.String(), "created user"))) {
		t.Errorf("what it made itself is not what it says it created: %s", stdout.String())
	}
	if all := accountsOf(t, h.Admin()); len(all) != n+1 {
		t.Errorf("%d accounts, want %d", len(all), n+1)
	}
	run(t, in).expect(t, 0, "120 accounts: nothing to change\n", "")
	for _, name := range []string{"user0000", "user0119"} {
		run(t, as(h, "users", "check-password", name, "--check-password", "they share it")).expect(t, 0, "The password matches\n", "")
	}
}

// A name that is no text is typed as the refusal shows it.
func TestImportNameOfBytes(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	path := filepath.Join(t.TempDir(), "access")
	file := credentialstest.File(credentialstest.Account{UsernameHex: "6aff27", Password: "it's", Role: "USER", Enabled: true})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	o := run(t, as(h, "users", "import", "--from-concourse", path))
	o.expect(t, 2, "", "ERROR: 1 problem with the file "+path+", so nothing was changed\n"+
		`$'j\xff\'': a username must be valid UTF-8; --rename $'j\xff\'=NEW', or leave it out: --skip $'j\xff\''`+"\n")
	run(t, as(h, "users", "import", "--from-concourse", path, "--skip", "j\xff'")).expect(t, 0, "0 accounts: nothing to change\n", "")
	run(t, as(h, "users", "import", "--from-concourse", path, "--rename", "j\xff'=jon")).expect(t, 0, "created jon (USER)\n1 account: 1 created\n", "")
	run(t, as(h, "users", "check-password", "jon", "--check-password", "it's")).expect(t, 0, "The password matches\n", "")
}

// What the original lets a USER be, a host may refuse to take from its last
// administrator: an account that exists is kept all the same.
func TestImportKeepsTheCaller(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	path := filepath.Join(t.TempDir(), "access")
	file := credentialstest.File(credentialstest.Account{Username: "admin", Password: "admin", Role: "USER", Grants: map[string]string{"e": "READ"}})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	before := accountsOf(t, h.Admin())["admin"]
	for _, args := range [][]string{{}, {"--dry-run"}} {
		o := run(t, as(h, append([]string{"users", "import", "--from-concourse", path}, args...)...))
		if o.code != 0 || !strings.Contains(o.stdout, "differs in role, state, grants, password\n") || o.stderr != "" {
			t.Errorf("%+v", o)
		}
	}
	after := accountsOf(t, h.Admin())["admin"]
	if after.Generation != before.Generation || after.Role != account.Admin || !after.Enabled || len(after.Grants) != 0 {
		t.Errorf("it was %+v, and is %+v", before, after)
	}
}
