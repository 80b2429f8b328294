package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

var listCases = []Case{
	{
		Name:     "list/has-every-account",
		Contract: `List returns accounts, as Show does, page by page; next is empty after the last (users.proto, List)`,
		run: func(t *T) {
			p := t.Open()
			want := []account.Account{p.Show(p.admin.Username)}
			if p.Declares(account.CapabilityChange) {
				for _, name := range []string{"jeff", "ada", "suspended"} {
					p.Create(name, account.User)
				}
				p.grant("jeff", "e", account.Write)
				p.suspend("suspended")
				want = append(want, p.Show("ada"), p.Show("jeff"), p.Show("suspended"))
			}
			all := p.all()
			if p.Declares(account.CapabilityChange) && len(all) != len(want) {
				t.Errorf("the listing has %d accounts, want %d", len(all), len(want))
			}
			for _, w := range want {
				i := slices.IndexFunc(all, func(a account.Account) bool { return a.Username == w.Username })
				if i < 0 {
					t.Errorf("the listing lacks %s", w.Username)
					continue
				}
				t.Same(all[i], w, "%s in the listing", w.Username)
			}
		},
	},
	{
		Name:     "list/is-in-byte-order",
		Contract: `List returns accounts in the byte order of their usernames, whatever the order in which they were made (users.proto, List)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			names := []string{"b", "a", "B", "é", "10", "9", "z", "ab", "_", "~", "中", "a-b"}
			for _, name := range names {
				p.Create(name, account.User)
			}
			names = append(names, p.admin.Username)
			slices.Sort(names)
			var listed []string
			for _, a := range p.all() {
				listed = append(listed, a.Username)
			}
			if !slices.Equal(listed, names) {
				t.Errorf("the order is %q, want %q", listed, names)
			}
		},
	},
	{
		Name:     "list/after-is-any-name",
		Contract: `ListRequest.after: accounts whose names sort after it, as bytes, without it; it need not be an account's (users.proto)`,
		run: func(t *T) {
			p := t.Open()
			if p.Declares(account.CapabilityChange) {
				for _, name := range []string{"b", "d", "D", "dd"} {
					p.Create(name, account.User)
				}
			}
			all := p.all()
			for _, after := range []string{"", "A", "a", "b", "c", "d", "d!", "dc", "~", p.admin.Username, all[len(all)-1].Username} {
				page, _, err := p.Users.List(t.ctx, p.Admin, after)
				t.OK(err, "list after %q", after)
				first := slices.IndexFunc(all, func(a account.Account) bool { return a.Username > after })
				switch {
				case first < 0 && len(page) > 0:
					t.Errorf("after %q comes %q, want nothing", after, page[0].Username)
				case first >= 0 && len(page) == 0:
					t.Errorf("after %q comes nothing, want %q", after, all[first].Username)
				case first >= 0:
					t.Same(page[0], all[first], "the first account after %q", after)
				}
			}
		},
	},
	{
		Name:     "list/pages-join",
		Contract: `ListResponse has at most 1000 accounts; the request with its next as after goes on where it ended, without a gap or a repeat (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made := p.populate("account", 3*account.MaxBatch/2+account.MaxBatch, 10*time.Second)
			p.listsAll(made)
		},
	},
	{
		Name:     "list/a-page-fits-a-message",
		Contract: `No message that the host accepts is larger than 4 MiB: a page of accounts with many grants has fewer of them (users.proto, service Users)`,
		Needs:    needsApply,
		run: func(t *T) {
			p := t.Open()
			grants := make(account.Grants, account.MaxEnvironments)
			for i := range account.MaxEnvironments {
				name := environment(i)
				grants[name+strings.Repeat("_", account.MaxEnvironment-len(name))] = []account.Permission{account.Read, account.Write}
			}
			const accounts = 18 // of more than 256 KiB each
			password := NewPassword()
			for i := range accounts {
				p.apply(account.Desired{Username: fmt.Sprintf("holder-%02d", i), Password: password, Grants: grants})
			}
			all := p.all()
			if len(all) != accounts+1 {
				t.Fatalf("the listing has %d accounts, want %d", len(all), accounts+1)
			}
			t.Grants(all[len(all)-1], grants, "an account with many grants in the listing")
			if p.Declares(account.CapabilityExport) {
				if n := len(p.exports()); n != accounts+1 {
					t.Errorf("the export has %d accounts, want %d", n, accounts+1)
				}
			}
		},
	},
	{
		Name:     "list/pages-over-100000-accounts",
		Contract: `List is whole and in order over 100,000 accounts, while others are being made: each that was there before is listed once (users.proto, List)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made := p.populate("account", 100_000, 40*time.Second)
			ctx, stop := context.WithCancel(t.ctx)
			defer stop()
			var adding sync.WaitGroup
			adding.Go(func() {
				users := wire.NewClient(p.process.Conn())
				for i := 0; ctx.Err() == nil; i++ {
					name := fmt.Sprintf("account-%06d-later", i*7919%100_000)
					_, err := users.Create(ctx, p.New(), account.Create{Username: name, Password: NewPassword(), Role: account.User})
					switch account.KindOf(err) {
					case 0, account.KindThrottled, account.KindConflict:
					default:
						if ctx.Err() == nil {
							t.Errorf("create an account while others are listed: %s", describe(err))
						}
						return
					}
				}
			})
			p.listsAll(made)
			stop()
			adding.Wait()
		},
	},
}

