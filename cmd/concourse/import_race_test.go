package main_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials/credentialstest"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// racingHost holds one account at most, and records of requests, as a host's
// plugin does. Others meddle at given moments.
type racingHost struct {
	*fakeHost
	meddle func(h *racingHost, call string) error // at each call, and once one is "Applied", before its answer

	mu      sync.Mutex // guards the rest
	is      *account.Account
	records []string
	calls   []string // of Apply, by request id
}

// made is another's account of the name that is imported.
var made = account.Account{ID: "1", Username: "jeff", Role: account.Admin, Enabled: true, CreatedAt: moment}

func (h *racingHost) Request(context.Context, *managementv1.RequestRequest) (*managementv1.RequestResponse, error) {
	return &managementv1.RequestResponse{RequestId: account.NewRequestID(time.Now()).String()}, nil
}

func (h *racingHost) Show(_ context.Context, r *managementv1.ShowRequest) (*managementv1.ShowResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.meddle(h, "Show"); err != nil {
		return nil, wire.ToStatus(err)
	}
	if h.is == nil {
		return nil, wire.ToStatus(account.NotFound(r.Username))
	}
	return &managementv1.ShowResponse{Account: &managementv1.ListedAccount{Account: wire.AccountToProto(*h.is)}}, nil
}

func (h *racingHost) Plan(_ context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.meddle(h, "Plan"); err != nil {
		return nil, wire.ToStatus(err)
	}
	return h.reach(r, true)
}

func (h *racingHost) Apply(_ context.Context, r *managementv1.ApplyRequest) (*managementv1.Applied, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r.RequestId)
	if err := h.meddle(h, "Apply"); err != nil {
		return nil, wire.ToStatus(err)
	}
	if slices.Contains(h.records, r.RequestId) {
		return &managementv1.Applied{Repeated: true, Change: change(*h.is, true)}, nil
	}
	a, err := h.reach(r, false)
	if err == nil {
		h.records = append(h.records, r.RequestId)
		err = wire.ToStatus(h.meddle(h, "Applied"))
	}
	return a, err
}

func (h *racingHost) reach(r *managementv1.ApplyRequest, planned bool) (*managementv1.Applied, error) {
	if h.is != nil {
		if r.OnlyNew {
			return nil, wire.ToStatus(account.AlreadyExists(r.Username))
		}
		return &managementv1.Applied{Before: wire.AccountToProto(*h.is), Change: change(*h.is, false)}, nil
	}
	ours := account.Account{ID: "2", Username: r.Username, Role: account.User, Enabled: true, CreatedAt: moment}
	if !planned {
		h.is = &ours
	}
	return &managementv1.Applied{PasswordSet: true, Change: change(ours, true)}, nil
}

// unknown is what an Apply ends with whose outcome nobody knows.
func (h *racingHost) unknown() error {
	id, err := account.ParseRequestID(h.calls[len(h.calls)-1])
	if err != nil {
		return err
	}
	return account.OutcomeUnknown(id)
}

func change(a account.Account, changed bool) *managementv1.Change {
	return &managementv1.Change{Changed: changed, Account: &managementv1.ListedAccount{Account: wire.AccountToProto(a)}}
}

// An account that somebody makes while an import runs is kept, and one that the
// import has made itself is never taken for somebody's.
func TestImportRaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "access")
	file := credentialstest.File(credentialstest.Account{Username: "jeff", Password: "jeff likes jam", Role: "USER", Enabled: true})
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		kept    = "kept jeff: it exists already, and differs in role\n1 account: 1 kept\n"
		created = "created jeff (USER)\n1 account: 1 created\n"
	)
	first := func(calls []string) bool { return len(calls) == 1 }
	for name, c := range map[string]struct {
		meddle  func(h *racingHost, call string) error
		said    string
		applies int // how often it was applied
		ids     int // under how many request ids
	}{
		"MadeBeforeThePlan": {func(h *racingHost, call string) error {
			if call == "Plan" {
				h.is = &made
			}
			return nil
		}, kept, 0, 0},
		"MadeAfterThePlan": {func(h *racingHost, call string) error {
			if call == "Apply" {
				h.is = &made
			}
			return nil
		}, kept, 1, 1},
		"MadeAndDeleted": {func(h *racingHost, call string) error {
			switch {
			case call == "Apply" && first(h.calls):
				h.is = &made
			case call == "Show":
				h.is = nil
			}
			return nil
		}, created, 2, 2},
		"Unavailable": {func(h *racingHost, call string) error {
			if call == "Apply" && first(h.calls) {
				return account.Unavailable("the plugin is away")
			}
			return nil
		}, created, 2, 2},
		"MadeByItself": {func(h *racingHost, call string) error {
			if call == "Applied" {
				return h.unknown()
			}
			return nil
		}, created, 2, 1},
		"MadeByItselfThenAway": {func(h *racingHost, call string) error {
			switch {
			case call == "Applied":
				return h.unknown()
			case call == "Apply" && len(h.calls) == 2:
				return account.Unavailable("the plugin is away")
			}
			return nil
		}, created, 3, 1},
		"NotMadeByItself": {func(h *racingHost, call string) error {
			switch {
			case call == "Apply" && first(h.calls):
				return h.unknown()
			case call == "Apply":
				h.is = &made
			}
			return nil
		}, kept, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := &racingHost{meddle: c.meddle}
			h.fakeHost = &fakeHost{instead: h}
			run(t, serve(t, h.fakeHost).as("users", "import", "--from-concourse", path)).expect(t, 0, c.said, "")
			if applies, ids := len(h.calls), len(slices.Compact(h.calls)); applies != c.applies || ids != c.ids {
				t.Errorf("applied %d times under %d ids, want %d and %d", applies, ids, c.applies, c.ids)
			}
		})
	}
}
