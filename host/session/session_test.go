package session_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/google/go-cmp/cmp"
)

func rows(table *session.Table, f session.Filter) []account.Session {
	_, all := listed(table, session.Listing{Filter: f})
	return all
}

func listed(table *session.Table, l session.Listing) (total int, all []account.Session) {
	total, batches := table.List(l)
	for batch := range batches {
		all = append(all, batch...)
	}
	return total, all
}

func TestSession_Row(t *testing.T) {
	table, c := newTable(t, session.Options{Host: "db1"})
	_, s := login(t, table, at("ann", 1, 1), session.Details{
		RemoteAddress: "10.0.0.7:4711", Client: "driver/1", Environment: "prod", Listener: account.ClientListener,
	})
	s.OpenConnection()
	s.OpenConnection()
	c.advance(time.Second)
	first := s.BeginCall("find")
	c.advance(time.Second)
	second := s.BeginCall("select")
	if !s.OpenTransaction("t2", "prod") {
		t.Error("a live session may not open a transaction")
	}
	c.advance(time.Second)
	s.OpenTransaction("t1", "other")
	want := account.Session{
		ID: s.ID(), Host: "db1", AccountID: "id of ann", Username: "ann", Role: account.Admin,
		RemoteAddress: "10.0.0.7:4711", Listener: account.ClientListener, Client: "driver/1", Environment: "prod",
		ConnectedSince: epoch, LastActive: epoch.Add(3 * time.Second), Calls: 2, Connections: 2,
		CurrentCall: &account.Call{Method: "find", Since: epoch.Add(time.Second)},
		OpenTransactions: []account.Transaction{
			{ID: "t2", Since: epoch.Add(2 * time.Second), Environment: "prod"}, {ID: "t1", Since: epoch.Add(3 * time.Second), Environment: "other"},
		},
	}
	if diff := cmp.Diff([]account.Session{want}, rows(table, session.Filter{})); diff != "" {
		t.Error(diff)
	}

	c.advance(time.Second)
	first.End()
	first.End()
	s.CloseTransaction("t2")
	s.CloseTransaction("t1")
	if left := s.CloseConnection(); left != 1 {
		t.Errorf("%d connections are left, want 1", left)
	}
	want.LastActive, want.Connections, want.OpenTransactions = epoch.Add(4*time.Second), 1, nil
	want.CurrentCall = &account.Call{Method: "select", Since: epoch.Add(2 * time.Second)}
	if diff := cmp.Diff([]account.Session{want}, rows(table, session.Filter{})); diff != "" {
		t.Error(diff)
	}
	second.End()
	if row := rows(table, session.Filter{})[0]; row.CurrentCall != nil || row.Calls != 2 {
		t.Errorf("after both calls the row is %+v", row)
	}
}

