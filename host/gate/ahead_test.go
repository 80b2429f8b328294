package gate_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// telling is a plugin that shows everything, and tells of each batch.
type telling struct {
	*double
	tell func(ctx context.Context)
}

func (a telling) Sessions(ctx context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	a.tell(ctx)
	return rows, ctx.Err()
}

// While a batch is sent the plugin is asked about the next one, and about no
// more, so that a listing takes the same memory however long it is.
func TestSessions_Ahead(t *testing.T) {
	f := set(t)
	root := f.root(t)
	const batches = 4
	for i := range (batches-1)*account.MaxBatch + 1 {
		name := fmt.Sprintf("u%05d", i)
		l := f.Table.Begin(name)
		if _, _, err := l.Complete(account.Snapshot{Username: name, ID: account.ID(name), Role: account.User, Enabled: true}, session.Details{}); err != nil {
			t.Fatal(err)
		}
	}
	list := func(ctx context.Context, tell func(context.Context), emit func([]account.Session, int) error) error {
		f.Users = telling{f.plugin, tell}
		return f.Sessions(ctx, root, session.Listing{Order: session.ByAccount}, emit)
	}
	t.Run("ByOne", func(t *testing.T) {
		var questions, sending atomic.Int32
		next := make(chan struct{}, batches)
		last, rows := "", 0
		err := list(t.Context(), func(context.Context) {
			if q, s := questions.Add(1), sending.Load(); q > s+2 {
				t.Errorf("the plugin was asked about batch %d when %d were sent", q, s)
			}
			next <- struct{}{}
		}, func(batch []account.Session, total int) error {
			if sending.Add(1) == 1 {
				<-next
				<-next // does not wait until the first is sent
			}
			for _, r := range batch {
				if r.Username <= last || total != (batches-1)*account.MaxBatch+2 {
					t.Fatalf("%q came after %q, of %d", r.Username, last, total)
				}
				last = r.Username
			}
			rows += len(batch)
			return nil
		})
		if err != nil || rows != (batches-1)*account.MaxBatch+2 || questions.Load() != batches {
			t.Errorf("%d rows in %d batches, %v", rows, questions.Load(), err)
		}
	})
	t.Run("ErrReaderGone", func(t *testing.T) {
		var under atomic.Int32
		err := list(t.Context(), func(ctx context.Context) {
			if under.Add(1) == 2 {
				<-ctx.Done() // the plugin is slow, and nobody wants to know any more
				under.Store(0)
			}
		}, func([]account.Session, int) error { return syscall.EPIPE })
		if err != syscall.EPIPE || under.Load() == 2 {
			t.Errorf("got %v, while the plugin was still asked: %v", err, under.Load() == 2)
		}
	})
	t.Run("ErrCallerGone", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		if err := list(ctx, func(context.Context) { leave() }, func([]account.Session, int) error { return nil }); err != context.Canceled {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrCallerGoneBetween", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		f.withhold("nobody's") // by a plugin that shows all else to whoever is gone, too
		emit := func([]account.Session, int) error { leave(); return nil }
		if err := f.Sessions(ctx, root, session.Listing{}, emit); err != context.Canceled {
			t.Errorf("a part of the rows was told, and then %v", err)
		}
	})
	t.Run("ErrPanic", func(t *testing.T) {
		err := list(t.Context(), func(context.Context) { panic("a secret") }, func([]account.Session, int) error { return nil })
		if err == nil || account.KindOf(err) != account.KindInternal || err.Error() != "panic of type string while sessions were listed" {
			t.Errorf("got %v", err)
		}
	})
}
