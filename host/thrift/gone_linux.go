package thrift

import (
	"net"

	"golang.org/x/sys/unix"
)

// gone reports whether nothing more will come from a socket. What has come and was
// not taken, as the next call or the end of TLS, does not matter. A client that
// has closed its own direction only is taken for gone; no driver does so.
func gone(socket net.Conn) bool {
	over := false
	open := control(socket, func(fd int) {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(p[:], 0)
		over = err == nil && n > 0
	})
	return over || !open
}
