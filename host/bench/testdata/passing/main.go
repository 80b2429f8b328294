// Command passing is the least that a process in between does: it passes bytes on
// to the address that it is given, and those that come back, a connection there
// for each one here, and looks at none. It serves until its standard input ends,
// and prints its address when it does.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		l.Close()
	}()
	for {
		here, err := l.Accept()
		if err != nil {
			return
		}
		go pass(here, os.Args[1])
	}
}

// pass takes turns: one part of a call, one of its answer, as calls and answers
// that fit the buffer come.
func pass(here net.Conn, to string) {
	defer here.Close()
	there, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer there.Close()
	buffer := make([]byte, 16<<10)
	for from, into := here, there; ; from, into = into, from {
		n, err := from.Read(buffer)
		if err == nil {
			_, err = into.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}
