package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Values of Management.Port besides ports.
const (
	PortOff  = -1
	PortAuto = -2 // CompanionPort of the client port, once that is known
)

// CompanionPort returns where the original's tools look for the management
// service of a server with a client port.
func CompanionPort(client int) int {
	const dynamic = 49152 // the first of the ports that nobody registers
	const span = 1<<14 - 1
	port := client
	for range 4 {
		if port >= span {
			port %= span
		}
		port += dynamic
	}
	return port
}

// everyInterface is an address from a bare port, which is all that the original
// lets be set.
func everyInterface(port string) string {
	if port == "" {
		return ""
	}
	return ":" + port
}

func setListen(to *string, text string) error {
	*to = text
	if text == "" {
		return nil
	}
	_, _, err := splitAddress(text, "use one such as localhost:1717, or :1717 for every interface")
	return err
}

func setDial(to *string, text string) error {
	*to = text
	if text == "" {
		return nil
	}
	const use = "use one such as localhost:1718"
	host, port, err := splitAddress(text, use)
	switch {
	case err != nil:
		return err
	case host == "":
		return fmt.Errorf("%s names no host; %s", quote(text), use)
	case port == 0:
		return fmt.Errorf("%s names no port; %s", quote(text), use)
	}
	return nil
}

func setManagementPort(to *int, text string) error {
	switch strings.ToLower(text) {
	case "", "off", "false": // YAML of old writes off for false
		*to = PortOff
		return nil
	case "auto":
		*to = PortAuto
		return nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("%s is not a port; use off, auto, or a number up to 65535", quote(text))
	}
	*to = int(port)
	return nil
}

// splitAddress reads HOST:PORT, whose host may be empty.
func splitAddress(text, use string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '/' }) {
		return "", 0, fmt.Errorf("%s is not an address with a port; %s", quote(text), use)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%s is not a port; use a number up to 65535", quote(digits))
	}
	return host, int(n), nil
}

// isOwn reports whether it is plain that who connects to the one address reaches
// the listener at the other. What names mean is not asked: that may change.
func isOwn(dialled, listener string) bool {
	if listener == "" {
		return false
	}
	to, port, _ := splitAddress(dialled, "")
	at, own, _ := splitAddress(listener, "")
	return port == own && slices.ContainsFunc(reachedAs(to), func(one string) bool {
		return slices.Contains(reachedAs(at), one) || isEvery(at) && isLoopback(one)
	})
}

// reachedAs returns what a host may mean to who connects to it: addresses, or a
// name that is not the machine's own.
func reachedAs(host string) []string {
	ip, err := netip.ParseAddr(host)
	switch {
	case strings.EqualFold(host, "localhost"), isEvery(host):
		return []string{"127.0.0.1", "::1"}
	case err == nil:
		return []string{ip.Unmap().String()}
	}
	return []string{strings.ToLower(host)}
}

func isEvery(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
