package upstream

import (
	"flag"
	"fmt"
	"io"
)

// Main runs a server as a process of its own, which records nothing, until stdin
// ends. It prints its address on a line when it serves.
func Main(arguments []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("dataserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	o := Options{Quiet: true}
	flags.StringVar(&o.Address, "address", "", "HOST:PORT to listen at (127.0.0.1 and a free port)")
	flags.StringVar(&o.Username, "username", "", "who may log in ("+Username+")")
	flags.StringVar(&o.Password, "password", "", "with which password ("+Password+")")
	flags.StringVar(&o.DefaultEnvironment, "environment", "", "the default environment (default)")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	s, err := New(o)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer s.Kill()
	fmt.Fprintln(stdout, s.Address())
	io.Copy(io.Discard, stdin)
	return 0
}
