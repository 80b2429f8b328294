package host

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// localhost is every loopback address that the machine has, whatever its
// resolver makes of the name.
const localhost = "localhost"

// listenTCP makes the sockets of HOST:PORT, all with one port. An error names the
// setting.
func listenTCP(setting, address string) (all []net.Listener, err error) {
	name, port, err := net.SplitHostPort(address)
	if err == nil && name == localhost {
		all, err = listenLoopback(port)
	} else if err == nil {
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			all = append(all, l)
		}
	}
	if err == nil {
		return all, nil
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err // it repeats the address
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen at %s, see %s: something else listens there already (%w)", address, setting, err)
	}
	return nil, fmt.Errorf("cannot listen at %s, see %s: %w", address, setting, err)
}

// mostTries bounds the search for a port that is free at both loopback addresses.
const mostTries = 16

// listenLoopback listens at 127.0.0.1 and at ::1, or at the one that there is. A
// port that another process has at either is taken: who connects to localhost may
// reach that one.
func listenLoopback(port string) ([]net.Listener, error) {
	for try := 1; ; try++ {
		v4, err4 := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", port))
		if err4 != nil && !isMissing(err4) {
			return nil, err4
		}
		same := port
		if err4 == nil {
			same = strconv.Itoa(portOf(v4))
		}
		v6, err6 := net.Listen("tcp6", net.JoinHostPort("::1", same))
		switch {
		case err4 == nil && err6 == nil:
			return []net.Listener{v4, v6}, nil
		case err4 == nil && isMissing(err6):
			return []net.Listener{v4}, nil
		case err6 == nil:
			return []net.Listener{v6}, nil
		case err4 != nil:
			return nil, err4
		}
		v4.Close()
		if same == port || try == mostTries {
			return nil, err6
		}
	}
}

// isMissing reports whether the machine lacks the address, or the whole of IPv6
// or IPv4.
func isMissing(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
