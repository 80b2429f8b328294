package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

func clients(rows []account.Session) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(r.Client)
	}
	return b.String()
}

func TestList_Order(t *testing.T) {
	table, c := newTable(t, session.Options{})
	sessions := map[string]*session.Session{}
	for i, d := range []struct{ account, address, environment string }{
		{"bob", "10.0.0.9:80", "test"},
		{"ann", "10.0.0.10:80", ""},
		{"Zed", "uid:7", "prod"},
		{"ann", "[::1]:1", "prod"},
		{"bob", "10.0.0.9:9", "test"},
		{"eve", "[::ffff:9.0.0.1]:1", ""},
		{"eve", "somewhere", "test"},
		{"eve", "10.0.0.9", "test"},
	} {
		c.advance(time.Second)
		name := string(rune('1' + i))
		_, sessions[name] = login(t, table, at(d.account, 1, 1), session.Details{
			RemoteAddress: d.address, Environment: d.environment, Client: name,
		})
	}
	// Of several transactions the oldest counts, of those that are still open.
	for _, opened := range []string{"5a 6a", "3a 2a", "6b", "1a 5b 2b 4a"} {
		c.advance(time.Second)
		for _, t := range strings.Fields(opened) {
			sessions[t[:1]].OpenTransaction(t, "test")
		}
	}
	sessions["6"].CloseTransaction("6a")
	sessions["4"].CloseTransaction("4a")
	// Their last calls, in this order.
	for _, name := range strings.Split("4 5 2 2 2 1 1 6 3", " ") {
		c.advance(time.Second)
		sessions[name].BeginCall("find").End()
	}
	for _, q := range []struct {
		order session.Order
		want  string
	}{
		{session.ByConnected, "12345678"},
		{session.ByAccount, "32415678"},     // in the order of the names' bytes
		{session.ByAddress, "68512473"},     // 9.0.0.1, 10.0.0.9 without a port, :9, :80, 10.0.0.10, ::1, then texts
		{session.ByEnvironment, "26341578"}, // none first
		{session.ByActive, "36125487"},      // 8 and 7 never called: the last login first
		{session.ByCalls, "21345678"},
		{session.ByTransaction, "52361478"}, // 4, 7 and 8 have none
	} {
		t.Run(q.order.String(), func(t *testing.T) {
			total, all := listed(table, session.Listing{Order: q.order})
			if got := clients(all); got != q.want || total != len(sessions) {
				t.Errorf("the order is %s of %d, want %s", got, total, q.want)
			}
			_, all = listed(table, session.Listing{Order: q.order, Reverse: true})
			slices.Reverse(all)
			if got := clients(all); got != q.want {
				t.Errorf("the other way round, backwards, is %s, want %s", got, q.want)
			}
		})
	}
}

// A limit bounds the batches; the caller stops.
func TestList_Limit(t *testing.T) {
	table, _ := newTable(t, session.Options{})
	for range 2*account.MaxBatch + 1 {
		login(t, table, at("ann", 1, 1), session.Details{})
	}
	for limit, want := range map[int]int{0: account.MaxBatch, 1: 50, 50: 50, 70: 70, account.MaxBatch + 1: account.MaxBatch} {
		total, batches := table.List(session.Listing{Limit: limit})
		for batch := range batches {
			if len(batch) != want || total != 2*account.MaxBatch+1 {
				t.Errorf("limit %d: %d rows of %d come first, want %d", limit, len(batch), total, want)
			}
			break
		}
	}
}

// The total is of sessions that live, not of those that nobody has cleared away.
func TestList_TotalOfLive(t *testing.T) {
	table, c := newTable(t, session.Options{IdleTimeout: time.Hour})
	login(t, table, at("idle", 1, 1), session.Details{})
	c.advance(time.Hour)
	login(t, table, at("ann", 1, 1), session.Details{})
	if total, all := listed(table, session.Listing{}); total != 1 || len(all) != 1 {
		t.Errorf("%d in total, %d rows; want 1", total, len(all))
	}
}

func TestParseOrder(t *testing.T) {
	for i, name := range session.Orders {
		if o, err := session.ParseOrder(name); err != nil || o != session.Order(i) || o.String() != name {
			t.Errorf("ParseOrder(%q) = %v, %v", name, o, err)
		}
	}
	if o, err := session.ParseOrder("Account"); err != nil || o != session.ByAccount {
		t.Errorf(`ParseOrder("Account") = %v, %v`, o, err)
	}
	for _, bad := range []string{"", "age"} {
		if _, err := session.ParseOrder(bad); account.KindOf(err) != account.KindInvalid {
			t.Errorf("ParseOrder(%q) = %v, want invalid", bad, err)
		}
	}
}
