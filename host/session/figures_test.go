package session_test

import (
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/google/go-cmp/cmp"
)

// What metrics read is kept, not counted: it follows every way in and out.
func TestThrough(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: time.Minute, AbsoluteTimeout: time.Hour, Lease: 10 * time.Hour})
	through := func(listener account.Listener, username string) (session.Token, *session.Session) {
		return login(t, table, at(username, 1, 1), session.Details{Listener: listener})
	}
	token, _ := through(account.ManagementListener, "ann")
	_, managed := through(account.ManagementListener, "ann")
	through(account.ClientListener, "bob")
	through(account.ClientListener, "bob")
	through(account.ClientListener, "cy")
	want := func(management, client int, ends map[session.Cause]uint64) {
		t.Helper()
		if m, c := table.Through(account.ManagementListener), table.Through(account.ClientListener); m != management || c != client {
			t.Errorf("%d and %d sessions, want %d and %d", m, c, management, client)
		}
		got := map[session.Cause]uint64{}
		for _, cause := range session.Causes() {
			if n := table.Ended(cause); n > 0 {
				got[cause] = n
			}
		}
		if diff := cmp.Diff(ends, got); diff != "" {
			t.Error(diff)
		}
	}
	want(2, 3, map[session.Cause]uint64{})
	table.Logout(token)
	table.Logout(token)
	table.End(managed.ID(), session.ConnectionClosed)
	table.Revoke("bob")
	want(0, 1, map[session.Cause]uint64{session.LoggedOut: 1, session.ConnectionClosed: 1, session.Revoked: 2})
	c.advance(2 * time.Minute)
	table.Expire()
	want(0, 0, map[session.Cause]uint64{session.LoggedOut: 1, session.ConnectionClosed: 1, session.Revoked: 2, session.Idle: 1})
	through(account.ClientListener, "bob")
	table.Disconnect("bob")
	through(account.ClientListener, "bob")
	table.Heartbeat("another store", 0, c.now())
	want(0, 0, map[session.Cause]uint64{
		session.LoggedOut: 1, session.ConnectionClosed: 1, session.Revoked: 2, session.Idle: 1, session.Disconnected: 1, session.StoreReplaced: 1,
	})
}

func TestLeaseAge(t *testing.T) {
	now := time.Now()
	table := session.New(session.Options{Lease: 10 * time.Second, Now: func() time.Time { return now }})
	if age, ok := table.LeaseAge(); ok {
		t.Errorf("before the first heartbeat it is %v", age)
	}
	table.Heartbeat("store", 0, now.Add(-time.Second))
	for want := time.Second; want < time.Minute; want += 7 * time.Second {
		if age, ok := table.LeaseAge(); !ok || age != want {
			t.Errorf("the age is %v, want %v", age, want)
		}
		now = now.Add(7 * time.Second)
	}
	table.Heartbeat("store", 0, now.Add(-2*time.Second))
	slept := now.Round(0).Add(time.Hour) // the monotonic clock stood still
	now = slept
	if age, _ := table.LeaseAge(); age != time.Hour+2*time.Second {
		t.Errorf("after a sleep the age is %v", age)
	}
}
