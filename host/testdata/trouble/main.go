// Command trouble is a users plugin that serves its one administrator well
// until it is asked to show an account by the name of a trouble.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// go-plugin replaces both.
var realStdout, realStderr = os.Stdout, os.Stderr

func main() {
	logger := hclog.New(&hclog.LoggerOptions{Output: realStderr, JSONFormat: true})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(&backend{}, logger),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			o = append(o, wire.ServerOptions(logger)...)
			return grpc.NewServer(append(o, grpc.MaxSendMsgSize(1<<30))...)
		},
		Logger: logger,
	})
}

type backend struct {
	account.Users // the rest is never asked for
}

func named(username string) account.Account {
	return account.Account{ID: account.ID("id of " + username), Generation: 1, Username: username, Role: account.Admin, Enabled: true}
}

func (*backend) Configure(_ context.Context, c account.Configuration) (account.Description, error) {
	is := account.Description{Name: "trouble", Version: "1", StoreID: "store", Initialized: c.Settings["initialized"] != "false"}
	if c.Settings["change"] == "panics" { // as what it does not have does
		is.Capabilities = []string{account.CapabilityChange}
	}
	return is, nil
}

func (*backend) Records(context.Context, account.RequestID) ([]account.Record, account.RequestID, error) {
	return nil, account.RequestID{}, nil
}

func (*backend) Authenticate(_ context.Context, c account.Credentials) (account.Login, error) {
	return account.Login{Account: named(c.Username), Revision: 1}, nil
}

func (*backend) Show(ctx context.Context, _ account.Caller, username string) (account.Account, error) {
	a := named(username)
	switch username {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("in a call")
	case "crash":
		go panic("in the background")
		select {}
	case "hang":
		select {}
	case "garbage":
		junk := strings.Repeat("\x00\xff|1|2|unix|\x1b[2J\n", 1000)
		fmt.Fprint(realStdout, junk)
		fmt.Fprint(realStderr, junk)
	case "flood":
		for i := range 100_000 {
			fmt.Fprintf(realStderr, "[ERROR] line %d\n", i)
		}
	case "huge":
		a.Grants = account.Grants{}
		for i := range 30_000 {
			a.Grants[fmt.Sprintf("environment_%d_%s", i, strings.Repeat("x", 220))] = []account.Permission{account.Read}
		}
	case "stranger":
		return named("somebody"), nil
	case "nobody":
		return account.Account{}, nil
	}
	return a, nil
}

func (*backend) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	for {
		select {
		case r, ok := <-requests:
			if !ok {
				return nil
			}
			for _, name := range r.Read {
				s := named(name).Snapshot(2)
				if err := deliver(account.WatchEvent{Snapshot: &s}); err != nil {
					return err
				}
			}
			if r.Heartbeat == 0 {
				continue
			}
			if err := deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: r.Heartbeat, Revision: 2, StoreID: "store"}}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
