package thrift

import (
	"errors"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

// insufficientPermission is the text by which callers know a missing permission.
const insufficientPermission = "Insufficient Permission"

// refuse answers a call that the gate or the relay has refused, in a form that
// its caller takes for a refusal:
//   - a SecurityException only where the token is dead: the Java driver logs in
//     and calls again upon it, for ever;
//   - what older drivers may not know as a TApplicationException, which they all
//     do: they take an exception that they don't know for success where the method
//     returns nothing.
func (r *request) refuse(err error) error {
	if r.calls.Err() == nil {
		r.told(reasonOf(err))
	}
	switch {
	case r.wrote, r.calls.Err() != nil, errors.Is(err, relay.ErrCut):
		return err
	case errors.Is(err, relay.ErrTransaction):
		if r.method.TransactionFailed != 0 && (r.multiplexed || !r.method.Void) {
			return r.declaredEmpty(r.method.TransactionFailed)
		}
		return r.fail(thrift.INTERNAL_ERROR, err.Error())
	case errors.Is(err, relay.ErrUnknown):
		return r.fail(thrift.INTERNAL_ERROR, err.Error())
	}
	switch account.KindOf(err) {
	case account.KindNotAuthenticated:
		return r.declared(r.method.Security, invalidToken)
	case account.KindNotPermitted:
		return r.notPermitted(insufficientPermission)
	}
	return r.refuseUnexplained(err)
}

// refuseLogin answers a login that the gate has refused.
func (r *request) refuseLogin(err error) error {
	switch account.KindOf(err) {
	case account.KindNotAuthenticated:
		return r.declared(r.method.Security, "Invalid username/password combination.")
	case account.KindNotPermitted:
		text := err.Error()
		if account.ReasonOf(err) == account.ReasonSuspended {
			text = "Cannot issue a token for a user whose access has been disabled"
		}
		return r.declared(r.method.Security, text)
	}
	return r.refuseUnexplained(err)
}

// refuseUnexplained answers with the refusal's own words, or with an internal
// error, which the log says more of.
func (r *request) refuseUnexplained(err error) error {
	if e, ok := errors.AsType[*account.Error](err); ok && e.Kind != account.KindInternal {
		return r.fail(thrift.INTERNAL_ERROR, e.Message)
	}
	r.server.options.Logger.Error("internal error", "method", r.name, "error", err)
	return r.internal()
}

// notPermitted answers that a permission is missing.
func (r *request) notPermitted(text string) error {
	if r.multiplexed && r.method.Permission != 0 {
		return r.declared(r.method.Permission, text)
	}
	return r.fail(thrift.INTERNAL_ERROR, text)
}

// malformed answers that an argument is there twice, or of another type.
func (r *request) malformed(err error) error {
	r.told(Malformed)
	text := "the message of " + r.name + " is malformed"
	if errors.Is(err, message.ErrTwice) || errors.Is(err, message.ErrType) || errors.Is(err, message.ErrShape) {
		text += ": " + err.Error()
	}
	return r.fail(thrift.PROTOCOL_ERROR, text)
}

// noEnvironment answers that a call which is checked in an environment has no
// such argument.
func (r *request) noEnvironment() error {
	r.told(Malformed)
	const text = "Cannot verify permissions without an AccessToken and environment"
	if r.multiplexed && r.method.Parse != 0 {
		return r.declared(r.method.Parse, text)
	}
	return r.fail(thrift.INTERNAL_ERROR, text)
}
