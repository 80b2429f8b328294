package main

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of the reads.
var _ = add(map[string]fault{
	"show-is-stale": {users: func(u account.Users) account.Users {
		var seen sync.Map
		return &altered{Users: u, show: func(ctx context.Context, who account.Caller, username string) (account.Account, error) {
			a, err := u.Show(ctx, who, username)
			if err != nil {
				return a, err
			}
			first, _ := seen.LoadOrStore(username, a)
			return first.(account.Account), nil
		}}
	}},
	"shows-nobody": {users: func(u account.Users) account.Users {
		return &altered{Users: u, show: func(ctx context.Context, who account.Caller, username string) (account.Account, error) {
			a, err := u.Show(ctx, who, username)
			if account.KindOf(err) == account.KindNotFound {
				err = nil
			}
			return a, err
		}}
	}},
	"show-says-another-generation": {users: func(u account.Users) account.Users {
		return &altered{Users: u, show: func(ctx context.Context, who account.Caller, username string) (account.Account, error) {
			a, err := u.Show(ctx, who, username)
			a.Generation = 0
			return a, err
		}}
	}},
	"everybody-exists": {users: func(u account.Users) account.Users {
		return &altered{Users: u, exists: func(context.Context, string) (bool, error) { return true, nil }}
	}},

	"list-loses-one-at-a-border": {users: listing(func(page []account.Account, next string) ([]account.Account, string) {
		if next != "" {
			page = page[:len(page)-1]
		}
		return page, next
	})},
	"list-is-unsorted": {users: listing(func(page []account.Account, next string) ([]account.Account, string) {
		slices.SortFunc(page, func(a, b account.Account) int {
			return strings.Compare(strings.ToLower(a.Username), strings.ToLower(b.Username))
		})
		return page, next
	})},
	"list-hides-the-suspended": {users: listing(func(page []account.Account, next string) ([]account.Account, string) {
		return slices.DeleteFunc(page, func(a account.Account) bool { return !a.Enabled }), next
	})},
	"list-begins-with-after": {users: func(u account.Users) account.Users {
		return &altered{Users: u, list: func(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
			page, next, err := u.List(ctx, who, after)
			if a, missing := u.Show(ctx, who, after); missing == nil && err == nil {
				page = slices.Insert(page, 0, a)
			}
			return page, next, err
		}}
	}},
	"list-fills-its-pages": {users: func(u account.Users) account.Users {
		return &altered{Users: u, list: func(ctx context.Context, who account.Caller, after string) (all []account.Account, next string, err error) {
			for next = after; len(all) < account.MaxBatch; {
				var page []account.Account
				if page, next, err = u.List(ctx, who, next); err != nil || next == "" {
					return append(all, page...), "", err
				}
				all = append(all, page...)
			}
			return all, next, nil
		}}
	}},

	"export-without-hashes": {users: exporting(func(page []account.Exported) {
		for i := range page {
			page[i].PasswordHash = nil
		}
	})},
	"export-mixes-hashes": {users: exporting(func(page []account.Exported) {
		for i := range len(page) - 1 {
			page[i].PasswordHash, page[i+1].PasswordHash = page[i+1].PasswordHash, page[i].PasswordHash
		}
	})},

	"every-password-matches":               {users: checking(func(bool, account.Account) bool { return true })},
	"no-password-of-the-suspended-matches": {users: checking(func(matches bool, a account.Account) bool { return matches && a.Enabled })},

	"sessions-adds-a-row": {users: showing(func(rows []account.Session) []account.Session {
		return append(rows, account.Session{ID: "another", Username: "another", Role: account.User, Listener: account.ClientListener})
	})},
	"sessions-repeats-a-row": {users: showing(func(rows []account.Session) []account.Session {
		return append(rows, rows[:min(len(rows), 1)]...)
	})},
	"sessions-reorders": {users: showing(func(rows []account.Session) []account.Session {
		slices.SortFunc(rows, func(a, b account.Session) int { return strings.Compare(a.ID, b.ID) })
		return rows
	})},
	"sessions-alters-a-row": {users: showing(func(rows []account.Session) []account.Session {
		for i := range rows {
			rows[i].RemoteAddress = ""
		}
		return rows
	})},
	"sessions-writes-long-notes": {users: showing(func(rows []account.Session) []account.Session {
		for i := range rows {
			rows[i].Note = strings.Repeat("n", account.MaxNote+1)
		}
		return rows
	})},
	"sessions-repeats-the-last-of-a-thousand": {users: showing(func(rows []account.Session) []account.Session {
		if len(rows) > 500 {
			rows[len(rows)-1] = rows[len(rows)-2]
		}
		return rows
	})},
})

func listing(alter func(page []account.Account, next string) ([]account.Account, string)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, list: func(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
			page, next, err := u.List(ctx, who, after)
			if err != nil {
				return nil, "", err
			}
			page, next = alter(page, next)
			return page, next, nil
		}}
	}
}

func exporting(alter func(page []account.Exported)) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, export: func(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
			page, next, err := u.Export(ctx, who, after)
			alter(page)
			return page, next, err
		}}
	}
}

func checking(alter func(matches bool, a account.Account) bool) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, checkPassword: func(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
			a, err := u.Show(ctx, who, r.Username)
			if err != nil {
				return false, err
			}
			matches, err := u.CheckPassword(ctx, who, r)
			return alter(matches, a), err
		}}
	}
}

func showing(alter func(rows []account.Session) []account.Session) func(account.Users) account.Users {
	return func(u account.Users) account.Users {
		return &altered{Users: u, sessions: func(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
			rows, err := u.Sessions(ctx, who, rows)
			if err != nil {
				return nil, err
			}
			return alter(rows), nil
		}}
	}
}
