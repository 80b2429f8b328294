package host

import (
	"math"
	"syscall"

	"github.com/cinchapi/concourse-users/host/config"
)

// reserve is how many files a host may need open besides the connections of its
// front: for its listeners, the management socket, the metrics, the plugin, the
// audit log, and what waits to be closed.
const reserve = 128

// mostTools is how many connections tools of the original may have open.
const mostTools = 256

// places are how many connections may be open at once.
type places struct{ clients, tools, upstream int }

// places returns those that the settings ask for, if the limit of open files has
// room for them, and fewer otherwise: strangers could keep administrators out if
// they took every file that may be open.
func (r *running) places() places {
	s := r.settings
	var asked places
	if s.Client.Address != "" {
		asked.clients = s.Client.MaxConnections
	}
	if s.Management.Port != config.PortOff {
		asked.tools = mostTools
	}
	if s.Upstream.Address != "" {
		asked.upstream = s.Upstream.MaxConnections
	}
	limit := mostFiles()
	got := asked.within(limit)
	if got != asked {
		r.logger.Warn("too few files may be open for all the connections that the settings allow, so fewer are; raise the limit (LimitNOFILE= in the unit file), or lower client.max_connections",
			"limit", limit, "needed", asked.sum()+reserve, "clients", got.clients, "tools", got.tools, "upstream", got.upstream)
	}
	return got
}

func (p places) sum() int { return p.clients + p.tools + p.upstream }

// within returns as many places as leave the reserve, or half of a limit that is
// too low even for that.
func (p places) within(limit int) places {
	room := limit - min(reserve, limit/2)
	if p.sum() <= room {
		return p
	}
	p.tools, p.upstream = min(p.tools, room/4), min(p.upstream, room/4)
	p.clients = min(p.clients, room-p.tools-p.upstream)
	return p
}

// mostFiles returns how many files this process may have open. Package os has
// raised the limit as far as it may be before main began.
func mostFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return math.MaxInt32
	}
	return int(min(uint64(l.Cur), math.MaxInt32))
}
