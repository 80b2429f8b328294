package thrift

import (
	"errors"

	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Reason says why a call was refused, in one word of a closed list.
type Reason string

// The reasons.
const (
	DeadToken         Reason = "not_authenticated"
	MissingPermission Reason = "not_permitted"
	WrongTransaction  Reason = "transaction"
	Malformed         Reason = "malformed"
	Away              Reason = "unavailable"
	Unknown           Reason = "outcome_unknown" // the call may have taken effect
	Cut               Reason = "cut"             // a part of the answer had gone out
	Other             Reason = "other"           // what the call's method refuses for its own sake
	Internal          Reason = "internal"
)

// Reasons returns all of them.
func Reasons() []Reason {
	return []Reason{DeadToken, MissingPermission, WrongTransaction, Malformed, Away, Unknown, Cut, Other, Internal}
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, relay.ErrTransaction):
		return WrongTransaction
	case errors.Is(err, relay.ErrUnknown):
		return Unknown
	case errors.Is(err, relay.ErrCut):
		return Cut
	}
	switch account.KindOf(err) {
	case account.KindNotAuthenticated:
		return DeadToken
	case account.KindNotPermitted:
		return MissingPermission
	case account.KindUnavailable:
		return Away
	case account.KindInternal:
		return Internal
	}
	return Other
}

// told tells whoever counts refusals.
func (r *request) told(why Reason) {
	if f := r.server.options.Refused; f != nil {
		f(why)
	}
}
