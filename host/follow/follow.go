package follow

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Plugin is where the stream comes from.
type Plugin interface {
	// Watch is account.Users.Watch.
	Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error
}

// Knowledge is what the stream feeds.
type Knowledge interface {
	// Apply takes a snapshot, unless it knows a newer one.
	Apply(account.Snapshot) (ended int)
	// Resync marks every login under way, so that it asks the plugin again:
	// changes may have been missed while it read.
	Resync()
	// LiveAccounts names the accounts with sessions.
	LiveAccounts() []string
	// Heartbeat says that, of the store with the id, everything committed
	// before started, and up to the revision, is known.
	Heartbeat(storeID string, at account.Revision, started time.Time) (ended int)
}

// Follower follows one plugin's changes.
type Follower struct {
	Plugin    Plugin
	Knowledge Knowledge
	Lease     time.Duration // a stream that is silent for half of it is given up, so that another may save it
	Logger    hclog.Logger

	// Load, if not nil, hears with every heartbeat how busy the plugin says it
	// is; nil if it does not say.
	Load func(*account.Load)
}

// The pauses between two streams, and how a lease is divided.
const (
	minPause          = 20 * time.Millisecond
	maxPause          = time.Second
	heartbeatsInLease = 5
	silentPart        = 2 // a stream that is silent for this part of the lease is given up
)

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	pause, said := minPause, ""
	for {
		synced, err := f.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		level, why := hclog.Info, fmt.Sprint(err)
		if !synced && why == said { // while a store cannot be reached, once is enough
			level = hclog.Debug
		}
		f.Logger.Log(level, "the change stream ended; opening another", "synced", synced, "error", why)
		said = why
		if synced {
			pause = minPause
		}
		select {
		case <-time.After(pause + rand.N(pause)):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// errSilent ends a stream whose plugin takes no request or answers no heartbeat.
var errSilent = errors.New("the plugin was silent for half of the lease")

// stream follows one stream to its end, and says whether it ever was in step.
//
// The first heartbeat only proves that the plugin has subscribed. What
// happened between the last stream and that moment may have been missed, so
// logins that began before are marked and live accounts are read again, in
// this order; the next heartbeat is the first that extends the lease.
func (f *Follower) stream(ctx context.Context) (synced bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	requests := make(chan account.WatchRequest)
	beats := make(chan account.Heartbeat, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		synced = f.ask(ctx, cancel, requests, beats)
	}()
	err = f.Plugin.Watch(ctx, requests, func(e account.WatchEvent) error {
		switch {
		case e.Snapshot != nil:
			f.Knowledge.Apply(*e.Snapshot)
		case e.Heartbeat != nil:
			select {
			case beats <- *e.Heartbeat:
			default: // one that nobody asked for
			}
		}
		return nil
	})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	<-done
	return synced, err
}

// ask sends the requests of one stream until it ends, one heartbeat at a time.
func (f *Follower) ask(ctx context.Context, cancel context.CancelCauseFunc, requests chan<- account.WatchRequest, beats <-chan account.Heartbeat) (synced bool) {
	send := func(r account.WatchRequest) bool {
		timeout := time.NewTimer(f.Lease / silentPart)
		defer timeout.Stop()
		select {
		case requests <- r:
			return true
		case <-timeout.C:
			cancel(errSilent)
			return false
		case <-ctx.Done():
			return false
		}
	}
	for number := uint64(1); ; number++ {
		started := time.Now()
		if !send(account.WatchRequest{Heartbeat: number}) {
			return synced
		}
		beat, err := f.await(ctx, number, beats)
		if err != nil {
			cancel(err)
			return synced
		}
		if number == 1 {
			f.Knowledge.Resync()
			for names := range slices.Chunk(f.Knowledge.LiveAccounts(), account.MaxBatch) {
				if !send(account.WatchRequest{Read: names}) {
					return synced
				}
			}
			continue
		}
		f.Knowledge.Heartbeat(beat.StoreID, beat.Revision, started)
		if f.Load != nil {
			f.Load(beat.Load)
		}
		synced = true
		select {
		case <-time.After(f.Lease / heartbeatsInLease):
		case <-ctx.Done():
			return synced
		}
	}
}

// await waits for the heartbeat of the number.
func (f *Follower) await(ctx context.Context, number uint64, beats <-chan account.Heartbeat) (account.Heartbeat, error) {
	timeout := time.NewTimer(f.Lease / silentPart)
	defer timeout.Stop()
	for {
		select {
		case b := <-beats:
			if b.Number == number {
				return b, nil
			}
		case <-timeout.C:
			return account.Heartbeat{}, errSilent
		case <-ctx.Done():
			return account.Heartbeat{}, context.Cause(ctx)
		}
	}
}
