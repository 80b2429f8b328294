package conformance

import (
	"fmt"
	"reflect"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

var sessionsCases = []Case{
	{
		Name:     "sessions/come-back-as-they-went",
		Contract: `Sessions may withhold rows and fill in notes, and neither adds nor reorders any (users.proto, Sessions)`,
		run: func(t *T) {
			p := t.Open()
			p.showsSessions(0)
			p.showsSessions(1)
			p.showsSessions(20)
		},
	},
	{
		Name:     "sessions/takes-a-thousand",
		Contract: `A batch of sessions has at most 1000 rows (users.proto, SessionsRequest)`,
		run: func(t *T) {
			t.Open().showsSessions(account.MaxBatch)
		},
	},
	{
		Name:     "sessions/notes-are-short",
		Contract: `Session.note, the plugin's annotation, has at most 200 bytes (account.proto, Session)`,
		run: func(t *T) {
			p := t.Open()
			rows := p.rows(20)
			rows[3].ID = p.Admin.SessionID // its own, which a backend may well remark on
			shown, err := p.Users.Sessions(t.ctx, p.Admin, rows)
			t.OK(err, "show %d sessions", len(rows))
			for _, r := range shown {
				if len(r.Note) > account.MaxNote {
					t.Errorf("the note of session %s has %d bytes", account.Printable(r.ID), len(r.Note))
				}
			}
		},
	},
}

// rows returns sessions of the administrator and of others.
func (p *Plugin) rows(n int) []account.Session {
	began := time.Now().Add(-time.Hour).Round(time.Second).UTC()
	rows := make([]account.Session, n)
	for i := range rows {
		rows[i] = account.Session{
			// Neither in the order of their ids nor of their names.
			ID: fmt.Sprintf("session-%04d", i*7919%10000), Host: host, AccountID: account.ID(fmt.Sprintf("account-%d", i%7)),
			Username: fmt.Sprintf("user-%d", i%7), Role: account.User, RemoteAddress: fmt.Sprintf("192.0.2.%d:%d", i%250, 1024+i),
			Listener: account.ClientListener, Client: "client", Environment: "default", ConnectedSince: began,
			LastActive: began.Add(time.Minute), Calls: uint64(i), Connections: 1,
		}
		if i%3 == 0 {
			rows[i].Username, rows[i].AccountID, rows[i].Role = p.Admin.Username, p.Admin.AccountID, account.Admin
			rows[i].CurrentCall = &account.Call{Method: "find", Since: began}
			rows[i].OpenTransactions = []account.Transaction{{ID: fmt.Sprintf("transaction-%d", i), Since: began}}
		}
	}
	return rows
}

// showsSessions sends n rows and notes what came back that it must not.
func (p *Plugin) showsSessions(n int) {
	t, sent := p.t, p.rows(n)
	shown, err := p.Users.Sessions(t.ctx, p.Admin, sent)
	t.OK(err, "show %d sessions", n)
	rest := sent
	for i, row := range shown {
		for len(rest) > 0 && rest[0].ID != row.ID {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			t.Errorf("row %d of %d, session %s, was not sent, or sent in another place", i+1, len(shown), account.Printable(row.ID))
			return
		}
		want := rest[0]
		want.Note = row.Note
		if !reflect.DeepEqual(row, want) {
			t.Errorf("session %s comes back as %+v, it went as %+v", row.ID, row, want)
		}
		rest = rest[1:]
	}
}
