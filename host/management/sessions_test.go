package management_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// discreet is a plugin that keeps the sessions of ann to itself.
type discreet struct{ page }

func (discreet) Sessions(_ context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	return slices.DeleteFunc(slices.Clone(rows), func(r account.Session) bool { return r.Username == "ann" }), nil
}

// opened makes a session of a Concourse client, as its listener would.
func (f *fixture) opened(t *testing.T, username string, d session.Details) {
	t.Helper()
	l := f.table.Begin(username)
	read := account.Snapshot{Username: username, ID: account.ID(username), Generation: 1, Enabled: true, Role: account.User, Revision: 1}
	d.Listener = account.ClientListener
	if _, _, err := l.Complete(read, d); err != nil {
		t.Fatal(err)
	}
}

func usernames(t *testing.T, batches iter.Seq2[[]account.Session, error]) string {
	t.Helper()
	var names []string
	for rows, err := range batches {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			names = append(names, r.Username)
		}
	}
	return strings.Join(names, " ")
}

func TestSessionsInOrder(t *testing.T) {
	f := leased(t, discreet{})
	c := f.client(t)
	for i, name := range []string{"jeff", "bob", "ann", "bob"} {
		f.opened(t, name, session.Details{RemoteAddress: fmt.Sprintf("10.0.0.%d:1", 9-i), Environment: "prod"})
	}
	for _, q := range []struct {
		name              string
		listing           management.SessionListing
		shown, everything string
		total             uint64
	}{
		{"Default", management.SessionListing{}, "root jeff bob bob", "root jeff bob ann bob", 0},
		{"Account", management.SessionListing{Order: session.ByAccount}, "bob bob jeff root", "ann bob bob jeff root", 0},
		{"AddressReversed", management.SessionListing{Order: session.ByAddress, Reverse: true}, "root jeff bob bob", "root jeff bob ann bob", 0},
		{"Limit", management.SessionListing{Order: session.ByAccount, Limit: 3}, "bob bob jeff", "ann bob bob", 5},
		{"LimitAndFilter", management.SessionListing{SessionFilter: management.SessionFilter{Account: "ann"}, Limit: 9}, "", "ann", 1},
		{"LimitOfNone", management.SessionListing{SessionFilter: management.SessionFilter{Account: "eve"}, Limit: 9}, "", "", 0},
	} {
		t.Run(q.name, func(t *testing.T) {
			var total uint64
			q.listing.Total = func(n uint64) { total = n }
			if got := usernames(t, c.Sessions(t.Context(), q.listing)); got != q.shown || total != q.total {
				t.Errorf("the administrator sees %q of %d, want %q of %d", got, total, q.shown, q.total)
			}
			if got := usernames(t, c.OperatorSessions(t.Context(), q.listing)); got != q.everything || total != q.total {
				t.Errorf("the operator sees %q of %d, want %q of %d", got, total, q.everything, q.total)
			}
		})
	}
}

func counted(t *testing.T, batches iter.Seq2[[]session.Count, error]) (all []session.Count) {
	t.Helper()
	for counts, err := range batches {
		if err != nil {
			t.Fatal(err)
		}
		if len(counts) > account.MaxBatch {
			t.Errorf("%d counts came at once", len(counts))
		}
		all = append(all, counts...)
	}
	return all
}

