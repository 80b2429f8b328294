// Command collected is a host like that of "concourse start" that collects its
// garbage, and gives back what it does not need, for each connection to the socket
// collect.sock in its home, which it closes afterwards.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/cinchapi/concourse-users/host"
	"github.com/cinchapi/concourse-users/host/gate"
)

func main() {
	home := flag.String("home", "", "the home")
	flag.CommandLine.Parse(os.Args[2:]) // behind "start"
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := host.Run(ctx, host.Options{
		Home: *home, Env: os.Environ(), Out: os.Stdout, Log: os.Stderr,
		Beside: func(ctx context.Context, _ *gate.Gate) error {
			return collect(ctx, filepath.Join(*home, "collect.sock"))
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func collect(ctx context.Context, path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		asked, err := l.Accept()
		if err != nil {
			return nil
		}
		debug.FreeOSMemory()
		debug.FreeOSMemory() // what pools have kept through the first
		asked.Close()
	}
}
