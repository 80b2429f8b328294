package users

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// occupy computes until the returned function is called.
func occupy(s *slots, p purpose) (done func()) {
	release, began := make(chan struct{}), make(chan struct{})
	go s.do(context.Background(), p, func() {
		close(began)
		<-release
	})
	<-began
	return func() { close(release) }
}

// ask waits for a slot in the background and sends what became of it.
func ask(ctx context.Context, s *slots, p purpose, compute func()) <-chan error {
	out := make(chan error, 1)
	go func() { out <- s.do(ctx, p, compute) }()
	return out
}

func TestSlots(t *testing.T) {
	ctx := context.Background()
	t.Run("BoundsWhatIsComputed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(3)
			var now, most atomic.Int32
			compute := func() {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Millisecond)
				now.Add(-1)
			}
			var all []<-chan error
			for i := range 200 {
				all = append(all, ask(ctx, s, purpose(i%2), compute))
			}
			for _, one := range all {
				if err := <-one; err != nil {
					t.Error(err)
				}
			}
			if most.Load() != 3 || s.free != 3 {
				t.Errorf("%d were computed at once; %d free at the end", most.Load(), s.free)
			}
		})
	})
	t.Run("ClientsUseAll", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(3)
			for range 3 {
				defer occupy(s, client)()
			}
			if load := s.load(); load.Hashing != 3 {
				t.Errorf("%d clients hash at once, want 3", load.Hashing)
			}
		})
	})
	t.Run("OneSlotServesAll", func(t *testing.T) {
		s := newSlots(1)
		for _, p := range []purpose{client, management} {
			if err := s.do(ctx, p, func() {}); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("ManagementGoesFirst", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(1)
			release := occupy(s, client)
			var order []purpose
			early := ask(ctx, s, client, func() { order = append(order, client) })
			synctest.Wait()
			late := ask(ctx, s, management, func() { order = append(order, management) })
			synctest.Wait()
			release()
			if err := errors.Join(<-early, <-late); err != nil {
				t.Error(err)
			}
			if order[0] != management {
				t.Error("a client that had waited longer went before management")
			}
		})
	})
	t.Run("ErrTooManyWait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for p, most := range map[purpose]int{client: mostClientsWaiting, management: mostManagementWaiting} {
				s := newSlots(1)
				release := occupy(s, management)
				var all []<-chan error
				for range most {
					all = append(all, ask(ctx, s, p, func() {}))
				}
				synctest.Wait()
				err := s.do(ctx, p, func() { t.Error("one too many was computed") })
				if e, ok := errors.AsType[*account.Error](err); !ok || e.Kind != account.KindThrottled || e.RetryAfter != time.Second {
					t.Errorf("got %v, want Throttled", err)
				}
				release()
				for _, one := range all {
					if err := <-one; err != nil {
						t.Error(err)
					}
				}
			}
		})
	})
	t.Run("ErrWaitedTooLong", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(1)
			release := occupy(s, management)
			began := time.Now()
			err := s.do(ctx, client, func() { t.Error("it was computed") })
			if account.KindOf(err) != account.KindThrottled || time.Since(began) != longestWait {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
			release()
			synctest.Wait()
			if s.free != 1 || s.waiting[client].line.Len() != 0 {
				t.Errorf("%d slots are free and %d wait", s.free, s.waiting[client].line.Len())
			}
		})
	})
	t.Run("ErrHalfOfTheTimeWaited", func(t *testing.T) {
		// The other half is the answer's, so that there is one.
		for limit, want := range map[time.Duration]time.Duration{
			time.Second: 500 * time.Millisecond, 2 * longestWait: longestWait, time.Hour: longestWait,
		} {
			synctest.Test(t, func(t *testing.T) {
				s := newSlots(1)
				defer occupy(s, management)()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				began := time.Now()
				err := s.do(ctx, management, func() { t.Error("it was computed") })
				if account.KindOf(err) != account.KindThrottled || time.Since(began) != want {
					t.Errorf("with %s left: %v after %s, want Throttled after %s", limit, err, time.Since(began), want)
				}
			})
		}
	})
	t.Run("ErrContext", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(1)
			release := occupy(s, management)
			ctx, cancel := context.WithCancel(ctx)
			waiting := ask(ctx, s, client, func() { t.Error("it was computed") })
			synctest.Wait()
			cancel()
			if err := <-waiting; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			release()
			synctest.Wait()
			if err := s.do(ctx, management, func() { t.Error("it was computed") }); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if s.free != 1 || s.waiting[client].line.Len() != 0 {
				t.Errorf("%d slots are free and %d wait", s.free, s.waiting[client].line.Len())
			}
		})
	})
	t.Run("GrantedAfterGivingUp", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(1)
			if err := s.acquire(ctx, client); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(ctx)
			waiting := ask(ctx, s, client, func() { t.Error("it was computed") })
			synctest.Wait()
			s.mu.Lock()
			cancel() // it wakes for this, and must wait for mu
			s.gives()
			s.mu.Unlock()
			if err := <-waiting; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if s.free != 1 {
				t.Errorf("the slot of one who gave up was lost: %d free", s.free)
			}
		})
	})
	t.Run("Load", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(2)
			want := func(hashing, waiting uint32) {
				t.Helper()
				synctest.Wait()
				if got := s.load(); *got != (account.Load{Hashing: hashing, HashWaiting: waiting}) {
					t.Errorf("the load is %+v, want %d hashing and %d waiting", *got, hashing, waiting)
				}
			}
			want(0, 0)
			first, second := occupy(s, client), occupy(s, management)
			want(2, 0)
			third, release := ask(ctx, s, client, func() {}), make(chan struct{})
			fourth := ask(ctx, s, management, func() { <-release })
			want(2, 2)
			second()
			want(2, 1)
			first()
			want(1, 0)
			close(release)
			want(0, 0)
			if err := errors.Join(<-third, <-fourth); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("GivenBackAfterAPanic", func(t *testing.T) {
		s := newSlots(1)
		func() {
			defer func() { recover() }()
			s.do(ctx, client, func() { panic("hash") })
		}()
		if s.free != 1 {
			t.Errorf("%d free", s.free)
		}
	})
}

