package docs_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestAnsible runs the example's playbook against a host until there is nothing
// left to do, lets what it made drift, and runs it again. No secret is in what
// it prints, as much as it can be made to print.
func TestAnsible(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ansible-playbook", "ansible-vault"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v; it is in Debian's package ansible-core, and `make deps` installs it", err)
		}
	}
	r := newReader(t, "ansible")
	defer r.stop()
	if err := r.stay(step{command: "concourse start\n", shown: "…\nConcourse is ready; …\n"}); err != nil {
		t.Fatal(err)
	}
	p := playbook{reader: r, secrets: []string{"marmalade in 7 jars", `a "tuba" $and 'quotes' \`, "plum jam, # no comment"}}
	for _, s := range []step{
		{command: "cd docs/examples/ansible && umask 077 && export ANSIBLE_NOCOLOR=1\n"},
		{command: "head -n 1 $CONCOURSE_HOME/initial-admin-password >first && echo vault >vault-password\n"},
		{command: "echo '" + p.secrets[0] + "' | concourse users password admin --set-password-file - --password-file first >/dev/null\n"},
		{command: fmt.Sprintf("cat >secrets.yaml <<'END'\n%sEND\n", p.vault())},
		{command: "ansible-vault encrypt --vault-password-file vault-password secrets.yaml >/dev/null 2>&1\n"},
		{command: "mkdir secrets; echo '" + p.secrets[0] + "' >secrets/admin\n"},
	} {
		r.must(s)
	}

	p.expect("--check", 1, "item=jeff", `"would be created"`, "role: none -> USER", "grants.billing: none -> WRITE", "password: set", "item=ana")
	if have := r.accounts(); strings.Contains(have, "jeff") {
		t.Fatalf("a check made accounts:\n%s", have)
	}
	p.expect("-vvv", 1, "item=jeff", `"created"`, "item=ana")
	before, lines := r.accounts(), r.changesInAudit()
	if !strings.Contains(before, `"ana"`) || !strings.Contains(before, `"grants":{"billing":["WRITE"],"default":["READ"]}`) {
		t.Fatalf("the first run made:\n%s", before)
	}
	p.expect("-vvv", 0)
	if after := r.accounts(); after != before {
		t.Errorf("the second run changed\n%s\nto\n%s", before, after)
	}
	if more := r.changesInAudit(); more != lines {
		t.Errorf("the audit log has %d changes after the second run, and had %d before", more, lines)
	}

	const admin = " --password-file secrets/admin >/dev/null\n"
	r.must(step{command: "concourse users edit ana --set-role USER" + admin})
	r.must(step{command: "echo 'another secret' | concourse users password jeff --set-password-file -" + admin})
	r.must(step{command: "concourse users create eve --set-role USER --set-password 'not in the list'" + admin})
	p.expect("--check -e concourse_accounts_prune=true", 1, `"would be deleted"`, `"would be changed"`, "item=eve", "role: USER -> ADMIN", "item=jeff", "password: set")
	p.expect("-e concourse_accounts_prune=true", 1, `"deleted"`, `"changed"`, "item=eve", "role: USER -> ADMIN", "item=jeff", "password: set")
	if after := normalAccounts(r.accounts()); after != normalAccounts(before) {
		t.Errorf("the drift was put right to\n%s\nbut it was\n%s", after, before)
	}

	t.Run("Refusals", func(t *testing.T) {
		for name, c := range map[string]struct{ variables, says string }{
			"Rule":      {`{"concourse_accounts_list": [{"username": "ana", "role": "USER"}, {"username": "admin", "role": "USER"}]}`, `"msg": ["admin: 'admin' `},
			"Password":  {`{"concourse_accounts_list": [{"username": "new", "password_env": "SHORT"}], "concourse_accounts_secrets": {"CONCOURSE_PASSWORD": "` + p.secrets[0] + `", "SHORT": "abc"}}`, `"msg": ["new: a password must have at least 8 characters`},
			"Login":     {`{"concourse_accounts_username": "nobody"}`, `"msg": ["invalid username/password combination"]`},
			"NoHost":    {`{"concourse_accounts_home": "/nowhere", "concourse_accounts_retries": 0}`, `"msg": ["no Concourse host answers at /nowhere/management.sock`},
			"NoProgram": {`{"concourse_accounts_command": "/nowhere/concourse"}`, "/nowhere/concourse: not found"},
			"Secrets":   {`{"concourse_accounts_secrets": {"A": "` + p.secrets[0] + `\nB=c"}}`, "a value a text on one line"},
		} {
			t.Run(name, func(t *testing.T) {
				out, code := p.run("-e '" + c.variables + "'")
				if code != 2 || !strings.Contains(out, c.says) || !strings.Contains(out, "failed=1") {
					t.Errorf("exit status %d without %q:\n%s", code, c.says, out)
				}
			})
		}
	})
}

// playbook is the example's, run in its directory.
type playbook struct {
	*reader
	secrets []string // of admin, jeff and ana
}

// vault is the file of secrets that the playbook reads.
func (p playbook) vault() string {
	var b strings.Builder
	for i, name := range []string{"admin", "jeff", "ana"} {
		quoted, _ := json.Marshal(p.secrets[i])
		fmt.Fprintf(&b, "vault_%s_password: %s\n", name, quoted)
	}
	return b.String()
}

// run returns what it printed, in which no secret may be.
func (p playbook) run(options string) (printed string, code int) {
	p.t.Helper()
	terminal, err := openTerminal(p.shell("ansible-playbook --vault-password-file vault-password playbook.yaml "+options, false))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := terminal.until(func() (bool, error) { return false, nil }); err != nil {
		terminal.kill()
		p.t.Fatal(err)
	}
	code, printed = terminal.end(), terminal.text()
	for _, secret := range p.secrets {
		quoted, _ := json.Marshal(secret)
		for _, form := range []string{secret, strings.Trim(string(quoted), `"`)} {
			if strings.Contains(printed, form) {
				p.t.Errorf("ansible-playbook %s shows a secret:\n%s", options, printed)
			}
		}
	}
	return printed, code
}

var recap = regexp.MustCompile(`localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0`)

// expect is run for what succeeds, with so many changed tasks, and says so.
func (p playbook) expect(options string, changed int, says ...string) {
	p.t.Helper()
	out, code := p.run(options)
	m := recap.FindStringSubmatch(out)
	if code != 0 || m == nil || m[1] != fmt.Sprint(changed) {
		p.t.Fatalf("ansible-playbook %s: exit status %d, want changed=%d:\n%s", options, code, changed, out)
	}
	for _, text := range says {
		if !strings.Contains(out, text) {
			p.t.Errorf("ansible-playbook %s does not say %q:\n%s", options, text, out)
		}
	}
}

var passwordChanged = regexp.MustCompile(`"password_changed_at":"[^"]*"`)

// normalAccounts leaves out when passwords were set.
func normalAccounts(accounts string) string {
	return passwordChanged.ReplaceAllString(accounts, "")
}
