package thrift

import (
	"net"
	"net/netip"
)

// strangers counts, by where they come from, the connections on which no token has
// been shown whose session lives. One address may have as many of them as there
// are places free then, which is half of the places at most: so that one stranger
// keeps nobody out, nor do some together, while programs that share an address,
// behind a proxy say, have room to log in. Who has logged in does not count.
type strangers map[netip.Prefix]int

func (s strangers) add(source netip.Prefix) { s[source]++ }

func (s strangers) remove(source netip.Prefix) {
	if s[source]--; s[source] == 0 {
		delete(s, source)
	}
}

// sourceOf returns what counts as one address. Of IPv6, one machine commonly has a
// whole network of 64 bits.
func sourceOf(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	source, _ := address.Prefix(bits) // which refuses no such number
	return source
}
