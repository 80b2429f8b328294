package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProvision runs the script until there is nothing left to do, lets what it
// made drift, and runs it again.
func TestProvision(t *testing.T) {
	t.Parallel()
	r := newReader(t, "provision.sh")
	defer r.stop()
	if err := r.stay(step{command: "concourse start\n", shown: "…\nConcourse is ready; …\n"}); err != nil {
		t.Fatal(err)
	}
	const provision = "docs/examples/provision.sh accounts secrets\n"
	for _, s := range []step{
		{command: "umask 077; mkdir secrets; cp $CONCOURSE_HOME/initial-admin-password secrets/admin\n"},
		{command: "echo 'orange marmalade' >secrets/jeff; echo 'plum jam on toast' >secrets/ana\n"},
		{command: "printf 'jeff USER READ:default WRITE:billing\\n# not yet: kim USER\\n\\nana admin' >accounts\n"},
		{command: provision, shown: `jeff: created with the role USER
jeff: granted READ in default
jeff: granted WRITE in billing
ana: created with the role admin
changes: 4
`},
	} {
		r.must(s)
	}
	before, lines := r.accounts(), r.changesInAudit()
	r.must(step{command: provision, shown: "changes: 0\n"})
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
		{command: provision, shown: `jeff: password set
jeff: granted READ in default
ana: role set to admin
changes: 3
`},
		{command: provision, shown: "changes: 0\n"},
	} {
		r.must(s)
	}
	t.Run("Errors", func(t *testing.T) {
		for _, s := range []struct {
			step
			code int
		}{
			{step{command: "docs/examples/provision.sh\n", shown: "usage: provision.sh ACCOUNTS SECRETS\n"}, 2},
			{step{command: "echo 'kim USER' >accounts; " + provision, shown: `{"error":{"kind":"invalid_argument",…` + "\n"}, 2},
			{step{command: "echo 'admin USER' >accounts; concourse users edit ana --set-role USER" + admin}, 0},
			{step{command: provision, shown: `{"error":{"kind":"refused","reason":"LAST_ADMIN","subject":"admin",…` + "\n"}, 8},
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

	// Where systemd is, it says itself what it thinks.
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	unit := filepath.Join(t.TempDir(), "concourse.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(data, []byte(installed), []byte(built)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
