package host

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/metrics"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

// leaveWithin is for what the relay still has to tell the upstream when the host
// stops.
const leaveWithin = 5 * time.Second

// front is where drivers and tools of the original come in, and the relay behind
// it.
type front struct {
	*running
	places     places
	relay      *relay.Relay                  // nil: there is no upstream
	clients    *port                         // nil: off
	management *port                         // nil: off
	served     atomic.Pointer[thrift.Server] // of clients; nil: not yet
}

// port is a port that is open. It is served once there is a gate.
type port struct {
	name        string // in errors
	at          string // as a person reads it
	listeners   []net.Listener
	certificate *thrift.Certificate // nil: no TLS
	tlsSetting  string              // names the certificate
	server      *thrift.Server      // nil: not yet
}

// openFront opens the ports that the settings name and reads what they take, so
// that what cannot be is refused before a plugin is started. The front's leave
// must follow.
func (r *running) openFront() (_ *front, err error) {
	f := &front{running: r, places: r.places()}
	defer func() {
		if err != nil {
			f.leave()
		}
	}()
	s := r.settings
	if s.Client.Address != "" {
		if f.clients, err = r.openPort("clients", s.Client.Address, s.Client.TLS, "client.address", "client.tls.certificate"); err != nil {
			return nil, err
		}
	}
	if at := s.Management.Port; at != config.PortOff {
		if at == config.PortAuto {
			at = config.CompanionPort(portOf(f.clients.listeners[0]))
		}
		address := net.JoinHostPort(localhost, strconv.Itoa(at))
		if f.management, err = r.openPort("tools of the original", address, s.Management.TLS, "management.port", "management.tls.certificate"); err != nil {
			return nil, err
		}
	}
	if s.Upstream.Address != "" {
		f.relay, err = r.newRelay(f.places.upstream)
	}
	return f, err
}

// openPort opens a port; an error names the one or the other setting.
func (r *running) openPort(name, address string, t config.TLS, setting, tlsSetting string) (*port, error) {
	p := &port{name: name, tlsSetting: tlsSetting}
	if t.Certificate != "" {
		logger := r.logger.Named("tls")
		warn := func(err error) { logger.Warn(err.Error(), "for", name) }
		var err error
		if p.certificate, err = thrift.LoadCertificate(r.inHome(t.Certificate), r.inHome(t.Key), warn); err != nil {
			return nil, account.Invalid(tlsSetting, "cannot use %s: %v", tlsSetting, err)
		}
	}
	var err error
	if p.listeners, err = listenTCP(setting, address); err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	p.at = net.JoinHostPort(host, strconv.Itoa(portOf(p.listeners[0])))
	if p.certificate != nil {
		p.at += " with TLS"
	}
	return p, nil
}

func (r *running) newRelay(most int) (*relay.Relay, error) {
	u := r.settings.Upstream
	password := u.Password
	if u.PasswordFile != "" {
		const setting = "upstream.password_file"
		path := r.inHome(u.PasswordFile)
		// Who may read it can do to the upstream whatever the host can.
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 != 0 {
			return nil, account.Invalid(setting, "everybody may read %s, see %s; run chmod o-r on it", path, setting)
		}
		var err error
		if password, err = readPassword(setting, path); err != nil {
			return nil, err
		}
	}
	return relay.New(relay.Options{
		Address: u.Address, Username: u.Username, Password: password, Environment: r.settings.DefaultEnvironment,
		MaxConnections: most, ReplyTimeout: u.ReplyTimeout, MaxMessage: r.settings.Client.MaxMessage,
		Logger: r.logger.Named("relay"),
	}), nil
}

// inHome returns a path of the settings, which are relative to the home.
func (r *running) inHome(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.home.Path(), path)
}

// changed is for session.Options, and sessionEnded for the gate.
func (f *front) changed() func(username string) {
	if f.relay == nil {
		return nil
	}
	return f.relay.Changed
}

func (f *front) sessionEnded() func(*session.Session, session.Cause) {
	if f.relay == nil {
		return nil
	}
	return f.relay.SessionEnded
}

// serve serves the ports through the gate until stop. A listener that fails is
// reported.
func (f *front) serve(g *gate.Gate, parts *sync.WaitGroup, failed func(error)) {
	s := f.settings
	o := thrift.Options{
		Gate: g, Relay: f.relay, DefaultEnvironment: s.DefaultEnvironment,
		MaxMessage: s.Client.MaxMessage, FirstByte: s.Client.FirstByte,
	}
	if p := f.clients; p != nil {
		o := o
		o.MaxConnections = f.places.clients
		o.Logger, o.Certificate, o.TLSSetting, o.Refused = f.logger.Named("clients"), p.certificate, p.tlsSetting, f.metrics.CallRefused
		p.server = thrift.NewClients(o)
		f.served.Store(p.server)
	}
	if p := f.management; p != nil {
		o.MaxConnections = f.places.tools
		o.Logger, o.Certificate, o.TLSSetting = f.logger.Named("tools"), p.certificate, p.tlsSetting
		p.server = thrift.NewManagement(o)
	}
	for _, p := range f.ports() {
		for _, l := range p.listeners {
			parts.Go(func() {
				if err := p.server.Serve(l); err != nil {
					failed(fmt.Errorf("the listener for %s: %w", p.name, err))
				}
			})
		}
	}
}

// figures are how the client port and the relay do.
func (f *front) figures() metrics.Clients {
	c := metrics.Clients{MostConnections: f.places.clients}
	if s := f.served.Load(); s != nil {
		c.Connections = s.Connections()
	}
	if f.relay != nil {
		c.Relay = f.relay.Figures()
	}
	return c
}

// announce says where drivers and tools find the host, and where drivers' calls
// go.
func (f *front) announce() {
	if f.clients != nil {
		fmt.Fprintf(f.Out, "Clients reach it at %s\n", f.clients.at)
		if f.relay != nil {
			fmt.Fprintf(f.Out, "Calls are passed on to %s\n", f.relay.Address)
		}
	}
	if f.management != nil {
		fmt.Fprintf(f.Out, "Tools of the original reach it at %s\n", f.management.at)
	}
}

// tryUpstream has the log say what is wrong with the upstream, if anything is. It
// waits for nothing.
func (f *front) tryUpstream() {
	if f.clients != nil && f.relay != nil {
		f.relay.Try()
	}
}

// stop ends the ports: calls under way may finish for a while.
func (f *front) stop(patience time.Duration) {
	var all sync.WaitGroup
	for _, p := range f.ports() {
		if p.server != nil {
			all.Go(func() { p.server.Stop(patience) })
		}
	}
	all.Wait()
}

// leave closes what was opened, once nobody is served any more, and leaves nothing
// of this host's upstream.
func (f *front) leave() {
	for _, p := range f.ports() {
		for _, l := range p.listeners {
			l.Close()
		}
	}
	if f.relay == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	if err := f.relay.Close(ctx); err != nil {
		f.logger.Warn("transactions or logins of this host may be left on the data server", "error", err)
	}
}

func (f *front) ports() (open []*port) {
	for _, p := range []*port{f.clients, f.management} {
		if p != nil {
			open = append(open, p)
		}
	}
	return open
}
