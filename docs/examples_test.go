package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestProvision lets the script wait for a new host, runs it until there is
// nothing left to do, lets what it made drift, and runs it again.
func TestProvision(t *testing.T) {
	t.Parallel()
	r := newReader(t, "provision.sh")
	defer r.stop()
	const provision = "docs/examples/provision.sh accounts.yaml secrets/admin"
	for _, s := range []step{
		{command: "umask 077; mkdir secrets; echo 'three white ducks' >secrets/admin\n"},
		{command: "echo 'orange marmalade' >secrets/jeff; echo 'plum jam on toast' >secrets/ana\n"},
		{command: `cat >accounts.yaml <<'END'
- {username: admin, password_file: secrets/admin}
- {username: jeff, role: USER, grants: {default: [READ], billing: [WRITE]}, password_file: secrets/jeff}
- {username: ana, role: ADMIN, password_file: secrets/ana}
END
`},
		{command: "setsid " + provision + " >first 2>&1 </dev/null & while [ ! -e first ]; do sleep 0.1; done\n"},
	} {
		r.must(s)
	}
	if err := r.stay(step{command: "concourse start\n", shown: "…\nConcourse is ready; …\n"}); err != nil {
		t.Fatal(err)
	}
	r.must(step{
		command: "until grep -q accounts: first; do sleep 0.1; done; cat first; ls $CONCOURSE_HOME | grep -c initial || true\n",
		shown: `created ana (ADMIN)
created jeff (USER; WRITE in billing; READ in default)
changed admin: password set
3 accounts: 2 created, 1 changed
0
`,
	})
	unchanged := step{command: provision + "\n", shown: "3 accounts: nothing to change\n"}
	before, lines := r.accounts(), r.changesInAudit()
	r.must(unchanged)
	if after := r.accounts(); after != before {
		t.Errorf("the second run changed\n%s\nto\n%s", before, after)
	}
	if more := r.changesInAudit(); more != lines {
		t.Errorf("the audit log has %d changes after the second run, and had %d before", more, lines)
	}

	const admin = " --password-file secrets/admin >/dev/null\n"
	for _, s := range []step{
		{command: "concourse users edit ana --set-role USER" + admin},
		{command: "echo 'another secret' | concourse users password jeff --set-password-file -" + admin},
		{command: "concourse users revoke jeff" + admin},
		{command: provision + " --dry-run\n", shown: `~ jeff
    grants.default: READ
    password: (set)
~ ana
    role: USER -> ADMIN
3 accounts: 2 to change, 1 unchanged; nothing was changed
`},
		{command: provision + "\n", shown: `…
3 accounts: 2 changed, 1 unchanged
`},
		unchanged,
	} {
		r.must(s)
	}
	t.Run("Errors", func(t *testing.T) {
		for _, s := range []struct {
			step
			code int
		}{
			{step{command: "docs/examples/provision.sh accounts.yaml\n", shown: "usage: provision.sh ACCOUNTS PASSWORD [OPTION ...]\n"}, 2},
			{step{command: "echo '- {username: kim}' >accounts.yaml; " + provision + "\n", shown: "1 account: 1 failed\nERROR: accounts.yaml:1: 'kim' …\n"}, 2},
			{step{command: "echo '- {username: admin, enabled: false}' >accounts.yaml; " + provision + "\n", shown: "1 account: 1 failed\nERROR: accounts.yaml:1: 'admin' …\n"}, 8},
			{step{command: provision + " -u nobody\n", shown: "ERROR: Invalid username/password combination\n"}, 3},
		} {
			if code, err := r.run(s.step); err != nil || code != s.code {
				t.Errorf("%sexit status %d, want %d; %v", s.command, code, s.code, err)
			}
		}
	})
}

func (r *reader) must(s step) {
	r.t.Helper()
	if code, err := r.run(s); err != nil || code != 0 {
		r.t.Fatalf("%sexit status %d: %v", s.command, code, err)
	}
}

// accounts is what there is of accounts, but for the logins of the one that asks.
func (r *reader) accounts() string {
	r.t.Helper()
	out, err := r.output("concourse users list --format json --password-file secrets/admin")
	if err != nil {
		r.t.Fatal(err)
	}
	var all []map[string]any
	if err := json.Unmarshal(out, &all); err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	for _, a := range all {
		delete(a, "last_login_at")
		delete(a, "sessions")
		line, _ := json.Marshal(a)
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

func (r *reader) changesInAudit() int {
	r.t.Helper()
	out, err := r.output(`grep '"event":"change"' "$CONCOURSE_HOME/audit/audit.jsonl"`)
	if err != nil {
		r.t.Fatal(err)
	}
	return bytes.Count(out, []byte(`"changed":true`))
}

// TestUnit holds the unit file to what a host needs of systemd.
func TestUnit(t *testing.T) {
	data, err := os.ReadFile("examples/concourse.service")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	section := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch key, value, ok := strings.Cut(line, "="); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]") + "."
		case !ok:
			t.Errorf("%q is no key with a value", line)
		default:
			if _, twice := keys[section+key]; twice {
				t.Errorf("%s%s is given twice", section, key)
			}
			keys[section+key] = value
		}
	}
	const installed = "/usr/local/lib/concourse"
	for key, want := range map[string]string{
		"Service.Type":                     "notify",
		"Service.ExecStart":                installed + "/concourse start",
		"Service.KillMode":                 "mixed",
		"Service.Environment":              "CONCOURSE_HOME=/var/lib/" + keys["Service.StateDirectory"],
		"Service.LimitCORE":                "0",
		"Service.RestartPreventExitStatus": "2",
		"Install.WantedBy":                 "multi-user.target",
	} {
		if keys[key] != want {
			t.Errorf("%s is %q, want %q", key, keys[key], want)
		}
	}

	// What the settings' defaults ask for, with an upstream and a management port.
	if files, err := strconv.Atoi(keys["Service.LimitNOFILE"]); err != nil || files < 10_640 {
		t.Errorf("Service.LimitNOFILE is %q, want 10640 at least", keys["Service.LimitNOFILE"])
	}

	// Where systemd can be, it says itself what it thinks.
	if runtime.GOOS != "linux" {
		return
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatalf("%v; it is in Debian's package systemd, and `make deps` installs it", err)
	}
	unit := filepath.Join(t.TempDir(), "concourse.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(data, []byte(installed), []byte(built)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
