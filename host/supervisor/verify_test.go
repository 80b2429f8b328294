package supervisor_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/account"
)

func TestUntrustedAnswers(t *testing.T) {
	s := start(t, options(t))

	t.Run("Show", func(t *testing.T) {
		_, err := s.Show(t.Context(), nobody, "stranger")
		wantKind(t, err, account.KindInternal, `plugin backend answered show with the account "somebody" instead of "stranger"`)
		_, err = s.Show(t.Context(), nobody, "nameless")
		wantKind(t, err, account.KindInternal, `plugin backend answered show with the account "" instead of "nameless"`)
	})

	t.Run("List", func(t *testing.T) {
		for after, want := range map[string]string{
			"huge":     "message larger than max",
			"unsorted": `answered list with the account "y" after "z"`,
			"before":   `answered list with the account "a" after "before"`,
			"loop":     "answered list with a next page that begins before the end of this one",
		} {
			_, _, err := s.List(t.Context(), nobody, after)
			wantKind(t, err, account.KindInternal, want)
		}
		page, next, err := s.List(t.Context(), nobody, "x")
		if err != nil || len(page) != 2 || next != "z" {
			t.Errorf("List: %d accounts, %q, %v", len(page), next, err)
		}
	})

	t.Run("Apply", func(t *testing.T) {
		for username, want := range map[string]string{
			"stranger": `the account "somebody" instead of "stranger"`,
			"another":  "another account than it was before",
			"secretly": "a change that it says is none",
			"demoted":  "a change that it says is none",
			"nothing":  "an account that was not there before and is not new",
			"gone":     "no account",
		} {
			in := newInvocation()
			_, err := s.Apply(t.Context(), in, account.Desired{Username: username})
			wantKind(t, err, account.KindOutcomeUnknown, in.RequestID.String())
			a, err := s.Plan(t.Context(), nobody, account.Desired{Username: username})
			wantKind(t, err, account.KindInternal, "plugin backend answered plan with "+want)
			if a.Changed || a.Before != nil {
				t.Errorf("%s: got %+v", username, a)
			}
		}
		if a, err := s.Apply(t.Context(), newInvocation(), account.Desired{Username: "jeff"}); err != nil || !a.Changed || a.Before == nil {
			t.Errorf("Apply: %+v, %v", a, err)
		}
	})

	t.Run("Export", func(t *testing.T) {
		for after, want := range map[string]string{
			"unsorted": `answered export with the account "y" after "z"`,
			"loop":     "answered export with a next page that begins before the end of this one",
		} {
			_, _, err := s.Export(t.Context(), nobody, after)
			wantKind(t, err, account.KindInternal, want)
		}
		page, next, err := s.Export(t.Context(), nobody, "x")
		if err != nil || len(page) != 2 || string(page[1].PasswordHash) != "hash" || next != "z" {
			t.Errorf("Export: %d accounts, %q, %v", len(page), next, err)
		}
	})

	t.Run("Sessions", func(t *testing.T) {
		rows := []account.Session{
			{ID: "1", Username: "ann", Role: account.User, Listener: account.ManagementListener},
			{ID: "2", Username: "bob", Role: account.User, Listener: account.ClientListener},
			{ID: "3", Username: "cyd", Role: account.User, Listener: account.ClientListener},
		}
		got, err := s.Sessions(t.Context(), account.Caller{Username: "admin"}, slices.Clone(rows)) // which it may write to
		if err != nil {
			t.Fatal(err)
		}
		want := []account.Session{rows[1], rows[2]}
		want[0].Note, want[1].Note = "seen", "seen"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for who, text := range map[string]string{"reverses": "in another order", "adds": "that was not sent", "shouts": "a note of more than 200 bytes"} {
			_, err := s.Sessions(t.Context(), account.Caller{Username: who}, rows)
			wantKind(t, err, account.KindInternal, text)
		}
	})
}
