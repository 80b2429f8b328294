package users_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestSessions(t *testing.T) {
	t.Run("MarksOnesOwn", func(t *testing.T) {
		h := start(t)
		rows := []account.Session{{ID: "a", Username: "x"}, {ID: "session of admin", Username: "admin"}, {ID: "b", Note: "odd"}, {ID: ""}}
		given := slices.Clone(rows)
		got, err := h.Sessions(t.Context(), h.caller("admin"), rows)
		want := []account.Session{{ID: "a", Username: "x"}, {ID: "session of admin", Username: "admin", Note: "this session"}, {ID: "b"}, {ID: ""}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if diff := cmp.Diff(given, rows); diff != "" {
			t.Errorf("the caller's rows changed: %s", diff)
		}
		who := h.caller("admin")
		who.SessionID = ""
		got, err = h.Sessions(t.Context(), who, rows)
		if err != nil || slices.ContainsFunc(got, func(s account.Session) bool { return s.Note != "" }) {
			t.Errorf("a caller without a session got %v, %v", got, err)
		}
	})
	t.Run("ErrTooMany", func(t *testing.T) {
		h := start(t)
		_, err := h.Sessions(t.Context(), h.caller("admin"), make([]account.Session, account.MaxBatch+1))
		invalid(t, err, "sessions", "")
		if got, err := h.Sessions(t.Context(), h.caller("admin"), make([]account.Session, account.MaxBatch)); err != nil || len(got) != account.MaxBatch {
			t.Errorf("%d rows, %v", len(got), err)
		}
	})
}
