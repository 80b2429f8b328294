package main

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/posener/complete"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// sessionsHost is what shows sessions: to an administrator, as the plugin lets
// it, or to the operator.
type sessionsHost interface {
	Sessions(context.Context, management.SessionListing) iter.Seq2[[]account.Session, error]
	CountSessions(context.Context, management.SessionFilter, session.Key) iter.Seq2[[]session.Count, error]
	Close() error
}

// disconnecter is a sessionsHost that can also end a session: its own, by
// SessionID, among them. It refuses with NotFound.
type disconnecter interface {
	DisconnectSession(ctx context.Context, id string) (ended uint64, err error)
	SessionID() string
}

var (
	_ sessionsHost = (*management.Client)(nil)
	_ disconnecter = (*management.Client)(nil)
	_ sessionsHost = asOperator{}
)

// sessionsView is what 'users sessions' and 'sessions' have in common: what to
// show, and how.
type sessionsView struct {
	options  *options
	listing  management.SessionListing
	by       session.Key
	watch    bool
	interval time.Duration
}

const countBy = "count-by"

func (v *sessionsView) define(o *options) {
	v.options, v.interval = o, 2*time.Second
	f := &v.listing.SessionFilter
	o.StringVar(&f.Account, "account", "", "only sessions of the account `NAME`")
	o.StringVar(&f.Address, "address", "", "only sessions from the `ADDRESS`, with or without a port")
	o.environmentOption(&f.Environment, "only sessions whose login, or an open transaction of which, is in the environment `NAME`")
	o.boolOption(&f.InTransaction, "in-transaction", "only sessions that hold a transaction open")
	o.Var(&parsed[session.Order]{&v.listing.Order, session.ParseOrder}, "sort", "sort by `ORDER`: connected (the oldest first), account, address, environment, active (the last active first), calls (the most first) or transaction (the longest open first)")
	o.values["sort"] = complete.PredictSet(session.Orders...)
	o.boolOption(&v.listing.Reverse, "reverse", "sort the other way round")
	o.Var(&parsed[uint32]{&v.listing.Limit, parseLimit}, "limit", "print only the first `N`")
	o.Var(&parsed[session.Key]{&v.by, session.ParseKey}, countBy, "print how many sessions each `KEY` has, the most first: account, address or environment")
	o.values[countBy] = complete.PredictSet(session.Keys...)
	o.boolOption(&v.watch, "watch", "show them again and again, as top does; without a terminal, or as json, one listing after the other")
	o.Var(&parsed[time.Duration]{&v.interval, parseInterval}, "interval", "with --watch, the `TIME` in between, such as 500ms or 1m; at least 100ms (default 2s)")
	o.wideOption()
}

// check refuses options that mean nothing together.
func (v *sessionsView) check() error {
	o := v.options
	for _, name := range []string{"sort", "reverse", "watch"} {
		if o.Changed(countBy) && o.Changed(name) {
			return account.Invalid(name, "--%s and --%s exclude each other", countBy, name)
		}
	}
	switch {
	case o.Changed("interval") && !v.watch:
		return account.Invalid("interval", "--interval needs --watch")
	case o.wide && v.watch:
		return account.Invalid("wide", "--watch and --wide exclude each other")
	}
	return nil
}

// run shows the sessions of the host that connect reaches. Only a watch calls it
// more than once.
func (v *sessionsView) run(ctx context.Context, c *console, home string, connect func(context.Context) (sessionsHost, error)) error {
	if err := v.check(); err != nil {
		return err
	}
	h, err := connect(ctx)
	if err != nil {
		return err
	}
	if v.watch && c.display.terminal && c.prompt.terminal && capable() && !c.json {
		return v.watchScreen(ctx, c, home, h, connect)
	}
	defer h.Close()
	switch {
	case v.watch:
		return v.watchLines(ctx, c, h)
	case v.options.Changed(countBy):
		return v.count(ctx, c, h)
	}
	l, shown, total := v.listing, uint64(0), uint64(0)
	l.Total = func(n uint64) { total = n }
	if err := sessionsListing.print(c, counting(v.rows(ctx, c, h, l), &shown)); err != nil {
		return err
	}
	return c.showing(shown, total)
}

// rows are those of a listing, as a program or a person is shown them.
func (v *sessionsView) rows(ctx context.Context, c *console, h sessionsHost, l management.SessionListing) iter.Seq2[[]account.Session, error] {
	all := h.Sessions(ctx, l)
	if c.json {
		return all
	}
	own := ownSession(h)
	return func(yield func([]account.Session, error) bool) {
		for batch, err := range all {
			for i := range batch {
				hideOwnCall(&batch[i], own)
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// ownSession returns the id of the session that asks, "" if there is none.
func ownSession(h sessionsHost) string {
	if d, ok := h.(disconnecter); ok {
		return d.SessionID()
	}
	return ""
}

// hideOwnCall keeps from a table the call that makes it, which would fill a column
// each time to tell nothing.
func hideOwnCall(s *account.Session, own string) {
	if s.ID == own {
		s.CurrentCall = nil
	}
}

func (v *sessionsView) count(ctx context.Context, c *console, h sessionsHost) error {
	total, shown := uint64(0), uint64(0)
	counts := counting(h.CountSessions(ctx, v.listing.SessionFilter, v.by), &total)
	if v.listing.Limit > 0 {
		counts = counting(firstOf(counts, int(v.listing.Limit)), &shown)
	}
	if err := countsListing(v.by).print(c, counts); err != nil || shown == 0 {
		return err
	}
	return c.showing(shown, total)
}

func parseLimit(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, account.Invalid("limit", "%q is not a number of rows, such as 20", account.Printable(text))
	}
	return uint32(n), nil
}

// shortestInterval keeps a watch from being a load.
const shortestInterval = 100 * time.Millisecond

func parseInterval(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < shortestInterval {
		return 0, account.Invalid("interval", "%q is not an interval of at least %s, such as 2s or 1m", account.Printable(text), shortestInterval)
	}
	return d, nil
}
