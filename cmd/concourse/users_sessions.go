package main

import "context"

type usersSessions struct {
	login
	view sessionsView
}

func (*usersSessions) Synopsis() string { return "List the live sessions" }

func (*usersSessions) Help() string {
	return `Usage: concourse users sessions [options]

  Lists every live session of this host, oldest first: which call each is
  making, for how long it has held a transaction open, and how many connections
  use it. Filters add up. The table leaves out last activity and columns in which
  there is nothing to show; --format json has all. When the plugin does not
  answer, 'concourse sessions' still does.

  Who is holding a lock is answered by
  'concourse users sessions --in-transaction --sort transaction': whoever has held
  a transaction open for longest comes first. -e picks an environment: a session
  is in that of its login and in those of its open transactions.

  --watch fills the terminal and can sort, filter and disconnect; ? shows its
  keys. If the host goes away, it waits and logs in again.`
}

func (v *usersSessions) Options(o *options) {
	v.view.define(o)
	v.define(o)
}

func (v *usersSessions) Run(ctx context.Context, c *console) error {
	home, err := findHome(v.home)
	if err != nil {
		return err
	}
	connect := v.connector(c)
	return v.view.run(ctx, c, home.Path(), func(ctx context.Context) (sessionsHost, error) {
		h, err := connect(ctx)
		if err != nil {
			return nil, err
		}
		return h, nil
	})
}
