// Command peers measures two systems that keep accounts too, an etcd and a
// PostgreSQL, doing what Concourse does:
//
//	go run -C tools ./peers
//
// It starts each as real processes that wait for their disk, over nothing, in a
// directory of its own below TMPDIR, and asks for what the tables of
// docs/performance.md compare: new accounts with a password and without, and
// logins. Each caller has a connection of its own. Results go to standard output
// as "go test -bench" prints them, for the command bench to read; what happens is
// told on standard error. A run takes about a minute.
//
// etcd is built as tools/etcd pins it. PostgreSQL is the system's, from PATH or
// from where Debian has it; root runs it as the user postgres, or else nobody.
// A peer that cannot be measured is named, and the other is measured; the exit
// code is 0 if one was. Whatever ends the command ends the servers, and unless it
// is killed, their directories too.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// peer is a system that is measured beside ours.
type peer struct {
	name  string // in the benchmarks' names
	title string
	// open starts it over an empty directory. Its end follows, whether or not it
	// could be opened.
	open func(ctx context.Context, dir string) (server, error)
}

// server is a peer that runs.
type server interface {
	operations() []operation
	end()
}

var peers = []peer{{"etcd", "etcd", openEtcd}, {"postgres", "PostgreSQL", openPostgres}}

func main() {
	signal.Ignore(syscall.SIGPIPE) // the servers are ended where nobody reads the results too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, orphaned := context.WithCancel(ctx)
	go untilOrphaned(orphaned)
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// untilOrphaned returns when the parent has ended: "go run" hands no SIGTERM on.
func untilOrphaned(then func()) {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(100 * time.Millisecond)
	}
	then()
}

func run(ctx context.Context, out, progress io.Writer) error {
	if _, err := fmt.Fprintln(out, "pkg: github.com/cinchapi/concourse-users/tools/peers"); err != nil {
		return err
	}
	measured := 0
	for _, p := range peers {
		fmt.Fprintf(progress, "%s: starting\n", p.title)
		err := p.measure(ctx, out, progress)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case err != nil:
			fmt.Fprintf(progress, "%s is not measured: %v\n", p.title, err)
		default:
			measured++
		}
	}
	if measured == 0 {
		return errors.New("no peer could be measured")
	}
	return nil
}

// measure prints the results once it has all of them, so that a peer is in the
// tables wholly or not at all.
func (p peer) measure(ctx context.Context, out, progress io.Writer) error {
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := p.open(ctx, dir)
	if s != nil {
		defer s.end()
	}
	if err != nil {
		return err
	}
	var lines []string
	for _, o := range s.operations() {
		for _, callers := range o.callers {
			fmt.Fprintf(progress, "%s: %s, callers: %d\n", p.title, o.name, callers)
			times, took, err := o.take(ctx, callers)
			if err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
			lines = append(lines, line(p.name, o.name, callers, times, took))
		}
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, l); err != nil {
			return err
		}
	}
	return nil
}
