package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func TestStatusRoundTrip(t *testing.T) {
	for _, kind := range account.Kinds() {
		for _, reason := range append(account.Reasons(), "") {
			if (kind == account.KindOutcomeUnknown) != (reason == account.ReasonOutcomeUnknown) {
				continue // the one reason that belongs to one kind
			}
			t.Run(fmt.Sprintf("%s/%s", kind, reason), func(t *testing.T) {
				sent := &account.Error{
					Kind: kind, Reason: reason, Field: "role", Subject: "jeff", Message: "what was asked is wrong",
					RetryAfter: 3 * time.Second, RequestID: "0190b3a0-0000-7000-8000-000000000000",
				}
				want := *sent
				switch kind {
				case account.KindInternal:
					want = account.Error{Kind: kind, Message: "internal error; the log of the server says more"}
				case account.KindNotAuthenticated:
					want = account.Error{Kind: kind, Message: sent.Message}
				}
				err := wire.FromStatus(wire.ToStatus(fmt.Errorf("wrapped: %w", sent)))
				got, ok := errors.AsType[*account.Error](err)
				if !ok {
					t.Fatalf("came back as %T: %v", err, err)
				}
				if diff := cmp.Diff(&want, got); diff != "" {
					t.Errorf("the error changed on its way (-sent +got):\n%s", diff)
				}
				if wire.Transport(err) {
					t.Error("a handler's error looks like the transport's")
				}
			})
		}
	}
}

func TestToStatus(t *testing.T) {
	t.Run("CauseStaysHere", func(t *testing.T) {
		st := status.Convert(wire.ToStatus(errors.New("open /secret/path: hunter2")))
		if st.Code() != codes.Internal || strings.Contains(st.Message(), "hunter2") {
			t.Errorf("got %v: %q", st.Code(), st.Message())
		}
	})
	t.Run("Contexts", func(t *testing.T) {
		for err, want := range map[error]codes.Code{
			context.Canceled:         codes.Canceled,
			context.DeadlineExceeded: codes.DeadlineExceeded,
		} {
			if got := status.Code(wire.ToStatus(fmt.Errorf("wrapped: %w", err))); got != want {
				t.Errorf("%v became %v, want %v", err, got, want)
			}
		}
	})
	t.Run("Nil", func(t *testing.T) {
		if wire.ToStatus(nil) != nil || wire.FromStatus(nil) != nil {
			t.Error("no error became one")
		}
	})
}

func TestFromStatus(t *testing.T) {
	t.Run("Transport", func(t *testing.T) {
		for _, code := range []codes.Code{codes.Unavailable, codes.Canceled, codes.DeadlineExceeded} {
			if err := wire.FromStatus(status.Error(code, "error reading from server: EOF")); !wire.Transport(err) {
				t.Errorf("%v without our detail is not the transport's: %v", code, err)
			}
		}
	})
	t.Run("TooLarge", func(t *testing.T) {
		err := wire.FromStatus(status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 8)"))
		if k := account.KindOf(err); k != account.KindInternal {
			t.Errorf("what the transport refuses is %v", k)
		}
	})
	t.Run("HostileText", func(t *testing.T) {
		err := wire.FromStatus(status.Error(codes.NotFound, "a\x1b[31m\nb\xff"+strings.Repeat("x", 5000)))
		if s := err.Error(); len(s) > 1100 || strings.ContainsAny(s, "\x1b\n") || !utf8.ValidString(s) {
			t.Errorf("text came through as %q", s)
		}
		if account.KindOf(err) != account.KindNotFound {
			t.Errorf("kind %v", account.KindOf(err))
		}
	})
	t.Run("TurnedAround", func(t *testing.T) {
		err := wire.FromStatus(status.Error(codes.NotFound, "a user named '\u202enimda\u2069\u200b' does not exist"))
		if s := err.Error(); s != "a user named ' nimda ' does not exist" {
			t.Errorf("text came through as %q", s)
		}
	})
	t.Run("UnknownCode", func(t *testing.T) {
		if k := account.KindOf(wire.FromStatus(status.Error(codes.Code(77), "new"))); k != account.KindInternal {
			t.Errorf("kind %v", k)
		}
	})
}
