package main

import (
	"context"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// steadyHost is a host that is asked again while it is away or busy, for as
// long as wait each time: a change under the request id of the first attempt,
// so that it takes effect once (rule 2). If the connection went with the host,
// the same administrator logs in again.
type steadyHost struct {
	connect func(context.Context) (*management.Client, error)
	wait    time.Duration
	caller  string // who asks, in the normal form of the name

	mu     sync.Mutex // guards client, and is held while it is replaced
	client *management.Client
}

// The pauses between two attempts, unless the host says when to come back.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
)

// steadyLogin is login for many changes.
type steadyLogin struct {
	login
	wait time.Duration
}

func (l *steadyLogin) define(o *options) {
	l.wait = time.Minute
	o.Var(&parsed[time.Duration]{&l.wait, parseWait}, "wait", "wait for a `DURATION`, such as 30s or 5m, for a host that goes away meanwhile (default 1m)")
	l.login.define(o)
}

func (l *steadyLogin) enter(ctx context.Context, c *console) (*steadyHost, error) {
	connect := l.connector(c)
	first, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	return &steadyHost{connect: connect, wait: l.wait, caller: first.Username(), client: first}, nil
}

func parseWait(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, account.Invalid("wait", "%q is not a duration; use a number and a unit, such as 30s or 5m", account.Printable(text))
	}
	return d, nil
}

func (h *steadyHost) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.client.Close()
}

func (h *steadyHost) connected(ctx context.Context) (*management.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.client.Lost() {
		return h.client, nil
	}
	again, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	h.client.Close()
	h.client = again
	return again, nil
}

// ask repeats an attempt that did not get through. It begins no other once
// until has ended.
func (h *steadyHost) ask(ctx, until context.Context, attempt func(context.Context, *management.Client) error) error {
	deadline := time.Now().Add(h.wait)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		client, err := h.connected(ctx)
		if err == nil {
			err = attempt(ctx, client)
		}
		after, again := comeBack(err, pause)
		if !again || time.Now().Add(after).After(deadline) {
			return err
		}
		select {
		case <-time.After(after):
		case <-until.Done():
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// comeBack says whether and when an attempt that ended so is worth repeating.
func comeBack(err error, pause time.Duration) (after time.Duration, again bool) {
	switch account.KindOf(err) {
	case account.KindThrottled:
		return max(pause, retryAfter(err)), true
	case account.KindUnavailable, account.KindOutcomeUnknown, account.KindConflict:
		return pause, true
	}
	return 0, false
}

// change is ask for what changes something, under one request id.
func (h *steadyHost) change(ctx, until context.Context, attempt func(context.Context, *management.Client, account.RequestID) error) error {
	var id account.RequestID
	var unknown error
	err := h.ask(ctx, until, func(ctx context.Context, client *management.Client) error {
		err := attempt(ctx, client, id)
		if account.KindOf(err) == account.KindOutcomeUnknown {
			unknown, id = err, requestOf(err)
		}
		return err
	})
	// What refuses the caller, or nobody answered, says nothing of an attempt
	// before.
	if unknown != nil && ends(err) {
		return unknown
	}
	return err
}

// ends reports whether an error is no single account's: what comes next would
// meet it too.
func ends(err error) bool {
	switch account.KindOf(err) {
	case account.KindNotAuthenticated, account.KindNotPermitted, account.KindUnavailable, account.KindUnsupported,
		account.KindThrottled, account.KindOutcomeUnknown, account.KindInterrupted:
		return true
	}
	return false
}
