package gate

import (
	"context"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Sessions gives the rows of a listing to emit, in batches, as the plugin
// decides to show them. Rows that it withholds count neither towards the limit
// nor among what emit is given, but they do in total, which is how many
// sessions pass the filter. With a limit emit is called at least once, for the
// total. Refuses: Invalid.
func (g *Gate) Sessions(ctx context.Context, c Caller, l session.Listing, emit func(rows []account.Session, total int) error) error {
	return g.list(ctx, l, g.shownTo(c), emit)
}

// OperatorSessions is Sessions straight from the table: no plugin is asked.
func (g *Gate) OperatorSessions(ctx context.Context, l session.Listing, emit func(rows []account.Session, total int) error) error {
	return g.list(ctx, l, asTheyAre, emit)
}

// CountSessions says how many of the sessions that the plugin shows have which
// value. Refuses: Invalid.
func (g *Gate) CountSessions(ctx context.Context, c Caller, f session.Filter, by session.Key) ([]session.Count, error) {
	return g.count(ctx, f, by, g.shownTo(c))
}

// OperatorCountSessions is CountSessions straight from the table.
func (g *Gate) OperatorCountSessions(ctx context.Context, f session.Filter, by session.Key) ([]session.Count, error) {
	return g.count(ctx, f, by, asTheyAre)
}

// showing returns the rows that are shown of a batch.
type showing func(ctx context.Context, rows []account.Session) ([]account.Session, error)

// asTheyAre ends a listing for which nobody waits any more.
func asTheyAre(ctx context.Context, rows []account.Session) ([]account.Session, error) {
	return rows, ctx.Err()
}

func (g *Gate) shownTo(c Caller) showing {
	return func(ctx context.Context, rows []account.Session) ([]account.Session, error) {
		return g.Users.Sessions(ctx, c.Session.Caller(), rows)
	}
}

func (g *Gate) list(ctx context.Context, l session.Listing, show showing, emit func(rows []account.Session, total int) error) error {
	var err error
	if l.Filter, err = normalize(l.Filter); err != nil {
		return err
	}
	total, batches := g.Table.List(l)
	if l.Limit == 0 {
		for shown, err := range show.ahead(ctx, batches) {
			if err == nil && len(shown) > 0 {
				err = emit(shown, total)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	told, left := false, l.Limit
	for rows := range batches {
		shown, err := show(ctx, rows)
		if err != nil {
			return err
		}
		shown = shown[:min(left, len(shown))]
		left -= len(shown)
		if len(shown) > 0 {
			if err := emit(shown, total); err != nil {
				return err
			}
			told = true
		}
		if left == 0 {
			return nil
		}
	}
	if !told {
		return emit(nil, total)
	}
	return nil
}

func (g *Gate) count(ctx context.Context, f session.Filter, by session.Key, show showing) ([]session.Count, error) {
	tally := session.NewTally(by)
	err := g.list(ctx, session.Listing{Filter: f}, show, func(rows []account.Session, _ int) error {
		tally.Add(rows)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tally.Counts(), nil
}

// normalize returns the filter with its account's name in normal form. It refuses
// with Invalid what no session could match.
func normalize(f session.Filter) (session.Filter, error) {
	if f.Environment != "" {
		if err := account.CheckEnvironment(f.Environment); err != nil {
			return f, err
		}
	}
	if err := session.CheckAddress(f.Address); err != nil {
		return f, err
	}
	if f.Account == "" {
		return f, nil
	}
	name, err := account.NormalizeUsername(f.Account)
	f.Account = name
	return f, err
}
