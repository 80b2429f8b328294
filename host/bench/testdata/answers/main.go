// Command answers is a stand-in for a data server, as a process of its own: it
// serves until its standard input ends, and prints its address when it does. Its
// jsonifyRecords returns 1 MiB.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
)

func main() {
	s, err := upstream.New(upstream.Options{Quiet: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Always("jsonifyRecords", upstream.Huge(1<<20))
	fmt.Println(s.Address())
	io.Copy(io.Discard, os.Stdin)
}
