package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cinchapi/concourse-users/shared/credentials"
)

// importing decides what becomes of each account of a file, and notes what keeps
// any of them from being taken over.
type importing struct {
	accounts     []credentials.Account
	named        map[string][]*credentials.Account // the original can make two of a name
	renamed      map[int16]string                  // the new names, by id
	skipped      map[int16]bool
	environments map[string]bool // grants in these are left out
	problems     mistakes
}

func newImporting(accounts []credentials.Account) *importing {
	i := &importing{
		accounts: accounts, named: map[string][]*credentials.Account{},
		renamed: map[int16]string{}, skipped: map[int16]bool{}, environments: map[string]bool{},
	}
	for k := range accounts {
		a := &accounts[k]
		i.named[a.Username] = append(i.named[a.Username], a)
	}
	return i
}

// choose takes in what the options say.
func (i *importing) choose(v *usersImport) {
	for _, name := range v.skip {
		if a := i.find("--skip", name); a != nil {
			i.skipped[a.ID] = true
		}
	}
	for _, r := range v.rename {
		at := strings.LastIndex(r, "=")
		if at < 0 {
			i.problems.add("--rename", "%s lacks the new name; write NAME=NEW", quotedWord(r))
			continue
		}
		a := i.find("--rename", r[:at])
		if a == nil {
			continue
		}
		if _, twice := i.renamed[a.ID]; twice || i.skipped[a.ID] {
			i.problems.add("--rename", "%s is to have two new names, or to be left out too", i.typed(a))
		}
		i.renamed[a.ID] = r[at+1:]
	}
	for _, e := range v.skipEnvironments {
		i.environments[e] = true
		if !slices.ContainsFunc(i.accounts, func(a credentials.Account) bool { _, held := a.Grants[e]; return held }) {
			i.problems.add("--skip-environment", "no account of the file has a grant in %s", quotedWord(e))
		}
	}
}

// find finds the account that an option speaks of: by its name, or by its id.
func (i *importing) find(option, name string) *credentials.Account {
	found := i.named[name]
	if id, ok := strings.CutPrefix(name, "id:"); ok && found == nil {
		if n, err := strconv.ParseInt(id, 10, 16); err == nil {
			for k := range i.accounts {
				if i.accounts[k].ID == int16(n) {
					found = append(found, &i.accounts[k])
				}
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		i.problems.add(option, "the file has no account named %s%s", quotedWord(name), i.suggest(name))
	default:
		i.problems.add(option, "the file has %d accounts named %s; say which: %s", len(found), quotedWord(name), i.typedAll(found))
	}
	return nil
}

func (i *importing) suggest(name string) string {
	if near := nearest(name, slices.Collect(maps.Keys(i.named))); near != "" {
		return "; did you mean " + quotedWord(near) + "?"
	}
	return ""
}

// mostTyped is the longest name that somebody would type, in bytes.
const mostTyped = 64

// typed is what to type for an account.
func (i *importing) typed(a *credentials.Account) string {
	if i.byID(a) {
		return fmt.Sprintf("id:%d", a.ID)
	}
	return quotedWord(a.Username)
}

func (i *importing) byID(a *credentials.Account) bool {
	return len(a.Username) > mostTyped || len(i.named[a.Username]) > 1
}

func (i *importing) typedAll(all []*credentials.Account) string {
	var words []string
	for _, a := range all {
		words = append(words, i.typed(a))
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// renaming is what to type to give an account another name.
func (i *importing) renaming(a *credentials.Account) string {
	if i.byID(a) {
		return fmt.Sprintf("--rename id:%d=NEW", a.ID)
	}
	return "--rename " + quotedWord(a.Username+"=NEW")
}
