package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/google/go-cmp/cmp"
)

func TestApply_Newer(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	token, s := login(t, table, at("ann", 1, 5), session.Details{})
	user := at("ann", 1, 6)
	user.Role, user.Grants = account.User, account.Grants{"default": {account.Read}}
	if n := table.Apply(user); n != 0 {
		t.Errorf("a changed grant ended %d sessions", n)
	}
	wantGood(t, table, token)
	if diff := cmp.Diff(&user, s.Snapshot()); diff != "" {
		t.Error(diff)
	}
}

func TestApply_EndsSessions(t *testing.T) {
	suspended := at("ann", 1, 6)
	suspended.Enabled = false
	reborn := at("ann", 1, 6)
	reborn.ID = "another"
	for outcome, s := range map[string]account.Snapshot{
		"Gone":            {Username: "ann", Revision: 6},
		"OtherAccountID":  reborn,
		"OtherGeneration": at("ann", 2, 6),
		"Suspended":       suspended,
	} {
		t.Run(outcome, func(t *testing.T) {
			table, _ := newTable(t, session.Options{})
			var causes []session.Cause
			d := session.Details{OnEnd: func(_ *session.Session, c session.Cause) { causes = append(causes, c) }}
			token, made := login(t, table, at("ann", 1, 5), d)
			second, _ := login(t, table, at("ann", 1, 5), d)
			bystander, _ := login(t, table, at("bob", 1, 5), session.Details{})

			if n := table.Apply(s); n != 2 {
				t.Errorf("it ended %d sessions, want 2", n)
			}
			wantEnded(t, table, token)
			wantEnded(t, table, second)
			wantGood(t, table, bystander)
			if made.Snapshot().Allows("default", account.Read) {
				t.Error("an ended session's snapshot still allows something")
			}
			if !slices.Equal(causes, []session.Cause{session.Revoked, session.Revoked}) {
				t.Errorf("the owners were told %v", causes)
			}
			if h := table.Held(); h.Standings != 1 || h.Sessions != 1 {
				t.Errorf("the table holds %+v, want only bob's", h)
			}
		})
	}
}

