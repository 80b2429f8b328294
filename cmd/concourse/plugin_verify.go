package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/verify"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/conformance"
)

type pluginVerify struct {
	backend       backendSettings
	run           *regexp.Regexp
	list          bool
	withoutTLS    bool
	sha256        string
	administrator string
	password      secretOption
}

func (*pluginVerify) Synopsis() string { return "Say whether an executable is a right account backend" }

func (*pluginVerify) Help() string {
	return `Usage: concourse plugin verify [options] <executable>

  Runs every case of the conformance suite against an executable in any
  language, started as the host would start it. A name is looked for among the
  plugins of this installation; a path is one with a slash. No home and no host
  are needed. Every case has a home of its own, in a directory that goes with it.
  All of them take about a minute on an idle machine, and several on a busy one.

      concourse plugin verify ./concourse-users-ldap
      concourse plugin verify bolt --run '^grant/'
      concourse plugin verify etcd --settings etcd.yaml --set prefix=/verify/{store}/

  A store that is not in the home needs a setting with {store} in it, which
  stands for another name each time, and should be one to be thrown away. A
  backend that cannot change accounts needs --administrator.

  A backend declares what it can do; cases that need more are "unsupported". For
  each case that failed it prints what was seen and wanted, which line of the
  contract that breaks, the calls that led there, and what the backend logged,
  without passwords and hashes.

  Exits 0 if no case failed, 1 if one did, 2 if it was told something that cannot
  be, 7 if the executable cannot be started, and 130 if it was interrupted.`
}

func (v *pluginVerify) Options(o *options) {
	o.argument = "executable"
	v.backend.define(o)
	o.Var(&parsed[*regexp.Regexp]{&v.run, regexp.Compile}, "run", "only cases whose names match `REGEXP`")
	o.boolOption(&v.list, "list", "print the cases, what they need, and the contract, and run none")
	o.boolOption(&v.withoutTLS, "no-auto-mtls", "start it without AutoMTLS, as plugin.auto_mtls: false does")
	o.StringVar(&v.administrator, "administrator", "", "the `NAME` of an enabled ADMIN, of a backend that cannot change accounts")
	o.secretOption(&v.password, "password", "the administrator's")
	o.noInputOption()
	o.StringVar(&v.sha256, "sha256", "", "the `SUM` that the executable must have, 64 hexadecimal digits")
	o.formatOption()
	o.wideOption()
}

func (v *pluginVerify) Run(ctx context.Context, c *console) error {
	cases := conformance.Choose(v.run)
	if len(cases) == 0 {
		return account.Invalid("run", "--run: no case's name matches %q; --list shows them all", account.Printable(v.run.String()))
	}
	if v.list {
		return c.cases(cases)
	}
	if len(c.args) == 0 {
		return account.Invalid("executable", "name the executable to verify")
	}
	o := verify.Options{Path: c.args[0], Directory: config.PluginDirectory(), SHA256: v.sha256, WithoutTLS: v.withoutTLS, Settings: v.backend.all()}
	var err error
	if o.Administrator, err = v.credentials(ctx, c); err != nil {
		return err
	}
	s, err := verify.Open(o)
	if err != nil {
		return hinted(o.Path, err)
	}
	defer s.Close()
	report, err := v.verify(ctx, c, s.Subject, len(cases))
	switch {
	case ctx.Err() != nil && len(report.Results) > 0 && !c.json:
		err = errors.Join(c.report(s, report), interruptedAfter(len(report.Results), len(cases)))
	case ctx.Err() != nil:
		err = interruptedAfter(len(report.Results), len(cases))
	case err == nil:
		err = c.report(s, report)
	case v.administrator == "":
		err = nameAdministrator(err)
	}
	if err == nil && report.Count(conformance.Failed) > 0 {
		c.code = exitCodes[account.KindInternal]
	}
	return err
}

// verify runs the cases, and shows on a terminal how far it is.
func (v *pluginVerify) verify(ctx context.Context, c *console, s conformance.Subject, n int) (conformance.Report, error) {
	var mu sync.Mutex
	done, now := 0, "the backend's start"
	p := newProgress(c, &mu, func(time.Duration) string { return fmt.Sprintf("%d of %d cases, now %s", done, n, now) })
	p.begin()
	defer p.end()
	return conformance.Run(ctx, s, conformance.Options{
		Run: v.run,
		Begun: func(name string) {
			mu.Lock()
			defer mu.Unlock()
			now = name
		},
		Done: func(_ conformance.Result, d, _ int) {
			mu.Lock()
			defer mu.Unlock()
			done = d
		},
	})
}

// credentials are the administrator's, if one is named.
func (v *pluginVerify) credentials(ctx context.Context, c *console) (account.Credentials, error) {
	by := account.Credentials{Username: v.administrator}
	var err error
	switch {
	case v.administrator == "" && v.password.given():
		return by, account.Invalid("administrator", "--%s needs --administrator", v.password.givenBy())
	case v.administrator == "":
		return by, nil
	case v.password.given():
		by.Password, err = v.password.read(ctx, c, question{"password for [" + v.administrator + "]: ", v.password.flags()})
	default:
		by.Password, err = c.prompt.hidden(ctx, question{"password for [" + v.administrator + "]: ", v.password.flags()})
	}
	return by, err
}

// nameAdministrator says by which options to name one, where that is missing.
func nameAdministrator(err error) error {
	if e, ok := errors.AsType[*account.Error](err); ok && e.Field == "administrator" {
		return account.Invalid(e.Field, "%v: --administrator NAME --password-file FILE", err)
	}
	return err
}

// hinted says where a file is that was taken for the name of a plugin.
func hinted(name string, err error) error {
	if e, ok := errors.AsType[*account.Error](err); ok && e.Kind == account.KindInvalid && !strings.Contains(name, "/") {
		if info, stat := os.Stat(name); stat == nil && info.Mode().IsRegular() {
			return account.Invalid("executable", "%v; the file of that name here is ./%s", err, account.Printable(name))
		}
	}
	return err
}

func interruptedAfter(done, of int) error {
	return &account.Error{Kind: account.KindInterrupted, Message: fmt.Sprintf("interrupted; %d of %s done", done, count(of, "case"))}
}
