// Command clients is a host like that of "concourse start", which serves tests'
// clients too, at the socket clients.sock in its home.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/cinchapi/concourse-users/host"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/hosttest/clients"
)

func main() {
	home := flag.String("home", "", "the home")
	flag.CommandLine.Parse(os.Args[2:]) // behind "start"
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := host.Run(ctx, host.Options{
		Home: *home, Env: os.Environ(), Out: os.Stdout, Log: os.Stderr,
		Beside: func(ctx context.Context, g *gate.Gate) error {
			return clients.Serve(ctx, filepath.Join(*home, "clients.sock"), g)
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
