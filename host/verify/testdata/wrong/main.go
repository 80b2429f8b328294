// Command wrong is an account backend with one fault, which the setting "fault"
// names; without it, a right one. It keeps accounts in a bbolt file.
package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// fault makes a right part of the backend a wrong one. Each has one of the three.
type fault struct {
	users func(right account.Users) account.Users
	store func(right users.Store) users.Store
	calls func(m proto.Message) error // alters what comes in, or refuses it
}

// faults are named in words that say what the backend does.
var faults = map[string]fault{}

func add(more map[string]fault) map[string]fault {
	maps.Copy(faults, more)
	return more
}

var realStdout, realStderr = os.Stdout, os.Stderr // go-plugin replaces both

func main() {
	if f := fromTheStart[filepath.Base(os.Args[0])]; f != nil {
		f()
	}
	behave()
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: realStderr, JSONFormat: true})
	hclog.SetDefault(logger)
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(&backend{Users: users.New(users.Backend{Name: "wrong", Version: "1", Open: open}, logger)}, logger),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(append(o, wire.ServerOptions(logger)...), grpc.ChainUnaryInterceptor(intercept, alterCalls), grpc.InTapHandle(tapped))...)
		},
		Logger: logger,
	})
	atEnd()
}

// backend is right until it is configured.
type backend struct{ account.Users }

func (b *backend) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	if name := c.Settings["fault"]; name != "" {
		f, ok := faults[name]
		if !ok {
			return account.Description{}, account.Invalid("plugin.settings.fault", "%q is not a fault", account.Printable(name))
		}
		if f.users != nil {
			b.Users = f.users(b.Users)
		}
		if f.calls != nil {
			alter.Store(&f.calls)
		}
	}
	return b.Users.Configure(ctx, c)
}

func open(ctx context.Context, home string, settings map[string]string) (users.Store, error) {
	for name := range settings {
		if name != "fault" {
			return nil, account.Invalid("plugin.settings."+name, "%q is not a setting", account.Printable(name))
		}
	}
	store, err := bolt.Open(ctx, filepath.Join(home, "accounts.db"), bolt.Options{Failed: func(error) { os.Exit(1) }})
	if err != nil {
		return nil, err
	}
	if f := faults[settings["fault"]]; f.store != nil {
		return f.store(store), nil
	}
	return store, nil
}
