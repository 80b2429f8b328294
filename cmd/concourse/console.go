package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// console is what a running command has of the world: its arguments, someone
// to ask, and somewhere to print.
type console struct {
	args    []string
	json    bool
	prompt  *prompt
	out     io.Writer
	display display // of out
	code    int     // what to exit with when there is no error
}

func newConsole(o *options) *console {
	return &console{args: o.Args(), json: o.format == "json", prompt: newPrompt(o), out: os.Stdout, display: newDisplay(os.Stdout, o.wide)}
}

// username returns the command's argument, or asks for it with the text; a person
// is asked again for what cannot be a name.
func (c *console) username(ctx context.Context, text string) (string, error) {
	if len(c.args) > 0 {
		return c.args[0], nil
	}
	return choose(ctx, c.prompt, question{text, "the username as an argument"}, account.NormalizeUsername)
}

// say prints lines for people, at once, so that a reader that leaves after the
// first is not missed.
func (c *console) say(lines ...string) error {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(visible(line) + "\n")
	}
	_, err := io.WriteString(c.out, text.String())
	return notPrinted(err)
}

// change prints what a change came to: the account after it as JSON, or the
// sentences.
func (c *console) change(r management.Result, sentences ...string) error {
	if c.json {
		return notPrinted(writeJSON(c.out, newJSONChange(r)))
	}
	if r.Note != "" {
		sentences = append(sentences, "Note: "+r.Note)
	}
	return c.say(sentences...)
}

// notPrinted says that the work is done, whatever became of the report.
func notPrinted(err error) error {
	if err != nil {
		err = fmt.Errorf("the result could not be printed: %w", err)
	}
	return err
}

// unchanged reports an account that nothing was asked to change of.
func (c *console) unchanged(a management.ListedAccount, sentence string) error {
	return c.change(management.Result{ListedAccount: a}, sentence)
}

// role asks for a role.
func (c *console) role(ctx context.Context, text string) (account.Role, error) {
	return choose(ctx, c.prompt, question{text, "--set-role"}, account.ParseRole)
}

// permission asks for a permission.
func (c *console) permission(ctx context.Context, text string) (account.Permission, error) {
	return choose(ctx, c.prompt, question{text, "--permission"}, account.ParsePermission)
}
