// Command concourse-users-etcd is the distributed account backend: a plugin of
// the Concourse host that keeps the accounts that several hosts share in a
// cluster of etcd.
//
// Its settings are those of etcd.Options: endpoints, prefix, username,
// password_file, ca_file, cert_file, key_file, dial_timeout and request_timeout.
// Only endpoints is required. A file is named relative to the host's home unless
// absolute. A password is never a setting itself: settings can be read by
// everyone who may see the host's configuration.
package main

import (
	"context"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/version"
)

func main() {
	plugin.Serve(users.Backend{Name: "etcd", Version: version.String(), Open: open})
}

func open(ctx context.Context, home string, settings map[string]string) (users.Store, error) {
	options, err := parse(home, settings)
	if err != nil {
		return nil, err
	}
	options.Logger = hclog.L().Named("etcd")
	s, err := etcd.Open(ctx, options)
	if err != nil {
		return nil, err // and no *etcd.Store, not even a nil one
	}
	return s, nil
}
