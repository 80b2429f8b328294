//go:build unix && !linux

package thrift

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// gone reports whether nothing can come from a socket any more, without taking
// what has come: behind that, as behind the end of TLS, it sees nothing. A client
// that has closed its own direction only is taken for gone; no driver does so.
func gone(socket net.Conn) bool {
	over := false
	open := control(socket, func(fd int) {
		var b [1]byte
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		over = n == 0 && err == nil || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.ETIMEDOUT)
	})
	return over || !open
}
