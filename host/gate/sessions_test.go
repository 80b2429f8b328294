package gate_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// withholding shows all rows but those of one account, and says in how many
// batches they came.
type withholding struct {
	*double
	username string
	batches  *int
}

func (w withholding) Sessions(_ context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	*w.batches++
	shown := slices.DeleteFunc(slices.Clone(rows), func(r account.Session) bool { return r.Username == w.username })
	for i := range shown {
		shown[i].Note = "seen"
	}
	return shown, nil
}

// withhold makes the plugin keep an account's sessions to itself.
func (f *fixture) withhold(username string) (batches *int) {
	batches = new(int)
	f.Users = withholding{f.plugin, username, batches}
	return batches
}

// shown collects what is emitted.
type shown struct {
	names   []string
	total   int
	emitted int
}

func (s *shown) emit(rows []account.Session, total int) error {
	for _, r := range rows {
		s.names = append(s.names, r.Username+": "+r.Note)
	}
	s.total, s.emitted = total, s.emitted+1
	return nil
}

func TestSessions(t *testing.T) {
	f := set(t)
	root := f.root(t)
	f.login(t, "ann")
	f.login(t, "jeff")
	f.withhold("root")
	t.Run("AsThePluginShowsThem", func(t *testing.T) {
		var s shown
		err := f.Sessions(t.Context(), root, session.Listing{Order: session.ByAccount, Reverse: true}, s.emit)
		if err != nil || !slices.Equal(s.names, []string{"jeff: seen", "ann: seen"}) {
			t.Errorf("shown: %q, %v", s.names, err)
		}
	})
	t.Run("Limit", func(t *testing.T) {
		var s shown
		err := f.Sessions(t.Context(), root, session.Listing{Limit: 1}, s.emit)
		if err != nil || !slices.Equal(s.names, []string{"ann: seen"}) || s.total != 3 {
			t.Errorf("shown: %q of %d, %v; the withheld one counts towards the limit", s.names, s.total, err)
		}
	})
	t.Run("LimitOfNothingShown", func(t *testing.T) {
		var s shown
		err := f.Sessions(t.Context(), root, session.Listing{Filter: session.Filter{Account: "root"}, Limit: 5}, s.emit)
		if err != nil || len(s.names) != 0 || s.total != 1 || s.emitted != 1 {
			t.Errorf("got %+v, %v; want the total alone", s, err)
		}
	})
	t.Run("Operator", func(t *testing.T) {
		var s shown
		err := f.OperatorSessions(t.Context(), session.Listing{Order: session.ByAccount, Limit: 2}, s.emit)
		if err != nil || !slices.Equal(s.names, []string{"ann: ", "jeff: "}) || s.total != 3 {
			t.Errorf("shown: %q of %d, %v", s.names, s.total, err)
		}
	})
	t.Run("ErrOperatorGone", func(t *testing.T) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.OperatorCountSessions(gone, session.Filter{}, session.KeyAccount); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrFilter", func(t *testing.T) {
		bad := session.Filter{Account: "no name"}
		wantKind(t, "a listing", f.Sessions(t.Context(), root, session.Listing{Filter: bad}, nil), account.KindInvalid, "")
		_, err := f.CountSessions(t.Context(), root, bad, session.KeyAccount)
		wantKind(t, "a count", err, account.KindInvalid, "")
	})
	t.Run("ErrReaderGone", func(t *testing.T) {
		err := f.Sessions(t.Context(), root, session.Listing{}, func([]account.Session, int) error { return syscall.EPIPE })
		if err != syscall.EPIPE {
			t.Errorf("got %v", err)
		}
	})
}

// Of many sessions that are withheld each batch is asked for once, and no more
// of them than it takes.
func TestSessions_LimitBeyondABatch(t *testing.T) {
	f := set(t)
	root := f.root(t)
	for range 120 {
		f.login(t, "ann")
	}
	for range 3 {
		f.login(t, "jeff")
	}
	batches := f.withhold("ann")
	var s shown
	err := f.Sessions(t.Context(), root, session.Listing{Order: session.ByAccount, Limit: 2}, s.emit)
	if err != nil || !slices.Equal(s.names, []string{"jeff: seen", "jeff: seen"}) || s.total != 124 || *batches != 3 {
		t.Errorf("shown: %q of %d in %d batches, %v", s.names, s.total, *batches, err)
	}
}

func TestCountSessions(t *testing.T) {
	f := set(t)
	root := f.root(t)
	f.login(t, "jeff")
	f.login(t, "jeff")
	f.login(t, "ann")
	f.withhold("ann")
	got, err := f.CountSessions(t.Context(), root, session.Filter{}, session.KeyAccount)
	if diff := cmp.Diff([]session.Count{{Value: "jeff", Sessions: 2}, {Value: "root", Sessions: 1}}, got); diff != "" || err != nil {
		t.Errorf("what the plugin withholds counts: %v\n%s", err, diff)
	}
	got, err = f.OperatorCountSessions(t.Context(), session.Filter{Account: "ann"}, session.KeyAccount)
	if diff := cmp.Diff([]session.Count{{Value: "ann", Sessions: 1}}, got); diff != "" || err != nil {
		t.Errorf("of one account: %v\n%s", err, diff)
	}
}