func TestCountSessions(t *testing.T) {
	f := leased(t, discreet{})
	c := f.client(t)
	f.opened(t, "ann", session.Details{Environment: "prod"})
	f.opened(t, "bob", session.Details{Environment: "prod"})
	f.opened(t, "bob", session.Details{Environment: "test"})
	none := management.SessionFilter{}
	for name, q := range map[string]struct {
		got  iter.Seq2[[]session.Count, error]
		want []session.Count
	}{
		"Account":       {c.CountSessions(t.Context(), none, session.KeyAccount), []session.Count{{Value: "bob", Sessions: 2}, {Value: "root", Sessions: 1}}},
		"Environment":   {c.CountSessions(t.Context(), none, session.KeyEnvironment), []session.Count{{Value: "", Sessions: 1}, {Value: "prod", Sessions: 1}, {Value: "test", Sessions: 1}}},
		"Filter":        {c.CountSessions(t.Context(), management.SessionFilter{Environment: "prod"}, session.KeyAccount), []session.Count{{Value: "bob", Sessions: 1}}},
		"Operator":      {c.OperatorCountSessions(t.Context(), none, session.KeyAccount), []session.Count{{Value: "bob", Sessions: 2}, {Value: "ann", Sessions: 1}, {Value: "root", Sessions: 1}}},
		"OperatorOfOne": {c.OperatorCountSessions(t.Context(), management.SessionFilter{Account: "ann"}, session.KeyEnvironment), []session.Count{{Value: "prod", Sessions: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(q.want, counted(t, q.got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("InBatches", func(t *testing.T) {
		for i := range account.MaxBatch {
			f.opened(t, fmt.Sprintf("user%04d", i), session.Details{})
		}
		if all := counted(t, c.CountSessions(t.Context(), none, session.KeyAccount)); len(all) != account.MaxBatch+2 {
			t.Errorf("%d counts came", len(all))
		}
	})
}

// What a client of another make may send.
func TestSessions_ErrUnknownOrder(t *testing.T) {
	f := leased(t, page{})
	conn := f.raw(t)
	c, o := managementv1.NewManagementClient(conn), managementv1.NewOperatorClient(conn)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+login(t, c))
	for what, ask := range map[string]func() (receiver, error){
		"an order":           func() (receiver, error) { return c.Sessions(ctx, &managementv1.SessionsRequest{Order: 99}) },
		"the operator's":     func() (receiver, error) { return o.Sessions(ctx, &managementv1.SessionsRequest{Order: -1}) },
		"no key":             func() (receiver, error) { return c.CountSessions(ctx, &managementv1.CountSessionsRequest{}) },
		"the operator's key": func() (receiver, error) { return o.CountSessions(ctx, &managementv1.CountSessionsRequest{By: 99}) },
		"a filter by no name": func() (receiver, error) {
			return o.CountSessions(ctx, &managementv1.CountSessionsRequest{By: 1, Account: "no name"})
		},
	} {
		stream, err := ask()
		if err == nil {
			err = stream.RecvMsg(&managementv1.SessionsResponse{})
		}
		wantCode(t, what, err, codes.InvalidArgument)
	}
}

// receiver is a stream of any kind.
type receiver interface{ RecvMsg(any) error }

func TestList_Filter(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f := leased(t, page{accounts: []account.Account{
		{ID: "1", Username: "ann", Role: account.Admin, Enabled: true, LastLoginAt: noon},
		{ID: "2", Username: "bob", Role: account.User, Grants: account.Grants{"prod": {account.Read}}},
	}})
	c := f.client(t)
	yes, no := true, false
	for name, q := range map[string]struct {
		filter management.AccountFilter
		want   []string
	}{
		"Role":            {management.AccountFilter{Role: account.Admin}, []string{"ann"}},
		"Enabled":         {management.AccountFilter{Enabled: &yes}, []string{"ann"}},
		"Suspended":       {management.AccountFilter{Enabled: &no}, []string{"bob"}},
		"Environment":     {management.AccountFilter{Environment: "prod"}, []string{"bob"}},
		"LastLoginBefore": {management.AccountFilter{LastLoginBefore: noon}, []string{"bob"}},
		"LaterThanThat":   {management.AccountFilter{LastLoginBefore: noon.Add(1)}, []string{"ann", "bob"}},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for batch, err := range c.List(t.Context(), q.filter) {
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range batch {
					names = append(names, a.Username)
				}
			}
			if !slices.Equal(names, q.want) {
				t.Errorf("listed %q, want %q", names, q.want)
			}
		})
	}
	t.Run("ErrTime", func(t *testing.T) {
		m := managementv1.NewManagementClient(f.raw(t))
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+login(t, m))
		stream, err := m.List(ctx, &managementv1.ListRequest{LastLoginBefore: &timestamppb.Timestamp{Nanos: -1}})
		if err == nil {
			_, err = stream.Recv()
		}
		wantCode(t, "a time out of range", err, codes.InvalidArgument)
	})
}