func TestPurpose(t *testing.T) {
	for listener, want := range map[account.Listener]purpose{
		account.ManagementListener: management, account.ClientListener: client, "": client, "other": client,
	} {
		if got := purposeOf(listener); got != want {
			t.Errorf("listener %q hashes as %d, want %d", listener, got, want)
		}
	}
}

func TestHashingWaits(t *testing.T) {
	// With every slot taken, whatever the answer will be, it waits for one.
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		h.current = argon2id{memory: 64, passes: 1}
		h.slots = newSlots(1)
		hash, err := h.hash(t.Context(), "password")
		if err != nil {
			t.Fatal(err)
		}
		release := occupy(h.slots, management)
		began := time.Now()
		for _, stored := range []string{hash, ""} {
			for _, password := range []string{"password", "wrong", "", "\xff"} {
				if _, err := h.verify(t.Context(), client, stored, account.Secret(password), false); account.KindOf(err) != account.KindThrottled {
					t.Errorf("%q: got %v, want Throttled", password, err)
				}
			}
		}
		if _, err := h.hash(t.Context(), "password"); account.KindOf(err) != account.KindThrottled {
			t.Errorf("got %v, want Throttled", err)
		}
		if took := time.Since(began); took != 9*longestWait {
			t.Errorf("nine waits took %s", took)
		}
		release()
		synctest.Wait()
	})
}

func TestDecoy(t *testing.T) {
	s := newHasher().current
	encoded := s.decoy()
	d, err := s.parse(encoded)
	if err != nil || d.weak() || d.matches("") {
		t.Errorf("%s: the decoy %q is weak, matches, or cannot be read: %v", s.name(), encoded, err)
	}
	real, err := s.hash("password")
	if err != nil || len(real) != len(encoded) {
		t.Errorf("%s: the decoy %q is not of the form of %q (%v)", s.name(), encoded, real, err)
	}
	if encoded == s.decoy() {
		t.Errorf("%s: two decoys are the same", s.name())
	}
}
