package conformance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// What the cases need that change accounts, that apply them, and that move them
// by their hashes.
var (
	needsChange = []string{account.CapabilityChange}
	needsApply  = []string{account.CapabilityChange, account.CapabilityApply}
	needsHashes = []string{account.CapabilityChange, account.CapabilityApply, account.CapabilityExport}
)

// Same notes what of an account is not as wanted. When it last logged in is left
// out: a backend writes that down when it likes, if at all.
func (t *T) Same(got, want account.Account, what string, args ...any) {
	if d := unlike(got, want); d != "" {
		t.Errorf("%s: %s", fmt.Sprintf(what, args...), d)
	}
}

// unlike says in what two accounts differ.
func unlike(got, want account.Account) string {
	var all []string
	add := func(field string, same bool, got, want any) {
		if !same {
			all = append(all, fmt.Sprintf("%s is %v, want %v", field, got, want))
		}
	}
	add("id", got.ID == want.ID, got.ID, want.ID)
	add("generation", got.Generation == want.Generation, got.Generation, want.Generation)
	add("username", got.Username == want.Username, account.Printable(got.Username), account.Printable(want.Username))
	add("role", got.Role == want.Role, got.Role, want.Role)
	add("enabled", got.Enabled == want.Enabled, got.Enabled, want.Enabled)
	add("grants", sameGrants(got.Grants, want.Grants), got.Grants, want.Grants)
	add("created_at", got.CreatedAt.Equal(want.CreatedAt), got.CreatedAt, want.CreatedAt)
	add("password_changed_at", got.PasswordChangedAt.Equal(want.PasswordChangedAt), got.PasswordChangedAt, want.PasswordChangedAt)
	return strings.Join(all, "; ")
}

func sameGrants(a, b account.Grants) bool { return maps.EqualFunc(a, b, slices.Equal) }

// Grants notes what differs from the grants wanted.
func (t *T) Grants(got account.Account, want account.Grants, what string, args ...any) {
	if !sameGrants(got.Grants, want) {
		t.Errorf("%s: %s holds %v, want %v", fmt.Sprintf(what, args...), account.Printable(got.Username), got.Grants, want)
	}
}

// Came notes a change that says another thing than wanted of whether anything
// changed, or that takes a new request for a repeat.
func (t *T) Came(c account.Change, changed bool, what string, args ...any) {
	asked := fmt.Sprintf(what, args...)
	if c.Changed != changed {
		t.Errorf("%s: changed is %t, want %t", asked, c.Changed, changed)
	}
	if c.Repeated {
		t.Errorf("%s: repeated is true, although the request id is new", asked)
	}
}

// NotFound notes a failure unless err says that no account has the name.
func (t *T) NotFound(err error, username, what string, args ...any) {
	t.Refused(err, account.KindNotFound, "", what, args...)
	if e, ok := errors.AsType[*account.Error](err); ok && e.Kind == account.KindNotFound && e.Subject != username {
		t.Errorf("%s: the refusal's subject is %q, want the username %q", fmt.Sprintf(what, args...), e.Subject, username)
	}
}

// RefusedAs is Refused where the contract leaves open which of some kinds it is.
func (t *T) RefusedAs(err error, kinds []account.Kind, what string, args ...any) {
	if !slices.Contains(kinds, account.KindOf(err)) {
		t.Refused(err, kinds[0], "", what, args...)
	}
}

// refusals are the kinds that a backend refuses bad input with, whatever it is.
var refusals = []account.Kind{
	account.KindInvalid, account.KindNotAuthenticated, account.KindNotPermitted, account.KindNotFound,
	account.KindAlreadyExists, account.KindRefused, account.KindConflict, account.KindUnsupported, account.KindThrottled,
}

// clockSlack is how far the clock that a backend's store goes by may be from
// ours.
const clockSlack = 5 * time.Minute

// Recent notes a time that is not between then and now.
func (t *T) Recent(at, then time.Time, what string, args ...any) {
	if at.Before(then.Add(-clockSlack)) || at.After(time.Now().Add(clockSlack)) {
		t.Errorf("%s: %v, want a time since %v", fmt.Sprintf(what, args...), at, then)
	}
}

// holdings is what a backend holds: every account, and the id of every request
// record.
type holdings struct {
	accounts []account.Account
	records  []account.RequestID
}

func (p *Plugin) holdings() holdings {
	h := holdings{accounts: p.all()}
	for next := (account.RequestID{}); ; {
		page, after, err := p.Users.Records(p.t.ctx, next)
		p.t.OK(err, "read request records")
		for _, r := range page {
			h.records = append(h.records, r.RequestID)
		}
		if after.IsZero() {
			return h
		}
		if after == next {
			p.t.Fatalf("a page of request records ends with the next that it began with")
		}
		next = after
	}
}

// Untouched notes what the backend holds now that it did not hold before, or no
// longer holds.
func (p *Plugin) Untouched(before holdings, what string, args ...any) {
	asked := fmt.Sprintf(what, args...)
	now := p.holdings()
	if !slices.EqualFunc(now.accounts, before.accounts, func(a, b account.Account) bool { return unlike(a, b) == "" }) {
		p.t.Errorf("%s: the accounts are not what they were before: %s", asked, firstUnlike(now.accounts, before.accounts))
	}
	if !slices.Equal(now.records, before.records) {
		p.t.Errorf("%s: there are %d request records where there were %d", asked, len(now.records), len(before.records))
	}
}

func firstUnlike(now, before []account.Account) string {
	for i := range min(len(now), len(before)) {
		if d := unlike(now[i], before[i]); d != "" {
			return account.Printable(before[i].Username) + ": " + d
		}
	}
	return fmt.Sprintf("there are %d where there were %d", len(now), len(before))
}