// What no session could come from is no address.
func TestCheckAddress(t *testing.T) {
	for address, good := range map[string]bool{
		"": true, "10.0.0.7": true, "10.0.0.7:0": true, "::1": true, "[::1]:65535": true, "fe80::1%eth0": true, "uid:0": true, "uid:4294967294": true,
		"10.0.0": false, "10.0.0.7:99999": false, "localhost": false, "localhost:1717": false, "[::1]": false, "uid:": false, "uid:root": false, "uid:-1": false,
	} {
		err := session.CheckAddress(address)
		if kind := account.KindOf(err); good && err != nil || !good && kind != account.KindInvalid {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestSession_OpenTransaction_ErrEnded(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	_, s := login(t, table, at("ann", 1, 1), session.Details{})
	table.Revoke("ann")
	if s.OpenTransaction("t", "held") {
		t.Error("an ended session opened a transaction that nobody will abort")
	}
}

func TestEnd(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	for want, end := range map[session.Cause]func(session.Token, *session.Session) bool{
		session.LoggedOut:        func(token session.Token, _ *session.Session) bool { return table.Logout(token) },
		session.Disconnected:     func(_ session.Token, s *session.Session) bool { return table.End(s.ID(), session.Disconnected) },
		session.ConnectionClosed: func(_ session.Token, s *session.Session) bool { return table.End(s.ID(), session.ConnectionClosed) },
	} {
		t.Run(want.String(), func(t *testing.T) {
			var told []session.Cause
			token, s := login(t, table, at("ann", 1, 1), session.Details{OnEnd: func(_ *session.Session, c session.Cause) {
				told = append(told, c)
				table.Len() // no lock is held
			}})
			other, _ := login(t, table, at("ann", 1, 1), session.Details{})
			if !end(token, s) || end(token, s) {
				t.Error("a session ends once")
			}
			wantEnded(t, table, token)
			wantGood(t, table, other)
			if !slices.Equal(told, []session.Cause{want}) {
				t.Errorf("the owner was told %v, want %v", told, want)
			}
		})
	}
	for _, id := range []string{"", "aaaaaaaaaa", "AAAAAAAAAA", "aaaaaaaaa!", "aaaaaaaaaaa"} {
		if table.End(id, session.Disconnected) {
			t.Errorf("End(%q) ended something", id)
		}
	}
}

func TestDisconnect(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	under := table.Begin("ann")
	defer under.Abandon()
	one, _ := login(t, table, at("ann", 1, 1), session.Details{})
	two, _ := login(t, table, at("ann", 1, 1), session.Details{})
	bystander, _ := login(t, table, at("bob", 1, 1), session.Details{})
	if n := table.Disconnect("ann"); n != 2 {
		t.Errorf("Disconnect = %d, want 2", n)
	}
	if n := table.Disconnect("ann"); n != 0 {
		t.Errorf("Disconnect again = %d, want 0", n)
	}
	wantEnded(t, table, one)
	wantEnded(t, table, two)
	wantGood(t, table, bystander)
	if _, _, err := under.Complete(at("ann", 1, 1), session.Details{}); err != nil {
		t.Errorf("a login under way = %v, though the account did not change", err)
	}
}

func TestList_Batches(t *testing.T) {
	table, c := newTable(t, session.Options{})
	const n = 2*account.MaxBatch + 500
	for i := range n {
		if i%10 == 0 {
			c.advance(time.Second)
		}
		login(t, table, at(fmt.Sprint("user", i%7), 1, 1), session.Details{})
	}
	sizes, all := []int{}, []account.Session{}
	total, batches := table.List(session.Listing{})
	for batch := range batches {
		sizes = append(sizes, len(batch))
		all = append(all, batch...)
	}
	if !slices.Equal(sizes, []int{account.MaxBatch, account.MaxBatch, 500}) || total != n {
		t.Errorf("the batches have %v rows of %d", sizes, total)
	}
	inOrder := slices.IsSortedFunc(all, func(a, b account.Session) int {
		if c := a.ConnectedSince.Compare(b.ConnectedSince); c != 0 {
			return c
		}
		return cmpText(a.ID, b.ID)
	})
	if !inOrder {
		t.Error("the rows are not in order of login, then id")
	}
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// A listing holds no lock between batches, and leaves out what ended meanwhile.
func TestList_WhileSessionsEnd(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	for i := range account.MaxBatch + 10 {
		name := "first"
		if i >= account.MaxBatch-10 {
			name = "last"
		}
		login(t, table, at(name, 1, 1), session.Details{})
	}
	seen := 0
	_, batches := table.List(session.Listing{})
	for batch := range batches {
		seen += len(batch)
		table.Revoke("first")
		table.Revoke("last")
	}
	if seen != account.MaxBatch {
		t.Errorf("%d rows were listed, want only the batch before the revocation", seen)
	}
}

func TestList_Filter(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: time.Hour})
	login(t, table, at("idle", 1, 1), session.Details{RemoteAddress: "10.0.0.1:1", Client: "0"})
	c.advance(time.Hour)
	for _, d := range []session.Details{
		{Client: "1", RemoteAddress: "10.0.0.1:1", Environment: "prod"},
		{Client: "2", RemoteAddress: "10.0.0.1:2", Environment: "test"},
		{Client: "3", RemoteAddress: "10.0.0.11:1", Environment: "prod"},
		{Client: "4", RemoteAddress: "[::ffff:10.0.0.1]:3"},
		{Client: "5", RemoteAddress: "[2001:db8::1]:1"},
		{Client: "6", RemoteAddress: "unix:uid=0"},
	} {
		c.advance(time.Second)
		name := "ann"
		if d.Client > "2" {
			name = "bob"
		}
		_, s := login(t, table, at(name, 1, 1), d)
		if d.Client == "1" || d.Client == "3" || d.Client == "4" {
			s.OpenTransaction("t", "held")
			s.OpenTransaction("u", "stock")
			s.CloseTransaction("t")
		}
		if d.Client == "4" {
			s.CloseTransaction("u")
		}
	}
	for _, q := range []struct {
		filter session.Filter
		want   string
	}{
		{session.Filter{}, "123456"},
		{session.Filter{Account: "ann"}, "12"},
		{session.Filter{Account: "eve"}, ""},
		{session.Filter{Account: "idle"}, ""},
		{session.Filter{Environment: "prod"}, "13"},
		{session.Filter{Environment: "prod", Account: "bob"}, "3"},
		{session.Filter{Environment: "stock"}, "13"},
		{session.Filter{Environment: "held"}, ""},
		{session.Filter{Environment: "stock", Account: "bob", InTransaction: true}, "3"},
		{session.Filter{Address: "10.0.0.1"}, "124"},
		{session.Filter{Address: "10.0.0.1:2"}, "2"},
		{session.Filter{Address: "10.0.0.1:3"}, "4"},
		{session.Filter{Address: "10.0.0"}, ""},
		{session.Filter{Address: "2001:DB8:0::1"}, "5"},
		{session.Filter{Address: "[2001:db8::1]:1"}, "5"},
		{session.Filter{Address: "unix:uid=0"}, "6"},
		{session.Filter{InTransaction: true}, "13"},
		{session.Filter{InTransaction: true, Account: "ann", Address: "10.0.0.1"}, "1"},
		{session.Filter{InTransaction: true, Account: "ann", Environment: "test"}, ""},
	} {
		got := ""
		for _, row := range rows(table, q.filter) {
			got += row.Client
		}
		if got != q.want {
			t.Errorf("%+v lets through %q, want %q", q.filter, got, q.want)
		}
	}
}
