package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials"
)

type usersImport struct {
	steadyLogin
	file             string
	dryRun           bool
	rename, skip     []string
	skipEnvironments []string
}

func (*usersImport) Synopsis() string { return "Take over the accounts of a Java Concourse server" }

func (*usersImport) Help() string {
	return `Usage: concourse users import [options]

  Takes over the accounts of a Java Concourse server, with their roles, grants,
  suspensions and passwords, from its credentials file: by default .access in
  the directory that it is installed in. Stop that server first.

    concourse users import --from-concourse /opt/concourse-server/.access --dry-run
    concourse users import --from-concourse .access --skip guest --rename 'j d=jd'

  Everybody goes on with their password. What is kept of it is the old hash within
  an argon2id hash, and after the first login an argon2id hash alone.

  An account that exists here already is kept as it is, so run it again as often
  as you like. Accounts that cannot be taken over, such as those whose names are
  not good here or would become one, are listed, and nothing is changed until
  --rename or --skip says what is to become of each. A NAME is as in the file, or
  id:N for the account with that id.`
}

func (v *usersImport) Options(o *options) {
	o.StringVar(&v.file, "from-concourse", "", "the credentials `FILE`, or - for standard input")
	o.boolOption(&v.dryRun, "dry-run", "say what would be changed, and change nothing")
	o.StringArrayVar(&v.rename, "rename", nil, "give an account another name: `NAME=NEW`, which are divided by the last =; may be repeated")
	o.StringArrayVar(&v.skip, "skip", nil, "leave out the account `NAME`; may be repeated")
	o.StringArrayVar(&v.skipEnvironments, "skip-environment", nil, "leave out grants in `ENVIRONMENT`; may be repeated")
	for _, name := range []string{"rename", "skip", "skip-environment"} {
		o.anything[name] = true
	}
	o.values["from-concourse"] = complete.PredictFiles("*")
	o.instead = "give the file with --from-concourse"
	v.define(o)
}

func (v *usersImport) Run(ctx context.Context, c *console) error {
	if err := v.check(c); err != nil {
		return err
	}
	contents, err := v.read(ctx)
	if err != nil {
		return err
	}
	all, err := v.tasks(contents)
	if err != nil {
		return err
	}
	h, err := v.enter(ctx, c)
	if err != nil {
		return err
	}
	defer h.close()
	a := &applying{host: h, console: c, named: all, plan: v.dryRun}
	if contents.Stale > 0 {
		a.notes = append(a.notes, fmt.Sprintf("Note: the last %s of the file are from before it got shorter, and are passed over", count(contents.Stale, "byte")))
	}
	a.report = newReport(c, a)
	return a.run(ctx)
}

// check refuses what cannot be answered, see usersApply.
func (v *usersImport) check(c *console) error {
	switch {
	case v.file == "":
		return account.Invalid("from-concourse", "what to import is missing; give --from-concourse FILE, or - for standard input")
	case v.file != "-":
		return nil
	case v.password.file == "-":
		return account.Invalid("password-file", "--from-concourse and --password-file cannot both be standard input")
	}
	c.prompt.refused = c.prompt.refused || !c.prompt.terminal
	return nil
}

// name is what the file is called in messages.
func (v *usersImport) name() string {
	if v.file == "-" {
		return "standard input"
	}
	return "the file " + v.file
}

func (v *usersImport) read(ctx context.Context) (contents *credentials.Contents, err error) {
	_, err = await(ctx, func() ([]byte, error) {
		from := io.NopCloser(os.Stdin)
		if v.file != "-" {
			if from, err = os.Open(v.file); err != nil {
				return nil, err
			}
		}
		defer from.Close()
		var err error
		contents, err = credentials.Read(from)
		return nil, err
	})
	flaw, damaged := errors.AsType[*credentials.Flaw](err)
	switch {
	case damaged:
		return nil, account.Invalid("from-concourse", "%s is no whole credentials file, so nothing was changed: %v", v.name(), flaw)
	case account.KindOf(err) == account.KindInterrupted:
		return nil, err
	case err != nil:
		return nil, account.Invalid("from-concourse", "%s cannot be read: %v", v.name(), cause(err))
	case len(contents.Accounts) == 0:
		return nil, account.Invalid("from-concourse", "%s has no account in it", v.name())
	}
	return contents, nil
}
