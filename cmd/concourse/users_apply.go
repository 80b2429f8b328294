package main

import (
	"context"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/shared/account"
)

type usersApply struct {
	steadyLogin
	files  []string
	dryRun bool
	prune  bool
	yes    bool
}

func (*usersApply) Synopsis() string { return "Make the accounts what files say" }

func (*usersApply) Help() string {
	return `Usage: concourse users apply [options]

  Makes the accounts what YAML or JSON files say: creates what is missing and
  changes what differs, each account at once or not at all. What a file does
  not speak of stays as it is. Every file, of at most 16 MiB, is checked before
  anything is changed.

    - username: jeff
      role: USER                     # or ADMIN; of a new account by default USER
      enabled: true                  # false: suspended
      grants: {billing: [WRITE]}     # exactly these; {} for none
      password_file: secrets/jeff    # or password_env: NAME, or password_hash

  Administrators come first, your own account comes last. Run it again as often
  as you like: what is as it should be is not touched. 'concourse users export'
  writes such a file.`
}

func (v *usersApply) Options(o *options) {
	o.StringArrayVarP(&v.files, "file", "f", nil, "a `FILE`, a directory of *.yaml, *.yml and *.json, or - for standard input; may be repeated")
	o.boolOption(&v.dryRun, "dry-run", "say what would be changed, and change nothing")
	o.boolOption(&v.prune, "prune", "delete the accounts that no file names, but never your own")
	o.boolOption(&v.yes, "yes", "do not ask on a terminal before --prune deletes")
	o.values["file"] = complete.PredictFiles("*")
	o.instead = "give a file with -f"
	v.define(o)
}

func (v *usersApply) Run(ctx context.Context, c *console) error {
	if err := v.check(c); err != nil {
		return err
	}
	all, err := readAccounts(ctx, v.files)
	if err != nil {
		return err
	}
	h, err := v.enter(ctx, c)
	if err != nil {
		return err
	}
	defer h.close()
	work, err := v.plan(ctx, c, h, all)
	if err != nil {
		return err
	}
	return work.run(ctx)
}

// check refuses what cannot be answered: where standard input is a file of
// accounts, no line of it is the answer to a question.
func (v *usersApply) check(c *console) error {
	if len(v.files) == 0 {
		return account.Invalid("file", "what to apply is missing; give --file FILE, a directory, or - for standard input")
	}
	fromInput := 0
	for _, f := range v.files {
		if f == "-" {
			fromInput++
		}
	}
	switch {
	case fromInput == 0:
		return nil
	case fromInput > 1:
		return account.Invalid("file", "--file - can be given once")
	case v.password.file == "-":
		return account.Invalid("password-file", "--file and --password-file cannot both be standard input")
	}
	c.prompt.refused = c.prompt.refused || !c.prompt.terminal
	return nil
}

// plan says what is to be done, and asks whether deletions are meant.
func (v *usersApply) plan(ctx context.Context, c *console, h *steadyHost, all []*task) (*applying, error) {
	a := &applying{host: h, console: c, named: all, plan: v.dryRun}
	if v.prune {
		var err error
		if a.pruned, a.spared, err = unnamed(ctx, h, all); err != nil {
			return nil, err
		}
		if len(a.pruned) > 0 && !v.dryRun && !v.yes && c.prompt.terminal {
			if err := confirmPrune(ctx, c.prompt, a.pruned); err != nil {
				return nil, err
			}
		}
	}
	a.report = newReport(c, a)
	return a, nil
}
