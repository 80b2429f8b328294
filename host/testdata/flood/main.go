// Command flood loads a machine until its standard input ends, and prints what
// came of it as JSON: "flood compute" with plain computation, "flood logins" and
// "flood client-logins" with as many attempts to log in as it gets rid of,
// "flood connections" with connections that say nothing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

var kinds = map[string]func(context.Context, options) tally{
	"compute": compute, "logins": logins, "client-logins": clientLogins, "connections": connections,
}

func main() {
	o := options{}
	flags := flag.NewFlagSet("flood", flag.ExitOnError)
	flags.StringVar(&o.socket, "socket", "", "the socket to flood")
	flags.IntVar(&o.connections, "connections", 1, "how many at once")
	flags.IntVar(&o.streams, "streams", 1, "attempts at once on each")
	flags.StringVar(&o.known, "known", "", "a name that half of the attempts submit; the others submit one that nobody has")
	flags.IntVar(&o.padding, "padding", 0, "bytes behind each name that nobody has")
	flags.IntVar(&o.addresses, "addresses", 1, "from which clients come")
	flags.Float64Var(&o.cores, "cores", 1, "how many processors to keep busy")
	if len(os.Args) < 2 || kinds[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "there is no such kind of load")
		os.Exit(2)
	}
	flags.Parse(os.Args[2:])
	ctx, end := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		end()
	}()
	json.NewEncoder(os.Stdout).Encode(kinds[os.Args[1]](ctx, o))
}

type options struct {
	socket, known                            string
	connections, streams, padding, addresses int
	cores                                    float64
}

// tally is what came of it.
type tally struct {
	Attempts int
	Answers  map[string]int // by their kind
}
