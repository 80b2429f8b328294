// Command open is a users plugin whose accounts any password opens, so that
// sessions are had by the hundred thousand without hashing for each. They are
// the ADMIN "admin" and the USERs "user0", "user1" and so on, as many as its
// setting users says.
package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func main() {
	plugin.Serve(users.Backend{Name: "open", Version: "1.0", Open: open})
}

func open(_ context.Context, _ string, settings map[string]string) (users.Store, error) {
	n, err := strconv.Atoi(settings["users"])
	if err != nil || n < 0 {
		return nil, account.Invalid("plugin.settings.users", "users must be the number of accounts beside the administrator")
	}
	return users.ReadOnly("open", &doors{users: n}), nil
}

type doors struct {
	users int
	told  bool
}

func (d *doors) Load(context.Context) ([]users.Entry, error) {
	if d.told {
		return nil, users.ErrUnchanged
	}
	all := []users.Entry{{Username: "admin", Role: account.Admin, Enabled: true}}
	for i := range d.users {
		all = append(all, users.Entry{Username: fmt.Sprint("user", i), Enabled: true})
	}
	d.told = true
	return all, nil
}

func (*doors) Verify(context.Context, string, account.Secret) (bool, error) { return true, nil }

func (*doors) Close() error { return nil }
