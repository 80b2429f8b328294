package supervisor_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// TestUnanswered is about a plugin whose health service answers whatever its
// calls do.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	t.Run("Slow", func(t *testing.T) { // a store on a slow disk: several at once are no hang
		t.Parallel()
		o := options(t)
		o.CallTimeout, o.Pace.HealthInterval = 4*time.Second, 50*time.Millisecond
		s := start(t, o)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := s.Show(t.Context(), nobody, "sleeps-2500ms"); err != nil {
					t.Errorf("Show: %v", err)
				}
			})
			wg.Go(func() {
				if _, err := s.Create(t.Context(), newInvocation(), account.Create{Username: "sleeps-2500ms", Role: account.User}); err != nil {
					t.Errorf("Create: %v", err)
				}
			})
		}
		wg.Wait()
		if shown, created := len(lines(t, o, "shown")), len(lines(t, o, "created"))/2; s.Status().Restarts != 0 || shown != 3 || created != 3 {
			t.Errorf("%d times shown, %d times created, status %+v", shown, created, s.Status())
		}
	})

	t.Run("OneNeverIs", func(t *testing.T) {
		t.Parallel()
		o := options(t)
		o.CallTimeout, o.Pace.Silence, o.Pace.HealthInterval = 3*time.Second, 2*time.Second, 50*time.Millisecond
		s := start(t, o)
		end := calling(t, s)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Show(t.Context(), nobody, "hang")
			wantKind(t, err, account.KindUnavailable, "plugin backend did not answer within 3")
		})
		wg.Go(func() {
			in := newInvocation()
			_, err := s.Create(t.Context(), in, account.Create{Username: "hang", Role: account.User})
			wantKind(t, err, account.KindOutcomeUnknown, in.RequestID.String())
		})
		wg.Wait()
		end()
		if st := s.Status(); st.Restarts != 0 {
			t.Errorf("others were answered: %+v", st)
		}
	})

	t.Run("NoneIs", func(t *testing.T) {
		t.Parallel()
		o := options(t)
		o.Pace.Silence, o.Pace.HealthInterval = 500*time.Millisecond, 50*time.Millisecond
		s := start(t, o)
		if _, err := s.Show(t.Context(), nobody, "hang-once"); err != nil {
			t.Error(err)
		}
		if st := s.Status(); st.Restarts != 1 || st.LastError != "it did not answer a single call for 500ms and was killed" {
			t.Errorf("status %+v", st)
		}
	})

	t.Run("NoneIsAmongBackups", func(t *testing.T) { // of which nothing came, so that they show nothing
		t.Parallel()
		s, _ := streaming(t, "mute", nil)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Show(t.Context(), nobody, "hang-once"); err != nil {
				t.Error(err)
			}
		})
		for range 40 { // until its end, if it is killed
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			s.Backup(ctx, io.Discard)
			cancel()
			if s.Status().Restarts > 0 {
				break
			}
		}
		if st := s.Status(); st.Restarts != 1 || !strings.HasPrefix(st.LastError, "it did not answer a single call for ") {
			t.Errorf("status %+v", st)
		}
		wg.Wait()
	})
}

// TestRepeat: what a repeat is refused for decides only if the attempt before
// cannot take effect any more (rule 2).
func TestRepeat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempts string
		kind     account.Kind
		restarts int
	}{
		{"throttled", account.KindThrottled, 0},
		{"expired", account.KindInvalid, 0},
		{"unavailable+throttled", account.KindOutcomeUnknown, 0}, // the first may be at work still
		{"unavailable+well", 0, 0},
		{"crash+throttled", account.KindThrottled, 1},
		{"crash+unavailable+throttled", account.KindOutcomeUnknown, 1},
		{"unavailable+crash+throttled", account.KindThrottled, 1},
		{"crash+expired", account.KindOutcomeUnknown, 1}, // the first was in time
		{"crash+future", account.KindOutcomeUnknown, 1},
	} {
		t.Run(c.attempts, func(t *testing.T) {
			t.Parallel()
			s := start(t, options(t))
			in := newInvocation()
			_, err := s.Create(t.Context(), in, account.Create{Username: c.attempts, Role: account.User})
			if c.kind == account.KindOutcomeUnknown {
				wantKind(t, err, c.kind, in.RequestID.String())
			} else if account.KindOf(err) != c.kind {
				t.Errorf("error %v (%v), want %v", err, account.KindOf(err), c.kind)
			}
			if st := s.Status(); st.Restarts != c.restarts {
				t.Errorf("status %+v", st)
			}
		})
	}
}
