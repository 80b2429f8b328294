// Command directory is a users plugin that shows the accounts of a JSON file, in
// the form in which "users export" prints them, and changes none. Its setting
// file names the file.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func main() {
	plugin.Serve(users.Backend{Name: "directory", Version: "1.0", Open: open})
}

func open(_ context.Context, _ string, settings map[string]string) (users.Store, error) {
	for name := range settings {
		if name != "file" {
			return nil, account.Invalid("plugin.settings."+name, "%q is not a setting of the directory backend; it has file", account.Printable(name))
		}
	}
	return users.ReadOnly(settings["file"], &file{path: settings["file"]}), nil
}

type file struct {
	path string
	last os.FileInfo // as it was read
}

func (f *file) Load(context.Context) ([]users.Entry, error) {
	now, err := os.Stat(f.path)
	switch {
	case err != nil:
		return nil, account.Unavailable("the accounts cannot be read: %v", err)
	case f.last != nil && os.SameFile(f.last, now) && f.last.ModTime().Equal(now.ModTime()):
		return nil, users.ErrUnchanged
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	var lines []struct {
		Username     string         `json:"username"`
		Role         account.Role   `json:"role"`
		Enabled      bool           `json:"enabled"`
		Grants       account.Grants `json:"grants"`
		PasswordHash string         `json:"password_hash"`
	}
	if err := json.Unmarshal(content, &lines); err != nil {
		return nil, fmt.Errorf("%s is damaged", f.path)
	}
	var all []users.Entry
	for _, l := range lines {
		all = append(all, users.Entry{
			Username: l.Username, Role: l.Role, Enabled: l.Enabled, Grants: l.Grants, PasswordHash: account.Secret(l.PasswordHash),
		})
	}
	f.last = now
	return all, nil
}

func (f *file) Close() error { return nil }
