package session_test

import (
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestComplete_Refusals(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	l := table.Begin("ann")
	suspended := at("ann", 1, 1)
	suspended.Enabled = false
	for outcome, c := range map[string]struct {
		read account.Snapshot
		want account.Kind
	}{
		"OtherName": {at("bob", 1, 1), account.KindInternal},
		"Gone":      {account.Snapshot{Username: "ann", Enabled: true, Revision: 1}, account.KindNotAuthenticated},
		"Suspended": {suspended, account.KindNotAuthenticated},
	} {
		if _, _, err := l.Complete(c.read, session.Details{}); account.KindOf(err) != c.want {
			t.Errorf("%s: Complete = %v, want %v", outcome, err, c.want)
		}
	}
	l.Abandon()
	l.Abandon()
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err == nil || table.Len() != 0 {
		t.Errorf("Complete of an abandoned login = %v, with %d sessions", err, table.Len())
	}
}

func TestComplete_Twice(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	l := table.Begin("ann")
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err == nil || err == session.ErrRepeat {
		t.Errorf("a second Complete = %v, want that the login is over", err)
	}
}

// What the login read meets what was known or learnt meanwhile.
func TestComplete_Knowledge(t *testing.T) {
	reborn := at("ann", 1, 5)
	reborn.ID = "another"
	suspended := at("ann", 1, 5)
	suspended.Enabled = false
	granted := at("ann", 1, 5)
	granted.Grants = account.Grants{"default": {account.Read}}
	for outcome, c := range map[string]struct {
		known     account.Snapshot // a live session's login
		read      account.Snapshot
		repeat    bool
		stays     bool             // the older session
		revision  account.Revision // of what is known then
		afterward int              // sessions
	}{
		"OlderAndAlike":       {known: at("ann", 1, 5), read: at("ann", 1, 4), stays: true, revision: 5, afterward: 2},
		"SameRevision":        {known: at("ann", 1, 5), read: at("ann", 1, 5), stays: true, revision: 5, afterward: 2},
		"NewerAndAlike":       {known: at("ann", 1, 5), read: at("ann", 1, 6), stays: true, revision: 6, afterward: 2},
		"OlderGeneration":     {known: at("ann", 2, 5), read: at("ann", 1, 4), repeat: true, stays: true, revision: 5, afterward: 1},
		"OlderAccount":        {known: reborn, read: at("ann", 1, 4), repeat: true, stays: true, revision: 5, afterward: 1},
		"NewerGeneration":     {known: at("ann", 1, 5), read: at("ann", 2, 6), revision: 6, afterward: 1},
		"NewerAccount":        {known: at("ann", 1, 4), read: reborn, revision: 5, afterward: 1},
		"SameRevisionUnalike": {known: at("ann", 2, 5), read: at("ann", 1, 5), repeat: true, stays: true, revision: 5, afterward: 1},
	} {
		t.Run(outcome, func(t *testing.T) {
			table, _ := newTable(t, session.Options{})
			older, first := login(t, table, c.known, session.Details{})
			l := table.Begin("ann")
			defer l.Abandon()
			token, made, err := l.Complete(c.read, session.Details{})
			if c.repeat != (err == session.ErrRepeat) || !c.repeat && err != nil {
				t.Fatalf("Complete = %v, repeat wanted: %v", err, c.repeat)
			}
			if c.stays {
				wantGood(t, table, older)
			} else {
				wantEnded(t, table, older)
				if first.Snapshot().Allows("default", account.Read) {
					t.Error("the older session's snapshot still allows something")
				}
			}
			known := first
			if err == nil {
				wantGood(t, table, token)
				known = made
			}
			if r := known.Snapshot().Revision; r != c.revision || table.Len() != c.afterward {
				t.Errorf("revision %d is known of %d sessions, want %d and %d", r, table.Len(), c.revision, c.afterward)
			}
		})
	}
	for outcome, c := range map[string]struct {
		applied account.Snapshot // between Begin and Complete, without other sessions
		repeat  bool
	}{
		"NotedGeneration": {at("ann", 2, 5), true},
		"NotedGone":       {account.Snapshot{Username: "ann", Revision: 5}, true},
		"NotedSuspension": {suspended, true},
		"NotedGrant":      {granted, false},
		"NotedOlder":      {at("ann", 0, 3), false},
		"NotedOtherName":  {at("bob", 2, 5), false},
	} {
		t.Run(outcome, func(t *testing.T) {
			table, _ := newTable(t, session.Options{})
			l := table.Begin("ann")
			defer l.Abandon()
			table.Apply(c.applied)
			table.Apply(at("ann", 0, 1)) // late, and takes nothing back
			_, made, err := l.Complete(at("ann", 1, 4), session.Details{})
			if c.repeat {
				if err != session.ErrRepeat {
					t.Fatalf("Complete = %v, want ErrRepeat", err)
				}
				if _, _, err := l.Complete(at("ann", 3, 6), session.Details{}); err != nil {
					t.Errorf("the repeat = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if outcome == "NotedGrant" && made.Snapshot().Revision != 5 {
				t.Error("the newer snapshot was lost")
			}
		})
	}
}

// Rule 4: whatever the order of a login's steps and a revocation's, the token
// of a login that read the account before the change is not accepted once
// Revoke has returned, and a login that read it after the change gets through,
// at the second try at the latest.
func TestRule04_LoginAndRevocation(t *testing.T) {
	suspended := at("ann", 2, 2)
	suspended.Enabled = false
	revocations := map[string]func(*session.Table){
		"Revoke":  func(table *session.Table) { table.Revoke("ann") },
		"Apply":   func(table *session.Table) { table.Apply(at("ann", 2, 2)) },
		"Suspend": func(table *session.Table) { table.Apply(suspended); table.Apply(at("ann", 3, 3)) },
		"Resync":  func(table *session.Table) { table.Resync(); table.Apply(at("ann", 2, 2)) },
	}
	for name, revoke := range revocations {
		for _, other := range []bool{false, true} { // another session of the account is live
			for _, order := range interleavings("BRC", "WV") {
				t.Run(name+"/"+order, func(t *testing.T) {
					table, _ := newTable(t, session.Options{})
					if other {
						login(t, table, at("ann", 1, 1), session.Details{})
					}
					stored := at("ann", 1, 1)
					var l *session.Login
					var read account.Snapshot
					var token session.Token
					var completed error
					stale := false
					for _, step := range order {
						switch step {
						case 'B':
							l = table.Begin("ann")
							defer l.Abandon()
						case 'R':
							read = stored
						case 'C':
							token, _, completed = l.Complete(read, session.Details{})
							stale = read.Generation == 1
						case 'W':
							stored = at("ann", 2, 2)
							if name == "Suspend" {
								stored = at("ann", 3, 3)
							}
						case 'V':
							revoke(table)
						}
					}
					revokedFirst := strings.Index(order, "V") < strings.Index(order, "C")
					switch {
					case stale:
						wantEnded(t, table, token)
					case completed == nil && revokedFirst:
						wantGood(t, table, token)
					}
					if completed == nil {
						return
					}
					if completed != session.ErrRepeat {
						t.Fatalf("Complete = %v", completed)
					}
					token, _, err := l.Complete(stored, session.Details{})
					if err != nil {
						t.Fatalf("the repeated login = %v", err)
					}
					wantGood(t, table, token)
				})
			}
		}
	}
}

// interleavings returns every order of both sequences' steps that keeps the
// order within each.
func interleavings(a, b string) []string {
	if a == "" || b == "" {
		return []string{a + b}
	}
	var all []string
	for _, rest := range interleavings(a[1:], b) {
		all = append(all, a[:1]+rest)
	}
	for _, rest := range interleavings(a, b[1:]) {
		all = append(all, b[:1]+rest)
	}
	return all
}

func TestResync(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	l := table.Begin("ann")
	defer l.Abandon()
	table.Resync()
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err != session.ErrRepeat {
		t.Errorf("Complete after a gap = %v, want ErrRepeat", err)
	}
	if _, _, err := l.Complete(at("ann", 1, 1), session.Details{}); err != nil {
		t.Errorf("the repeat = %v", err)
	}
}
