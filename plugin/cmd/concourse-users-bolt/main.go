// Command concourse-users-bolt is the embedded account backend: a plugin of the
// Concourse host that keeps its accounts in one bbolt file.
//
// It has one setting of its own, path: where the file is, relative to the host's
// home unless absolute; "accounts.db" by default.
package main

import (
	"context"
	"os"
	"path/filepath"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/version"
)

func main() {
	plugin.Serve(users.Backend{Name: "bolt", Version: version.String(), Open: open})
}

func open(ctx context.Context, home string, settings map[string]string) (users.Store, error) {
	path := "accounts.db"
	for name, value := range settings {
		if name != "path" || value == "" {
			return nil, account.Invalid("plugin.settings."+name, "%q is not a setting of the bolt backend; it has path, the file to keep accounts in, and those of passwords: %s", account.Printable(name), users.PasswordSettings)
		}
		path = value
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	return bolt.Open(ctx, path, bolt.Options{Logger: hclog.L().Named("bolt"), Failed: exit})
}

// exit makes the host start this process anew: that opens the store again,
// which is the way to know what the last commit came to.
func exit(err error) {
	hclog.L().Error("the store failed; the host is to start this plugin anew", "error", err)
	os.Exit(1)
}
