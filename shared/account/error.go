package account

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Kind is the closed list of ways in which a request can end other than well.
// The numbers are frozen. shared/wire maps each to a gRPC status and
// cmd/concourse to an exit code.
type Kind int

// The kinds. Internal is every error that is not an *Error.
const (
	KindInternal         Kind = 1
	KindInvalid          Kind = 2  // usage, or an invalid argument
	KindNotAuthenticated Kind = 3  // no or wrong credentials, or a dead session
	KindNotPermitted     Kind = 4  // the account may not do that
	KindNotFound         Kind = 5  // no such account or session
	KindAlreadyExists    Kind = 6  // the name is taken
	KindUnavailable      Kind = 7  // no host, no plugin, no store, or past the lease
	KindRefused          Kind = 8  // a rule forbids it; Reason says which
	KindConflict         Kind = 9  // others changed the same thing at once
	KindUnsupported      Kind = 10 // this backend cannot do that
	KindThrottled        Kind = 11 // too many attempts; RetryAfter says when
	KindOutcomeUnknown   Kind = 12 // it may or may not have taken effect; RequestID asks again
	KindInterrupted      Kind = 13 // the caller gave up
)

var kindNames = map[Kind]string{
	KindInternal:         "internal",
	KindInvalid:          "invalid_argument",
	KindNotAuthenticated: "not_authenticated",
	KindNotPermitted:     "not_permitted",
	KindNotFound:         "not_found",
	KindAlreadyExists:    "already_exists",
	KindUnavailable:      "unavailable",
	KindRefused:          "refused",
	KindConflict:         "conflict",
	KindUnsupported:      "unsupported",
	KindThrottled:        "throttled",
	KindOutcomeUnknown:   "outcome_unknown",
	KindInterrupted:      "interrupted",
}

// String returns the kind as it stands in JSON errors and audit lines.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return kindNames[KindInternal]
}

// Uncertain reports whether a change that ended so may have been carried out.
// Every other kind says that it was not.
func (k Kind) Uncertain() bool { return k == KindInternal || k == KindOutcomeUnknown }

// Kinds returns every kind, in order.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kindNames))
	for k := KindInternal; k <= KindInterrupted; k++ {
		all = append(all, k)
	}
	return all
}

// Reason names the rule that refused, for programs.
type Reason string

// The reasons.
const (
	ReasonLastAdmin      Reason = "LAST_ADMIN"      // with KindRefused
	ReasonSelfSuspend    Reason = "SELF_SUSPEND"    // with KindRefused
	ReasonTooManyGrants  Reason = "TOO_MANY_GRANTS" // with KindRefused
	ReasonSuspended      Reason = "SUSPENDED"       // with KindNotPermitted
	ReasonNeedsAdmin     Reason = "NEEDS_ADMIN"     // with KindNotPermitted
	ReasonNeedsOperator  Reason = "NEEDS_OPERATOR"  // with KindNotPermitted
	ReasonNeedsGrant     Reason = "NEEDS_GRANT"     // with KindNotPermitted
	ReasonOutcomeUnknown Reason = "OUTCOME_UNKNOWN" // with KindOutcomeUnknown
	ReasonRequestReused  Reason = "REQUEST_REUSED"  // with KindInvalid
	ReasonRequestExpired Reason = "REQUEST_EXPIRED" // with KindInvalid
	ReasonPasswordPolicy Reason = "PASSWORD_POLICY" // with KindInvalid
	ReasonPastLease      Reason = "PAST_LEASE"      // with KindUnavailable
)

// Reasons returns every reason.
func Reasons() []Reason {
	return []Reason{
		ReasonLastAdmin, ReasonSelfSuspend, ReasonTooManyGrants, ReasonSuspended, ReasonNeedsAdmin,
		ReasonNeedsOperator, ReasonNeedsGrant, ReasonOutcomeUnknown, ReasonRequestReused, ReasonRequestExpired,
		ReasonPasswordPolicy, ReasonPastLease,
	}
}

// Error is an error that its receiver can act on. Message is one sentence,
// lower case and without a full stop, that names what was asked and what is
// wrong; it never holds a secret.
type Error struct {
	Kind       Kind
	Reason     Reason        // which rule, if one refused
	Field      string        // which argument, with KindInvalid
	Subject    string        // on what: a username, a session id, a capability
	Message    string        //
	RetryAfter time.Duration // with KindThrottled
	RequestID  string        // with KindOutcomeUnknown
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// KindOf returns the kind of the first *Error that err wraps, KindInternal if
// there is none, and 0 for nil.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// ReasonOf returns the reason of the first *Error that err wraps.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// Invalid says which argument is wrong and why.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotAuthenticated is the one answer to a wrong name and a wrong password.
func NotAuthenticated() *Error {
	return &Error{Kind: KindNotAuthenticated, Message: "invalid username/password combination"}
}

// SessionEnded says that the caller's session is no longer good.
func SessionEnded() *Error {
	return &Error{Kind: KindNotAuthenticated, Message: "the session has ended; log in again"}
}

// NotPermitted says what it takes.
func NotPermitted(reason Reason, format string, args ...any) *Error {
	return &Error{Kind: KindNotPermitted, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// NotFound says that no account has the name.
func NotFound(username string) *Error {
	return &Error{Kind: KindNotFound, Subject: username, Message: fmt.Sprintf("a user named '%s' does not exist", Printable(username))}
}

// AlreadyExists says that the name is taken.
func AlreadyExists(username string) *Error {
	return &Error{Kind: KindAlreadyExists, Subject: username, Message: fmt.Sprintf("a user named '%s' already exists", Printable(username))}
}

// Unavailable says what cannot be reached.
func Unavailable(format string, args ...any) *Error {
	return &Error{Kind: KindUnavailable, Message: fmt.Sprintf(format, args...)}
}

// Refused says which rule forbids it.
func Refused(reason Reason, subject, format string, args ...any) *Error {
	return &Error{Kind: KindRefused, Reason: reason, Subject: subject, Message: fmt.Sprintf(format, args...)}
}

// Conflict says that others were faster.
func Conflict(format string, args ...any) *Error {
	return &Error{Kind: KindConflict, Message: fmt.Sprintf(format, args...)}
}

// Unsupported names the capability that the backend lacks.
func Unsupported(capability string) *Error {
	what := cmp.Or(lacking[capability], capability)
	return &Error{Kind: KindUnsupported, Subject: capability, Message: what + " is unsupported by this backend"}
}

// Throttled says when to try again.
func Throttled(after time.Duration) *Error {
	return &Error{
		Kind: KindThrottled, RetryAfter: after,
		Message: fmt.Sprintf("too many attempts; try again in %s", max(after.Round(time.Second), time.Second)),
	}
}

// OutcomeUnknown says how to ask again.
func OutcomeUnknown(id RequestID) *Error {
	return &Error{
		Kind: KindOutcomeUnknown, Reason: ReasonOutcomeUnknown, RequestID: id.String(),
		Message: fmt.Sprintf("the outcome is unknown; ask again with --request-id %s within an hour", id),
	}
}
