package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// clock is a time that tests set.
type clock struct{ elapsed atomic.Int64 }

func (c *clock) now() time.Time          { return epoch.Add(time.Duration(c.elapsed.Load())) }
func (c *clock) advance(d time.Duration) { c.elapsed.Add(int64(d)) }

// newTable returns a table with a good lease, and its clock. At the end of the
// test it must hold nothing for accounts without sessions, nor any login.
func newTable(t *testing.T, o session.Options) (*session.Table, *clock) {
	t.Helper()
	c := &clock{}
	o.Now = c.now
	if o.Lease == 0 {
		o.Lease = 365 * 24 * time.Hour
	}
	table := session.New(o)
	table.Heartbeat("store", 0, c.now())
	t.Cleanup(func() {
		h := table.Held()
		if h.Tokens != h.Sessions || h.IDs != h.Sessions || h.Standings > h.Sessions || h.Logins != 0 {
			t.Errorf("the table leaks: %+v", h)
		}
	})
	return table, c
}

// at returns what an account of that name, generation and revision looks like;
// the id is made from the name.
func at(username string, g account.Generation, r account.Revision) account.Snapshot {
	return account.Snapshot{
		Username: username, ID: account.ID("id of " + username), Generation: g,
		Role: account.Admin, Enabled: true, Revision: r,
	}
}

func login(t testing.TB, table *session.Table, s account.Snapshot, d session.Details) (session.Token, *session.Session) {
	t.Helper()
	l := table.Begin(s.Username)
	defer l.Abandon()
	token, made, err := l.Complete(s, d)
	if err != nil {
		t.Fatalf("login of %s: %v", s.Username, err)
	}
	return token, made
}

func wantGood(t *testing.T, table *session.Table, token session.Token) {
	t.Helper()
	if _, err := table.Check(token); err != nil {
		t.Errorf("the token is refused: %v", err)
	}
}

func wantEnded(t *testing.T, table *session.Table, token session.Token) {
	t.Helper()
	if _, err := table.Check(token); account.KindOf(err) != account.KindNotAuthenticated {
		t.Errorf("Check = %v, want that the session has ended", err)
	}
}

func TestCheck(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	token, made := login(t, table, at("ann", 3, 7), session.Details{})

	got, err := table.Check(token)
	if err != nil || got != made {
		t.Fatalf("Check = %v, %v; want the session of the login", got, err)
	}
	want := account.Caller{Username: "ann", AccountID: "id of ann", Generation: 3, SessionID: made.ID()}
	if got.Caller() != want {
		t.Errorf("Caller = %+v, want %+v", got.Caller(), want)
	}
	if s := got.Snapshot(); s.Revision != 7 || !s.Allows("default", account.Write) {
		t.Errorf("Snapshot = %+v, want that of the login", s)
	}
}

func TestCheck_ErrUnknown(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	wantEnded(t, table, session.Token{})
	for _, i := range []int{0, 7, 8, 31} {
		other := token
		other[i] ^= 1
		wantEnded(t, table, other)
		if table.Logout(other) {
			t.Errorf("a token that differs in byte %d logged the session out", i)
		}
	}
	wantGood(t, table, token)
}

func TestCheck_NoAllocation(t *testing.T) {
	table, _ := newTable(t, session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: time.Hour})
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	if n := testing.AllocsPerRun(100, func() { table.Check(token) }); n != 0 {
		t.Errorf("a check allocates %v times", n)
	}
}

func TestToken_NeverPrinted(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	token, s := login(t, table, at("ann", 1, 1), session.Details{})
	text, err := json.Marshal(map[string]any{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	shown := string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb, token, &token, struct{ T session.Token }{token})
		shown += fmt.Sprintf(verb, s)
	}
	for _, secret := range []string{
		token.Text(), fmt.Sprintf("%x", token[:4]), fmt.Sprintf("%X", token[:4]),
		strings.Trim(fmt.Sprint(token[:4]), "[]"), fmt.Sprintf("%#x", token[0:1]) + ", " + fmt.Sprintf("%#x", token[1:2]),
	} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q shows in %s", secret, shown)
		}
	}
}

func TestToken_Text(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	back, err := session.ParseToken(token.Text())
	if err != nil || back != token || len(token.Text()) != 43 {
		t.Errorf("a token of %d characters came back as another: %v", len(token.Text()), err)
	}
	for _, bad := range []string{"", "x", token.Text() + "=", token.Text()[:42] + "!", strings.Repeat("_", 43)} {
		if _, err := session.ParseToken(bad); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("ParseToken(%q) = %v, want not authenticated", bad, err)
		}
	}
}

func TestSession_PublicID(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	seen := map[string]bool{}
	for range 1000 {
		_, s := login(t, table, at("ann", 1, 1), session.Details{})
		id := s.ID()
		if len(id) != 10 || strings.Trim(id, "234567abcdefghijklmnopqrstuvwxyz") != "" || seen[id] {
			t.Fatalf("session id %q is malformed or taken", id)
		}
		seen[id] = true
	}
	for id := range seen {
		if !table.End(id, session.Disconnected) {
			t.Fatalf("session %s cannot be found by its id", id)
		}
	}
}

func TestCount(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	for i := range 5 {
		login(t, table, at([]string{"ann", "bob"}[i%2], 1, 1), session.Details{})
	}
	if table.Len() != 5 || table.Count("ann") != 3 || table.Count("bob") != 2 || table.Count("eve") != 0 {
		t.Errorf("5 sessions are counted as %d: ann %d, bob %d, eve %d",
			table.Len(), table.Count("ann"), table.Count("bob"), table.Count("eve"))
	}
}
