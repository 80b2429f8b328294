package etcd

import (
	"context"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	firstPause   = 5 * time.Millisecond
	longestPause = 250 * time.Millisecond
	mostTokens   = 3 // how often a token may be refused in one request
)

// How many request timeouts a request may take in all, if its context allows. A
// new leader is elected in less. A host that is told within half of its lease
// why its heartbeat fails can say so; what became of a commit is worth waiting
// for.
const (
	patience       = 2
	commitPatience = 5
)

// ask makes a request that does no harm if it is made more than once, until a
// member answers or refuses it, ctx ends, or patience does. request gets a part
// of the time, so that another member may be asked.
func (s *Store) ask(ctx context.Context, request func(context.Context) error) error {
	return s.askFor(ctx, patience*s.options.RequestTimeout, request)
}

func (s *Store) askFor(ctx context.Context, patience time.Duration, request func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	tokens := 0
	for try := 0; ; try++ {
		err := s.attempt(bounded, request)
		switch {
		case err == nil:
			return nil
		case outdated(err):
			if tokens++; tokens == mostTokens {
				return s.refusal(err)
			}
		case !passing(err):
			return s.refusal(err)
		}
		if bounded.Err() == nil || last == nil {
			last = err
		}
		if !pause(bounded, try) {
			return s.unreachable(ctx, last)
		}
	}
}

// attempt gives one member the time that it may take. One that knows no leader
// says so at once, instead of waiting for one.
func (s *Store) attempt(ctx context.Context, request func(context.Context) error) error {
	attempt, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), s.options.RequestTimeout)
	defer cancel()
	began := time.Now()
	err := request(attempt)
	if err != nil && time.Since(began) >= s.options.RequestTimeout {
		s.connections.breakSilent(began)
	}
	return err
}

// position returns a revision that is at least that of every commit before the
// call, and in which cluster: one that was restored from a snapshot is another.
func (s *Store) position(ctx context.Context) (revision int64, cluster uint64, err error) {
	err = s.ask(ctx, func(attempt context.Context) error {
		revision, cluster, err = s.probe(attempt)
		return err
	})
	return revision, cluster, err
}

// probe asks for the least that a linearizable read can be about, once.
func (s *Store) probe(ctx context.Context) (revision int64, cluster uint64, err error) {
	found, err := s.client.Get(ctx, s.layout.prefix, clientv3.WithPrefix(), clientv3.WithLimit(1), clientv3.WithKeysOnly())
	if err != nil {
		return 0, 0, err
	}
	return found.Header.Revision, found.Header.ClusterId, nil
}

// pause waits longer with each try, and by chance. It reports whether ctx lasts.
func pause(ctx context.Context, try int) bool {
	longest := min(firstPause<<min(try, 10), longestPause)
	select {
	case <-time.After(longest/2 + rand.N(longest/2)):
		return true
	case <-ctx.Done():
		return false
	}
}
