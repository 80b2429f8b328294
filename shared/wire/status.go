package wire

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Domain is the domain of the ErrorInfo that every refusal carries.
const Domain = "users.concourse"

// kinds maps each kind to its status code. Unavailable stands for two kinds;
// the reason OUTCOME_UNKNOWN tells them apart.
var kinds = []struct {
	kind account.Kind
	code codes.Code
}{
	{account.KindInternal, codes.Internal},
	{account.KindInvalid, codes.InvalidArgument},
	{account.KindNotAuthenticated, codes.Unauthenticated},
	{account.KindNotPermitted, codes.PermissionDenied},
	{account.KindNotFound, codes.NotFound},
	{account.KindAlreadyExists, codes.AlreadyExists},
	{account.KindUnavailable, codes.Unavailable},
	{account.KindRefused, codes.FailedPrecondition},
	{account.KindConflict, codes.Aborted},
	{account.KindUnsupported, codes.Unimplemented},
	{account.KindThrottled, codes.ResourceExhausted},
	{account.KindOutcomeUnknown, codes.Unavailable},
	{account.KindInterrupted, codes.Canceled},
}

const internalText = "internal error; the log of the server says more"

// maxMessage bounds an error's text, in bytes.
const maxMessage = 1024

// ToStatus returns err as a gRPC status error. What is not an *account.Error
// becomes Internal with a generic text.
func ToStatus(err error) error {
	if err == nil || isStatus(err) {
		return err
	}
	e, ok := errors.AsType[*account.Error](err)
	switch {
	case ok && e.Kind != account.KindInternal:
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the caller gave up")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the time for the call ran out")
	default:
		return status.Error(codes.Internal, internalText)
	}
	code := codes.Internal
	for _, k := range kinds {
		if k.kind == e.Kind {
			code = k.code
		}
	}
	st := status.New(code, cut(e.Message))
	if e.Kind == account.KindNotAuthenticated {
		return st.Err() // rule 9: no detail
	}
	info := &errdetails.ErrorInfo{Domain: Domain, Reason: string(e.Reason), Metadata: map[string]string{}}
	for k, v := range map[string]string{"field": e.Field, "subject": e.Subject, "request_id": e.RequestID} {
		if v != "" {
			info.Metadata[k] = cut(v)
		}
	}
	details := []protoadapt.MessageV1{info}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if full, err := st.WithDetails(details...); err == nil {
		st = full
	}
	return st.Err()
}

// FromStatus returns a gRPC error as an *account.Error. Text from the other
// side is bounded, and what does not print is taken out of it. An error that the
// transport made, as opposed to the other side's handler, satisfies Transport.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*account.Error](err); ok {
		return e
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &account.Error{Kind: account.KindInternal, Message: clean(st.Message())}
	for _, k := range kinds {
		if k.code == st.Code() {
			e.Kind = k.kind
			break
		}
	}
	informed := false
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.Domain == Domain {
				informed = true
				e.Reason = account.Reason(clean(d.Reason))
				e.Field, e.Subject, e.RequestID = clean(d.Metadata["field"]), clean(d.Metadata["subject"]), clean(d.Metadata["request_id"])
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = min(max(d.RetryDelay.AsDuration(), 0), time.Hour)
		}
	}
	switch {
	case st.Code() == codes.DeadlineExceeded:
		e.Kind = account.KindUnavailable
	case e.Kind == account.KindThrottled && !informed:
		e.Kind = account.KindInternal // the transport's own: a message too large, which no waiting makes smaller
	case e.Kind == account.KindUnavailable && e.Reason == account.ReasonOutcomeUnknown:
		e.Kind = account.KindOutcomeUnknown
	}
	if !informed && (st.Code() == codes.Unavailable || st.Code() == codes.Canceled || st.Code() == codes.DeadlineExceeded) {
		return &transportError{e}
	}
	return e
}

// Transport reports whether err says only that no answer came, so that the
// call may or may not have been carried out.
func Transport(err error) bool {
	_, ok := errors.AsType[*transportError](err)
	return ok
}

type transportError struct{ cause *account.Error }

func (e *transportError) Error() string { return e.cause.Error() }
func (e *transportError) Unwrap() error { return e.cause }

// isContext reports whether the call ended because its caller went away or had
// no more time.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func isStatus(err error) bool {
	_, ok := err.(interface{ GRPCStatus() *status.Status })
	return ok
}

func cut(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage]
	}
	return string(bytes.ToValidUTF8([]byte(s), []byte("?")))
}

// clean bounds a text of the other side's, and makes a blank of what does not
// print: nobody moves the reader's cursor or turns a line around. The two
// joiners stay, because usernames of some scripts have them.
func clean(s string) string {
	gap := false
	return strings.Map(func(r rune) rune {
		before := gap
		if gap = !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d'; !gap {
			return r
		}
		if before {
			return -1
		}
		return ' '
	}, cut(s))
}

var frame = regexp.MustCompile(`(?m)^([^\s(].*)\(.*$`)

// stackNames returns the functions of a stack without their arguments.
func stackNames(stack []byte) []string {
	var names []string
	for _, m := range frame.FindAllSubmatch(stack, 32) {
		names = append(names, string(m[1]))
	}
	return names
}
