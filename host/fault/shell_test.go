package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// shown is an account as the command line prints it, after a change or not.
type shown struct {
	Username string
	Role     account.Role
	Enabled  bool
	Grants   account.Grants
	Changed  *bool
}

// failed is an error as the command line prints it.
type failed struct {
	Error struct {
		Kind    string
		Reason  account.Reason
		Message string
	}
}

// arguments are those of the command that makes the call.
func (c *call) arguments() []string {
	all := []string{"users", string(c.verb), "--format", "json", "--no-input"}
	if c.changes() {
		all = append(all, "--request-id", c.id.String())
	}
	if c.role != "" {
		all = append(all, "--set-role", string(c.role))
	}
	switch {
	case c.verb == verbCheck:
		all = append(all, "--check-password-file", "-")
	case c.password != 0:
		all = append(all, "--set-password-file", "-")
	}
	if c.verb == account.VerbGrant || c.verb == account.VerbRevoke {
		all = append(all, "--environment", environments[c.environment])
	}
	if c.verb == account.VerbGrant {
		all = append(all, "--permission", string(c.permission))
	}
	if c.lenient && c.verb == account.VerbCreate {
		all = append(all, "--if-not-exists")
	}
	if c.lenient && c.verb == account.VerbDelete {
		all = append(all, "--if-exists")
	}
	if c.target != "" {
		all = append(all, c.target)
	}
	return all
}

// run makes the call once with the command line, as the administrator with the
// password.
func (c *call) run(h *hosttest.Host, name, password string) error {
	c.found = nil
	cmd := h.Command(c.arguments()...)
	cmd.Env = append(cmd.Env, "CONCOURSE_USERNAME="+name, "CONCOURSE_PASSWORD="+password)
	cmd.Stdin = strings.NewReader(passwords[c.password] + "\n")
	out, err := cmd.Output()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
	case c.verb == verbCheck && ended && exit.ExitCode() == 13:
		return nil
	case ended:
		return c.failure(exit)
	default:
		return err
	}
	c.matches = true
	return c.read(out)
}

// failure is the error that a command told.
func (c *call) failure(exit *exec.ExitError) error {
	var told failed
	if err := json.Unmarshal(exit.Stderr, &told); err != nil {
		return fmt.Errorf("exit code %d, and standard error is no error in JSON: %q", exit.ExitCode(), exit.Stderr)
	}
	for _, k := range account.Kinds() {
		if k.String() == told.Error.Kind {
			return &account.Error{Kind: k, Reason: told.Error.Reason, Message: told.Error.Message, RequestID: c.id.String()}
		}
	}
	return fmt.Errorf("exit code %d, and an unknown kind of error: %q", exit.ExitCode(), exit.Stderr)
}

// read takes down what a command printed.
func (c *call) read(out []byte) error {
	var all []shown
	if c.verb == verbList {
		if err := json.Unmarshal(out, &all); err != nil {
			return fmt.Errorf("users list printed %q: %w", out, err)
		}
	} else if c.changes() || c.verb == verbShow {
		all = make([]shown, 1)
		if err := json.Unmarshal(out, &all[0]); err != nil {
			return fmt.Errorf("users %s printed %q: %w", c.verb, out, err)
		}
		if c.changed = all[0].Changed != nil && *all[0].Changed; all[0].Role == "" {
			c.found = []seen{{name: c.target, outlived: true}} // gone, or another's; both look alike
			return nil
		}
	}
	for _, a := range all {
		s := seenOf(account.Account{Username: a.Username, Role: a.Role, Enabled: a.Enabled, Grants: a.Grants})
		s.partial = true
		c.found = append(c.found, s)
	}
	return nil
}
