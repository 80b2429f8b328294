package follow_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/follow"
	"github.com/cinchapi/concourse-users/shared/account"
)

// knowledge writes down what it is told.
type knowledge struct {
	mu   sync.Mutex
	live []string
	log  []string
	at   []time.Time // of the heartbeats
}

func (k *knowledge) note(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.log = append(k.log, s)
}

func (k *knowledge) Apply(s account.Snapshot) int { k.note("apply " + s.Username); return 0 }
func (k *knowledge) Resync()                      { k.note("resync") }
func (k *knowledge) LiveAccounts() []string       { k.note("live"); return k.live }
func (k *knowledge) Heartbeat(id string, at account.Revision, started time.Time) int {
	k.note("heartbeat " + id)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = append(k.at, started)
	return 0
}

// plugin serves one stream after another, and then one that says nothing.
type plugin struct{ streams []watch }

// watch is the plugin's side of one stream.
type watch func(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error

func (p *plugin) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	if len(p.streams) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	next := p.streams[0]
	p.streams = p.streams[1:]
	return next(ctx, requests, deliver)
}

// answer serves n requests in order, each after the delay, and breaks a little
// later.
func answer(n int, delay time.Duration) watch {
	return func(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
		for range n {
			r := <-requests
			time.Sleep(delay)
			for _, name := range r.Read {
				deliver(account.WatchEvent{Snapshot: &account.Snapshot{Username: name}})
			}
			if r.Heartbeat != 0 {
				deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: r.Heartbeat, StoreID: "s"}})
			}
		}
		time.Sleep(time.Second)
		return errors.New("gone")
	}
}

func run(t *testing.T, k *knowledge, p *plugin, d time.Duration) {
	f := &follow.Follower{Plugin: p, Knowledge: k, Lease: 10 * time.Second, Logger: hclog.NewNullLogger()}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	f.Run(ctx)
}

func TestRun(t *testing.T) {
	t.Run("ReadsAgainBeforeTheLease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &knowledge{live: []string{"a", "b"}}
			run(t, k, &plugin{streams: []watch{answer(3, 0)}}, 500*time.Millisecond)
			want := []string{"resync", "live", "apply a", "apply b", "heartbeat s"}
			if diff := cmp.Diff(want, k.log); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("LeaseRunsFromTheRequest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &knowledge{}
			begun := time.Now()
			run(t, k, &plugin{streams: []watch{answer(2, time.Second)}}, 5*time.Second)
			// The second request goes out when the first is answered, after 1 s.
			if len(k.at) != 1 || k.at[0].Sub(begun) != time.Second {
				t.Errorf("the lease runs from %v", k.at)
			}
		})
	})
	t.Run("SaysOnceWhyItCannotFollow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			broken := func(why string) watch {
				return func(context.Context, <-chan account.WatchRequest, func(account.WatchEvent) error) error {
					return errors.New(why)
				}
			}
			var log strings.Builder
			f := &follow.Follower{
				Plugin:    &plugin{streams: []watch{broken("no store"), broken("no store"), broken("no store"), broken("no disk")}},
				Knowledge: &knowledge{}, Lease: 10 * time.Second, Logger: hclog.New(&hclog.LoggerOptions{Output: &log}),
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			f.Run(ctx)
			if strings.Count(log.String(), "no store") != 1 || strings.Count(log.String(), "no disk") != 1 {
				t.Errorf("the log has:\n%s", &log)
			}
		})
	})
	t.Run("PassesOnTheLoad", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			loads := []*account.Load{{Hashing: 9}, {Hashing: 2, HashWaiting: 3}, nil, {}}
			tell := func(_ context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
				for _, l := range loads {
					deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: (<-requests).Heartbeat, Load: l}})
				}
				time.Sleep(time.Second)
				return errors.New("gone")
			}
			var told []*account.Load
			f := &follow.Follower{
				Plugin: &plugin{streams: []watch{tell}}, Knowledge: &knowledge{}, Lease: 10 * time.Second, Logger: hclog.NewNullLogger(),
				Load: func(l *account.Load) { told = append(told, l) },
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			f.Run(ctx)
			if diff := cmp.Diff(loads[1:], told); diff != "" { // the first only opens the stream
				t.Error(diff)
			}
		})
	})
	t.Run("OpensAnotherStream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &knowledge{}
			run(t, k, &plugin{streams: []watch{answer(2, 0), answer(2, 0)}}, 4*time.Second)
			want := []string{"resync", "live", "heartbeat s", "resync", "live", "heartbeat s"}
			if diff := cmp.Diff(want, k.log); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("GivesUpASilentStream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			silent := func(ctx context.Context, requests <-chan account.WatchRequest, _ func(account.WatchEvent) error) error {
				<-requests
				<-ctx.Done()
				return ctx.Err()
			}
			deaf := func(ctx context.Context, _ <-chan account.WatchRequest, _ func(account.WatchEvent) error) error {
				<-ctx.Done()
				return ctx.Err()
			}
			k := &knowledge{}
			run(t, k, &plugin{streams: []watch{silent, deaf, answer(2, 0)}}, 30*time.Second)
			want := []string{"resync", "live", "heartbeat s"}
			if diff := cmp.Diff(want, k.log); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("ForgedHeartbeatExtendsNothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			forge := func(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
				for n := range uint64(100) {
					deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: n + 50, StoreID: "forged"}})
				}
				<-ctx.Done()
				return ctx.Err()
			}
			k := &knowledge{}
			run(t, k, &plugin{streams: []watch{forge}}, 5*time.Second)
			if len(k.log) != 0 {
				t.Errorf("the table was told %q", k.log)
			}
		})
	})
}
