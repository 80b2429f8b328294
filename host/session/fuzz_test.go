package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// FuzzParseToken: only what Text writes is a token, and no refusal, nor any
// other form of a token, shows it (rule 9).
func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{
		"", session.Token{}.Text(), strings.Repeat("A", 42) + "B", strings.Repeat("_", 42) + "w", strings.Repeat("-", 43), strings.Repeat("A", 44),
		strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "\n", "\r\n" + strings.Repeat("A", 41), strings.Repeat("+/", 21) + "A",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := session.ParseToken(text)
		if err != nil {
			if account.KindOf(err) != account.KindNotAuthenticated || len(text) > 8 && strings.Contains(err.Error(), text) {
				t.Errorf("%q is refused with %v", text, err)
			}
			return
		}
		if token.Text() != text {
			t.Errorf("%q is read as %q", text, token.Text())
		}
		if shown := fmt.Sprintf("%v %s %x %q %d", token, token, token, token, token); strings.Contains(shown, text) || strings.Contains(shown, fmt.Sprintf("%x", token[:])) {
			t.Errorf("%q is shown as %q", text, shown)
		}
	})
}

// FuzzSessionID: an id ends the session that it names, as listed, and nobody
// else's.
func FuzzSessionID(f *testing.F) {
	for _, seed := range []string{"", "2222222222", "zzzzzzzzzz", "ZZZZZZZZZZ", "222222222", "22222222222", "222222222\x00", "22222 2222", "1222222222", "…222222"} {
		f.Add(seed)
	}
	table := session.New(session.Options{Host: "h", Lease: time.Hour})
	table.Heartbeat("store", 0, time.Now())
	_, mine, err := table.Begin("jeff").Complete(account.Snapshot{Username: "jeff", ID: "1", Generation: 1, Role: account.User, Enabled: true}, session.Details{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if table.End(id, session.Disconnected) && id != mine.ID() {
			t.Errorf("%q ended %s", id, mine.ID())
		}
		if table.Len() != 1 && id != mine.ID() {
			t.Errorf("%d sessions are left after %q", table.Len(), id)
		}
	})
}
