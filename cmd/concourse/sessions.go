package main

import (
	"context"
	"iter"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

type operatorSessions struct {
	place
	view sessionsView
}

func (*operatorSessions) Synopsis() string { return "List the live sessions, as the host's operator" }

func (*operatorSessions) Help() string {
	return `Usage: concourse sessions [options]

  Lists every live session straight from the host, without an account and even
  when the plugin does not answer. For the owner of the home, and root. --watch
  shows the same as that of 'concourse users sessions', but disconnects nobody.`
}

func (v *operatorSessions) Options(o *options) {
	v.view.define(o)
	v.define(o)
	o.formatOption()
}

func (v *operatorSessions) Run(ctx context.Context, c *console) error {
	home, err := findHome(v.home)
	if err != nil {
		return err
	}
	return v.view.run(ctx, c, home.Path(), func(ctx context.Context) (sessionsHost, error) {
		h, err := v.dial(ctx)
		if err != nil {
			return nil, err
		}
		return asOperator{h}, nil
	})
}

// asOperator looks at sessions without an account.
type asOperator struct{ client *management.Client }

func (o asOperator) Close() error { return o.client.Close() }

func (o asOperator) Sessions(ctx context.Context, l management.SessionListing) iter.Seq2[[]account.Session, error] {
	return o.client.OperatorSessions(ctx, l)
}

func (o asOperator) CountSessions(ctx context.Context, f management.SessionFilter, by session.Key) iter.Seq2[[]session.Count, error] {
	return o.client.OperatorCountSessions(ctx, f, by)
}