// all returns every account as the administrator lists them, and ends the case
// if a page is not in order.
func (p *Plugin) all() []account.Account {
	all, err := pages(func(after string) ([]account.Account, string, error) {
		return p.Users.List(p.t.ctx, p.Admin, after)
	}, func(a account.Account) string { return a.Username })
	p.t.OK(err, "list accounts")
	return all
}

// pages gathers the pages of a listing.
func pages[A any](page func(after string) ([]A, string, error), name func(A) string) (all []A, err error) {
	last, after := "", ""
	for {
		items, next, err := page(after)
		if err != nil {
			return nil, err
		}
		for _, a := range items {
			if n := name(a); n <= last {
				return nil, fmt.Errorf("%q comes after %q, in the page after %q", account.Printable(n), account.Printable(last), account.Printable(after))
			} else {
				last = n
			}
		}
		all = append(all, items...)
		switch {
		case next == "":
			return all, nil
		case next <= after:
			return nil, fmt.Errorf("the page after %q ends with next %q, which is not further on", account.Printable(after), account.Printable(next))
		}
		after = next
	}
}

// listsAll notes the accounts that a listing lacks.
func (p *Plugin) listsAll(made []string) {
	all := p.all()
	listed := make(map[string]bool, len(all))
	for _, a := range all {
		listed[a.Username] = true
	}
	missing, first := 0, ""
	for _, name := range made {
		if !listed[name] {
			missing++
			first = name
		}
	}
	if missing > 0 {
		p.t.Errorf("of %d accounts the listing lacks %d, such as %s", len(made), missing, first)
	}
	if !listed[p.admin.Username] {
		p.t.Errorf("the listing lacks the administrator")
	}
}

// makers is how many callers make accounts at once.
const makers = 64

// populate makes accounts, n of them or as many as are made in the time, and
// returns their names. They share one password where a backend takes hashes,
// which spares hashing. What is sent is not recorded.
func (p *Plugin) populate(prefix string, n int, within time.Duration) []string {
	t, users := p.t, wire.NewClient(p.process.Conn())
	var hash account.Secret
	if p.Declares(account.CapabilityApply) && p.Declares(account.CapabilityExport) {
		hash = p.exported(p.admin.Username).PasswordHash
	}
	var next atomic.Int64
	var mu sync.Mutex // guards made
	var made []string
	var at sync.WaitGroup
	until := time.Now().Add(within)
	for range makers {
		at.Go(func() {
			var own []string
			for time.Now().Before(until) {
				i := next.Add(1) - 1
				if i >= int64(n) {
					break
				}
				// Neighbours are made far from each other in time.
				name := fmt.Sprintf("%s-%06d", prefix, i*7919%1_000_000)
				var err error
				if len(hash) > 0 {
					_, err = users.Apply(t.ctx, p.New(), account.Desired{Username: name, PasswordHash: hash})
				} else {
					_, err = users.Create(t.ctx, p.New(), account.Create{Username: name, Password: NewPassword(), Role: account.User})
				}
				switch account.KindOf(err) {
				case 0:
					own = append(own, name)
				case account.KindThrottled, account.KindConflict: // too many at once, for this backend
					time.Sleep(50 * time.Millisecond)
				default:
					t.Errorf("make account %d: %s", i, describe(err))
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			made = append(made, own...)
		})
	}
	at.Wait()
	return made
}
