package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/clients"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

const wrong = "wrong, but long enough"

// logins tries wrong passwords over the management socket, without a pause.
func logins(ctx context.Context, o options) tally {
	return o.flood(ctx, func() (attempt, func() error, error) {
		c, err := management.Dial(ctx, o.socket, management.DialOptions{})
		if err != nil {
			return nil, nil, err
		}
		return func(name string) error {
			_, err := c.Login(ctx, name, account.Secret(wrong))
			return err
		}, c.Close, nil
	})
}

// clientLogins does as clients do, from many addresses.
func clientLogins(ctx context.Context, o options) tally {
	return o.flood(ctx, func() (attempt, func() error, error) {
		c, err := clients.Dial(o.socket)
		if err != nil {
			return nil, nil, err
		}
		context.AfterFunc(ctx, func() { c.Close() })
		return func(name string) error {
			_, err := c.Login(hosttest.Address(rand.IntN(o.addresses)), name, wrong)
			return err
		}, c.Close, nil
	})
}

// attempt tries to log in with the name.
type attempt func(name string) error

// flood connects, again where a connection is lost, and tries on each.
func (o options) flood(ctx context.Context, connect func() (attempt, func() error, error)) tally {
	t := tally{Answers: map[string]int{}}
	var mu sync.Mutex
	heard := func(attempts int, answer string) {
		mu.Lock()
		defer mu.Unlock()
		t.Attempts += attempts
		t.Answers[answer]++
	}
	var all sync.WaitGroup
	for range o.connections {
		all.Go(func() {
			for ctx.Err() == nil {
				try, disconnect, err := connect()
				if err != nil {
					heard(0, "no connection")
					time.Sleep(100 * time.Millisecond)
					continue
				}
				var streams sync.WaitGroup
				for range o.streams {
					streams.Go(func() {
						for {
							kind := account.KindOf(try(o.name()))
							if ctx.Err() != nil {
								return // nobody waits for this answer
							}
							heard(1, kind.String())
							if kind == account.KindUnavailable || kind == account.KindInternal {
								return // the connection is lost
							}
						}
					})
				}
				streams.Wait()
				disconnect()
			}
		})
	}
	all.Wait()
	return t
}

// name is one that somebody has, or one that nobody has.
func (o options) name() string {
	if o.known != "" && rand.IntN(2) == 0 {
		return o.known
	}
	return fmt.Sprintf("nobody%d%s", rand.Uint32(), strings.Repeat("x", o.padding))
}
