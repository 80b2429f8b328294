package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/shared/account"
)

// code is that of an error as etcd's client returns it.
func code(err error) codes.Code {
	if e, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		return e.Code()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	return status.Code(err)
}

// passing reports whether another member, or the same one a moment later, may
// answer what this one did not.
func passing(err error) bool {
	switch code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted, codes.Internal, codes.Unknown:
		return account.KindOf(err) == account.KindInternal // not one of our own
	}
	return is(err, rpctypes.ErrTooManyRequests, rpctypes.ErrNotLeader, rpctypes.ErrNotCapable, errLearner)
}

var errLearner = rpctypes.Error(rpctypes.ErrGRPCNotSupportedForLearner)

// outdated reports whether the client's token was refused. The client has
// fetched another one by then.
func outdated(err error) bool {
	return is(err, rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision, rpctypes.ErrUserEmpty)
}

// refuses reports whether the error says for certain that the one transaction
// which it answers was not, and never will be, carried out.
func refuses(err error) bool {
	switch code(err) {
	case codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated:
		return true
	}
	return outdated(err) || is(err, rpctypes.ErrTooManyOps, rpctypes.ErrRequestTooLarge, rpctypes.ErrDuplicateKey,
		rpctypes.ErrAuthFailed, rpctypes.ErrNotCapable, errLearner)
}

func is(err error, any ...error) bool {
	for _, one := range any {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// refusal says in words, and for somebody who can act on it, why etcd refuses.
func (s *Store) refusal(err error) error {
	if own, ok := errors.AsType[*account.Error](err); ok {
		return own
	}
	switch {
	case is(err, rpctypes.ErrUserEmpty):
		return s.unfit("username", "etcd at %s asks for a user; set username and password_file", s.where())
	case is(err, rpctypes.ErrAuthFailed, rpctypes.ErrInvalidAuthToken):
		return s.unfit("username", "etcd at %s refuses the user %q or its password", s.where(), s.options.Username)
	case is(err, rpctypes.ErrPermissionDenied):
		return s.unfit("username", "etcd at %s does not let %s read and write the keys that begin with %s; grant that with \"etcdctl role grant-permission ROLE --prefix readwrite %s\"",
			s.where(), s.who(), s.options.Prefix, s.options.Prefix)
	case is(err, rpctypes.ErrNoSpace):
		return account.Unavailable("etcd at %s has reached its space quota and takes no changes; compact and defragment it, then disarm its alarm", s.where())
	case is(err, rpctypes.ErrTooManyOps):
		return tooLarge("it reads or writes more keys than etcd takes in one transaction; raise etcd's --max-txn-ops")
	case is(err, rpctypes.ErrRequestTooLarge) || code(err) == codes.ResourceExhausted:
		return tooLarge("it writes more bytes than etcd takes in one request; raise etcd's --max-request-bytes")
	case is(err, rpctypes.ErrFutureRev):
		return account.Unavailable("etcd at %s has gone back to an older revision, as after a restore from a snapshot; try again", s.where())
	}
	return account.Unavailable("etcd at %s refuses: %s", s.where(), reason(err))
}

// unfit blames one of the operator's settings, while the store is being opened.
func (s *Store) unfit(setting, format string, args ...any) error {
	if s.opening {
		return invalid(setting, format, args...)
	}
	return account.Unavailable(format, args...)
}

func tooLarge(why string) error {
	e := account.Unsupported("a change of this size")
	e.Message = "the change is too large for etcd: " + why
	return e
}

func (s *Store) who() string {
	if s.options.Username == "" {
		return "us"
	}
	return fmt.Sprintf("the user %q", s.options.Username)
}

func (s *Store) where() string { return strings.Join(s.options.Endpoints, ", ") }

// unreachable says why nobody answered. last may be nil.
func (s *Store) unreachable(ctx context.Context, last error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return account.Unavailable("etcd at %s does not answer: %s", s.where(), reason(last))
}

// uncertain is an error that is no *account.Error, and wraps none: nobody knows
// whether the change was made.
func (s *Store) uncertain(cause error) error {
	return fmt.Errorf("etcd at %s did not say whether the change was made: %s", s.where(), reason(cause))
}

// reason is what an error of the client says, without what grpc and etcd put
// around it.
func reason(err error) string {
	if err == nil || code(err) == codes.DeadlineExceeded || code(err) == codes.Canceled {
		return "no answer in time"
	}
	said := err.Error()
	if e, ok := status.FromError(err); ok {
		said = e.Message()
	}
	if _, inner, ok := strings.Cut(said, `desc = "transport: `); ok {
		said, _, _ = strings.Cut(inner, `"`+"\n")
		said = strings.TrimPrefix(strings.TrimSuffix(said, `"`), "Error while dialing: ")
	}
	return strings.TrimPrefix(said, "etcdserver: ")
}
