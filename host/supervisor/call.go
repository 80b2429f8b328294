package supervisor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// saidSo is how often a call is repeated on an instance that lives, is
// connected, and answers as if nobody had: a plugin in another language may put
// it that way that it cannot reach its store.
const saidSo = 3

// forward makes one call: on the running plugin, and again on the next one if
// the plugin dies under it or is cut off by a reload. It ends within
// CallTimeout. A plugin that has not declared the capability, if it takes one, is
// not asked. id is zero for a call that changes nothing; any other may be
// repeated because the plugin knows its id (rule 2), and an internal error of the
// plugin leaves its outcome unknown.
func forward[R any](ctx context.Context, s *Supervisor, capability string, id account.RequestID, call func(context.Context, account.Users) (R, error)) (R, error) {
	caller, began := ctx, time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.settings().CallTimeout)
	defer cancel()
	// unheard had the last attempt and did not answer it. While it lives it may
	// still carry that out; acquire gives another out only when it is gone.
	var unheard *instance
	said := 0
	var none R
	for {
		in, err := s.acquire(ctx)
		if err != nil {
			return none, unanswered(caller, id, unheard != nil, err)
		}
		r, err := attempt(ctx, in, capability, call)
		if !wire.Transport(err) {
			if err != nil && !id.IsZero() && (in == unheard || unheard != nil && saysNothing(err)) {
				return none, account.OutcomeUnknown(id)
			}
			return r, s.uncertain(id, in.named(err))
		}
		unheard = in
		if ctx.Err() == nil && !in.isOver(exitGrace) && in.connected() {
			said++
		}
		if said == saidSo {
			return none, unanswered(caller, id, true, in.named(err))
		}
		if ctx.Err() != nil {
			return none, unanswered(caller, id, true, account.Unavailable("plugin %s did not answer within %s",
				in.exe.name(), time.Since(began).Round(time.Millisecond)))
		}
	}
}

// once makes one call on the running plugin, for as long as ctx allows, and
// never again. It waits for a plugin like any call. Nobody can say how long the
// answer takes, so the wait for it neither is a silence nor ends one.
func once[R any](ctx context.Context, s *Supervisor, capability string, call func(context.Context, account.Users) (R, error)) (R, error) {
	var none R
	wait, cancel := context.WithTimeout(ctx, s.settings().CallTimeout)
	in, err := s.acquire(wait)
	cancel()
	if err != nil {
		return none, unanswered(ctx, account.RequestID{}, false, err)
	}
	r, err := attempt(ctx, in, capability, func(ctx context.Context, u account.Users) (R, error) {
		in.silence.done(false)
		defer in.silence.asked()
		return call(ctx, u)
	})
	if !wire.Transport(err) {
		return r, in.named(err)
	}
	if ctx.Err() == nil && in.isOver(exitGrace) {
		err = account.Unavailable("plugin %s did not answer: %v", in.exe.name(), in.reason())
	} else {
		err = in.named(err)
	}
	return none, unanswered(ctx, account.RequestID{}, true, err)
}

// attempt makes one call on one instance. Nothing but the caller's time and the
// instance's end bounds it: what is slow is not repeated, which would only make
// a slow store slower.
func attempt[R any](ctx context.Context, in *instance, capability string, call func(context.Context, account.Users) (R, error)) (none R, err error) {
	defer in.calls.Done()
	if !in.offers(capability) {
		return none, account.Unsupported(capability)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(in.over, cancel)
	defer stop()
	in.silence.asked()
	r, err := call(ctx, in.users)
	in.silence.done(!wire.Transport(err) || ctx.Err() == nil)
	if e, ok := errors.AsType[*account.Error](err); ok && capability != everyPlugin && e.Kind == account.KindUnsupported && e.Subject == "" {
		return r, account.Unsupported(capability) // it knows the method, or our errors, no better
	}
	return r, err
}

// everyPlugin stands for a capability that no plugin need declare.
const everyPlugin = ""

// offers reports whether the plugin has declared the capability.
func (in *instance) offers(capability string) bool {
	return capability == everyPlugin || slices.Contains(in.description.Capabilities, capability)
}

// saysNothing reports whether err refuses a repeat without a word about the
// attempt before: its request id is too old now, and was not then, or the plugin
// is another that cannot do it.
func saysNothing(err error) bool {
	e, ok := errors.AsType[*account.Error](err)
	return ok && (e.Reason == account.ReasonRequestExpired || e.Kind == account.KindUnsupported ||
		e.Kind == account.KindInvalid && e.Field == "request_id" && e.Reason == "")
}

// unanswered is the error of a call that nobody answered.
func unanswered(caller context.Context, id account.RequestID, sent bool, last error) error {
	switch {
	case sent && !id.IsZero():
		return account.OutcomeUnknown(id)
	case errors.Is(caller.Err(), context.Canceled):
		return &account.Error{Kind: account.KindInterrupted, Message: "the caller gave up"}
	case account.KindOf(last) == account.KindUnavailable:
		e, _ := errors.AsType[*account.Error](last)
		return e
	}
	return account.Unavailable("%v", last)
}
