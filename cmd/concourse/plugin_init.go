package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/shared/account"
)

type pluginInit struct {
	name, module, sdk string
	readOnly          bool
}

func (*pluginInit) Synopsis() string { return "Begin an account backend of your own, in Go" }

func (*pluginInit) Help() string {
	return `Usage: concourse plugin init [options] <directory>

  Writes a backend that keeps its accounts in memory or, with --read-only, shows
  those of a file and changes none. It compiles, passes its tests and 'concourse
  plugin verify', and what is to be filled in is marked. It needs Go. A directory
  that exists must be empty.`
}

func (v *pluginInit) Options(o *options) {
	o.argument = "directory"
	o.boolOption(&v.readOnly, "read-only", "for accounts that are kept and changed elsewhere")
	o.StringVar(&v.name, "name", "", "the backend's `NAME` (default the directory's)")
	o.StringVar(&v.module, "module", "", "the `PATH` of its Go module (default example.com/concourse-users-NAME)")
	o.StringVar(&v.sdk, "sdk", "", "use the checkout of "+sdkModule+" in `DIR` (default the one that the working directory is in)")
	o.values["sdk"] = complete.PredictDirs("*")
}

// Run writes nothing unless all is known.
func (v *pluginInit) Run(_ context.Context, c *console) error {
	if len(c.args) == 0 {
		return account.Invalid("directory", "name the directory to write the backend into")
	}
	directory, err := filepath.Abs(c.args[0])
	if err != nil {
		return err
	}
	begun, err := v.begun(directory)
	if err != nil {
		return err
	}
	files, err := begun.write(directory)
	if err != nil {
		return err
	}
	return c.say(
		fmt.Sprintf("The backend %s begins in %s: %s", begun.Name, directory, strings.Join(files, ", ")),
		"Next:",
		"  cd "+quotedWord(c.args[0]),
		"  go mod tidy",
		"  go test ./...",
		"Then fill in what is marked; README.md says how to go on")
}

// nameForm keeps a name fit for an executable, a setting and a module.
var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// moduleForm is narrower than what Go takes, and wide enough.
var moduleForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9_][A-Za-z0-9._~-]*)*$`)

// begun checks what was asked for.
func (v *pluginInit) begun(directory string) (*backendTemplate, error) {
	b := &backendTemplate{Name: v.name, Module: v.module, Go: goVersion, ReadOnly: v.readOnly}
	if b.Name == "" {
		b.Name = strings.TrimPrefix(filepath.Base(directory), executablePrefix)
	}
	if !nameForm.MatchString(b.Name) {
		return nil, account.Invalid("name", "%q is not a backend's name; use lower-case ASCII letters, digits, - and _, with a letter first and 32 at most: --name NAME", account.Printable(b.Name))
	}
	if b.Module == "" {
		b.Module = "example.com/" + executablePrefix + b.Name
	}
	if !moduleForm.MatchString(b.Module) {
		return nil, account.Invalid("module", "%q is not a Go module's path; name one such as github.com/you/%s%s", account.Printable(b.Module), executablePrefix, b.Name)
	}
	return b, v.findSDK(b)
}
