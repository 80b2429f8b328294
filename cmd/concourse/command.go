package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/mitchellh/cli"
	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/shared/account"
)

// verb is what each command's file provides. Run may assume that the options
// are parsed and that there are no more arguments than Help's usage line has.
type verb interface {
	Synopsis() string // one line
	Help() string     // a usage line, an empty line, what it does
	Options(*options)
	Run(ctx context.Context, c *console) error
}

// command makes a verb one of the library's commands.
type command struct {
	verb
	name    string // "users create"
	options *options
}

var (
	_ cli.Command             = (*command)(nil)
	_ cli.CommandAutocomplete = (*command)(nil)
)

func newCommand(name string, v verb) *command {
	c := &command{verb: v, name: name, options: newOptions()}
	v.Options(c.options)
	return c
}

// helpWidth is the width of help texts, in columns.
const helpWidth = 80

// Help adds the options to what the verb says.
func (c *command) Help() string {
	return c.verb.Help() + "\n\nOptions:\n" + strings.TrimRight(c.options.FlagUsagesWrapped(helpWidth), "\n")
}

// Run parses args, of which the first is the "--" that run put there.
func (c *command) Run(args []string) int {
	args = args[1:]
	help, err := c.options.parse(args)
	if help {
		return printText(c.Help())
	}
	o := newConsole(c.options)
	if most := strings.Count(strings.SplitN(c.verb.Help(), "\n", 2)[0], "<"); err == nil && len(o.args) > most {
		// The surplus may be a password, so it is not repeated.
		err = account.Invalid("", "'concourse %s' takes %s, and there are %d; %s", c.name, countArguments(most, c.options.argument), len(o.args), c.options.instead)
	}
	if err != nil {
		return fail(os.Stderr, o.json || asksForJSON(args), err)
	}
	if c.name != "start" {
		outliveReaders()
	}
	ctx, stop := interruptible()
	defer stop()
	err = c.verb.Run(ctx, o)
	switch {
	case errors.Is(err, syscall.EPIPE) && slices.Contains(looks, c.name):
		return exitReaderLeft
	case err != nil:
		return fail(os.Stderr, o.json, err)
	}
	return o.code
}

// looks are the commands that change nothing: when the reader of one has left,
// there is nothing to say.
var looks = []string{
	"config", "plugin status", "sessions", "users check-password", "users export", "users list", "users sessions", "users show",
}

// outliveReaders makes a write that nobody reads an error, where SIGPIPE would
// end a command in the middle of a change, or leave a terminal without echo. The
// signal is caught and not ignored, because a plugin would inherit that.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

func countArguments(n int, what string) string {
	if n == 0 {
		return "no arguments"
	}
	return "one argument, the " + what
}

// interruptible returns a context that ends with the first signal that asks
// this process to go; the second kills it. Quit is among them, because it is
// typed too, and would otherwise leave a terminal without echo. A signal that
// was ignored from the start, as under nohup, stays so.
func interruptible() (context.Context, context.CancelFunc) {
	var heeded []os.Signal
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			heeded = append(heeded, s)
		}
	}
	if len(heeded) == 0 {
		return context.WithCancel(context.Background())
	}
	ctx, stop := signal.NotifyContext(context.Background(), heeded...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// AutocompleteArgs predicts files only: names are not told without a login.
func (c *command) AutocompleteArgs() complete.Predictor {
	switch c.options.argument {
	case "file", "executable":
		return complete.PredictFiles("*")
	case "directory":
		return complete.PredictDirs("*")
	}
	return complete.PredictNothing
}

// AutocompleteFlags predicts the options, and the values of those that have
// few.
func (c *command) AutocompleteFlags() complete.Flags { return c.options.predictions() }