func TestApply_NotNewer(t *testing.T) {
	for _, r := range []account.Revision{0, 4, 5} {
		table, _ := newTable(t, session.Options{})
		token, s := login(t, table, at("ann", 2, 5), session.Details{})
		for _, old := range []account.Snapshot{at("ann", 1, r), {Username: "ann", Revision: r}} {
			if n := table.Apply(old); n != 0 {
				t.Errorf("revision %d ended %d sessions that know revision 5", r, n)
			}
		}
		wantGood(t, table, token)
		if diff := cmp.Diff(at("ann", 2, 5), *s.Snapshot()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestApply_NobodysName(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	table.Apply(at("ann", 9, 9))
	if h := table.Held(); h != (session.Held{}) {
		t.Errorf("the table keeps what it need not know: %+v", h)
	}
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	wantGood(t, table, token)
}

func TestRevoke(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	var tokens []session.Token
	told := 0
	onEnd := func(*session.Session, session.Cause) {
		if told++; told == 1 { // whichever is told first, none is good any more
			for _, token := range tokens {
				wantEnded(t, table, token)
			}
		}
	}
	for range 2500 { // more than one batch
		token, _ := login(t, table, at("ann", 1, 1), session.Details{OnEnd: onEnd})
		tokens = append(tokens, token)
	}
	bystander, _ := login(t, table, at("bob", 1, 1), session.Details{})
	if n := table.Revoke("ann"); n != 2500 || told != 2500 {
		t.Errorf("Revoke = %d with %d owners told, want 2500", n, told)
	}
	for _, token := range tokens {
		wantEnded(t, table, token)
	}
	wantGood(t, table, bystander)
	if n := table.Revoke("ann"); n != 0 {
		t.Errorf("Revoke of an account without sessions = %d", n)
	}
	again, _ := login(t, table, at("ann", 2, 2), session.Details{})
	wantGood(t, table, again)
}

// RevokeAccount ends what an account had that is gone, and leaves alone what
// another one of its name has.
func TestRevokeAccount(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	old, _ := login(t, table, at("ann", 1, 1), session.Details{})
	id := at("ann", 1, 1).ID
	late := table.Begin("ann")
	defer late.Abandon()
	if n := table.RevokeAccount("ann", id); n != 1 {
		t.Errorf("RevokeAccount = %d, want 1", n)
	}
	wantEnded(t, table, old)
	if _, _, err := late.Complete(at("ann", 1, 1), session.Details{}); err != session.ErrRepeat {
		t.Errorf("a login that read the account before = %v, want ErrRepeat", err)
	}
	reborn := at("ann", 1, 3)
	reborn.ID = "another"
	token, _ := login(t, table, reborn, session.Details{})
	if n := table.RevokeAccount("ann", id); n != 0 {
		t.Errorf("RevokeAccount of an account before it = %d, want 0", n)
	}
	wantGood(t, table, token)
}

// A backup that was put back has the store's identity, and earlier revisions.
func TestHeartbeat_StorePutBack(t *testing.T) {
	table, c := newTable(t, session.Options{})
	table.Heartbeat("store", 100, c.now())
	ann, _ := login(t, table, at("ann", 1, 100), session.Details{})
	if n := table.Heartbeat("store", 100, c.now()); n != 0 {
		t.Errorf("a heartbeat without a change ended %d sessions", n)
	}
	wantGood(t, table, ann)
	if n := table.Heartbeat("store", 40, c.now()); n != 1 {
		t.Errorf("a heartbeat from before ended %d sessions, want 1", n)
	}
	wantEnded(t, table, ann)
	again, _ := login(t, table, at("ann", 1, 41), session.Details{})
	if n := table.Heartbeat("store", 42, c.now()); n != 0 {
		t.Errorf("the restored store's next heartbeat ended %d sessions", n)
	}
	wantGood(t, table, again)
}

func TestHeartbeat_StoreReplaced(t *testing.T) {
	table, c := newTable(t, session.Options{})
	var causes []session.Cause
	d := session.Details{OnEnd: func(_ *session.Session, c session.Cause) { causes = append(causes, c) }}
	ann, _ := login(t, table, at("ann", 1, 50), d)
	bob, _ := login(t, table, at("bob", 1, 50), d)
	under := table.Begin("eve")
	defer under.Abandon()

	if n := table.Heartbeat("store", 0, c.now()); n != 0 {
		t.Errorf("a heartbeat of the same store ended %d sessions", n)
	}
	wantGood(t, table, ann)
	if n := table.Heartbeat("restored", 0, c.now()); n != 2 {
		t.Errorf("a heartbeat of another store ended %d sessions, want 2", n)
	}
	wantEnded(t, table, ann)
	wantEnded(t, table, bob)
	if !slices.Equal(causes, []session.Cause{session.StoreReplaced, session.StoreReplaced}) {
		t.Errorf("the owners were told %v", causes)
	}
	if _, _, err := under.Complete(at("eve", 1, 50), d); err != session.ErrRepeat {
		t.Errorf("a login that read the old store = %v, want ErrRepeat", err)
	}
	// The new store counts its revisions from lower on.
	token, _, err := under.Complete(at("eve", 1, 2), d)
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, table, token)
}

func TestLiveAccounts(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	for _, name := range []string{"ann", "bob", "ann", "eve"} {
		login(t, table, at(name, 1, 1), session.Details{})
	}
	table.Revoke("bob")
	names := table.LiveAccounts()
	slices.Sort(names)
	if !slices.Equal(names, []string{"ann", "eve"}) {
		t.Errorf("LiveAccounts = %v", names)
	}
}

func TestExpire(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: 3 * time.Hour})
	causes := map[session.Cause]int{}
	d := session.Details{OnEnd: func(_ *session.Session, c session.Cause) { causes[c]++ }}
	var idle []session.Token
	for range 2500 {
		token, _ := login(t, table, at("ann", 1, 1), d)
		idle = append(idle, token)
	}
	busy, _ := login(t, table, at("bob", 1, 1), d)
	calling, s := login(t, table, at("eve", 1, 1), d)
	call := s.BeginCall("find")

	c.advance(59 * time.Minute)
	wantGood(t, table, busy)
	if n := table.Expire(); n != 0 {
		t.Errorf("Expire ended %d sessions before their time", n)
	}
	c.advance(time.Minute)
	for _, token := range idle {
		wantEnded(t, table, token)
	}
	wantGood(t, table, busy)
	wantGood(t, table, calling)
	if n := table.Expire(); n != 2500 || table.Len() != 2 || causes[session.Idle] != 2500 {
		t.Errorf("Expire = %d, %d sessions are left, owners were told %v", n, table.Len(), causes)
	}

	c.advance(time.Hour) // a call under way is activity, its end too
	call.End()
	wantGood(t, table, calling)
	wantEnded(t, table, busy)
	if n := table.Expire(); n != 1 {
		t.Errorf("Expire = %d, want the one that went idle", n)
	}

	for range 2 {
		c.advance(30 * time.Minute)
		table.Check(calling)
	}
	wantEnded(t, table, calling) // three hours after its login, however active
	if n := table.Expire(); n != 1 || causes[session.Expired] != 1 || table.Held() != (session.Held{}) {
		t.Errorf("Expire = %d, owners were told %v, %+v is left", n, causes, table.Held())
	}
}

// A session that becomes active while others are being ended stays.
func TestExpire_ActiveAgain(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: time.Hour})
	var sessions []*session.Session
	d := session.Details{OnEnd: func(*session.Session, session.Cause) {
		for _, s := range sessions {
			s.BeginCall("find").End()
		}
	}}
	for range 2 {
		_, s := login(t, table, at("ann", 1, 1), d)
		sessions = append(sessions, s)
	}
	c.advance(time.Hour)
	if n := table.Expire(); n != 1 || table.Len() != 1 {
		t.Errorf("Expire = %d with %d sessions left, want 1 and 1", n, table.Len())
	}
}

func TestExpire_WithoutTimeouts(t *testing.T) {
	table, c := newTable(t, session.Options{})
	token, _ := login(t, table, at("ann", 1, 1), session.Details{})
	c.advance(300 * 24 * time.Hour)
	wantGood(t, table, token)
	if n := table.Expire(); n != 0 {
		t.Errorf("Expire = %d", n)
	}
}
