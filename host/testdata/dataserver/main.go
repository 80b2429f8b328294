// Command dataserver is the stand-in for a Concourse data server as a process of
// its own, so that tests may kill it.
package main

import (
	"os"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
)

func main() { os.Exit(upstream.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
