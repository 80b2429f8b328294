package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/cinchapi/concourse-users/shared/wire"
)

var handshakeCases = []Case{
	{
		Name: "handshake/says-where-it-serves",
		Contract: `go-plugin's handshake: the first line of standard output is "1|PROTOCOL|unix|SOCKET|grpc|CERTIFICATE", ` +
			`the socket in the directory that ` + goplugin.EnvUnixSocketDir + ` names, and the certificate there if the host gave one in PLUGIN_CLIENT_CERT`,
		run: func(t *T) {
			p := t.start(bare{identity: t.identity()})
			g := t.greets(p)
			if g.core != strconv.Itoa(goplugin.CoreProtocolVersion) || g.network != "unix" || g.kind != string(goplugin.ProtocolGRPC) {
				t.Errorf("core protocol %q, network %q and protocol %q, want %d, \"unix\" and \"grpc\"", g.core, g.network, g.kind, goplugin.CoreProtocolVersion)
			}
			if g.protocol != strconv.Itoa(wire.Protocol) {
				t.Errorf("it speaks version %q of the contract, want %d", g.protocol, wire.Protocol)
			}
			inside, err := filepath.Rel(p.dir, g.address)
			if err != nil || !filepath.IsLocal(inside) {
				t.Errorf("it listens at %q, want a socket in %s", g.address, p.dir)
			}
			if info, err := os.Stat(g.address); err != nil || info.Mode().Type() != os.ModeSocket {
				t.Errorf("%q is no socket (%s)", g.address, describe(err))
			}
			if g.certificate == "" && !t.run.subject.WithoutTLS {
				t.Errorf("the handshake has no certificate, although the host gave its own")
			}
		},
	},
	{
		Name:     "handshake/chooses-a-version-that-it-speaks",
		Contract: `PLUGIN_PROTOCOL_VERSIONS lists the versions of the contract that the host speaks, in any order; the handshake names one that both speak`,
		run: func(t *T) {
			g := t.greets(t.start(bare{versions: fmt.Sprintf("%d,%d", 9999, wire.Protocol)}))
			if g.protocol != strconv.Itoa(wire.Protocol) {
				t.Errorf("it speaks version %q of the contract, want %d", g.protocol, wire.Protocol)
			}
		},
	},
	{
		Name:     "handshake/refuses-strangers",
		Contract: `design rule 10, AutoMTLS: with PLUGIN_CLIENT_CERT set, only whoever holds the key of that certificate is served`,
		run: func(t *T) {
			if t.run.subject.WithoutTLS {
				t.Lacks("AutoMTLS")
			}
			ours := t.identity()
			g := t.greets(t.start(bare{identity: ours}))
			if err := t.health(t.dial(g, ours.trust(t, g))); err != nil {
				t.Fatalf("the host itself is refused: %v", err)
			}
			for _, stranger := range []struct {
				who  string
				with credentials.TransportCredentials
			}{
				{"who has no certificate", (*identity)(nil).stranger()},
				{"with a certificate of its own", t.identity().stranger()},
				{"who speaks no TLS", insecure.NewCredentials()},
			} {
				if t.health(t.dial(g, stranger.with)) == nil {
					t.Errorf("a stranger %s is served", stranger.who)
				}
			}
			garbage, err := net.Dial("unix", g.address)
			t.OK(err, "connect to the socket")
			defer garbage.Close()
			io.WriteString(garbage, strings.Repeat("garbage", 1000))
			if err := t.health(t.dial(g, ours.trust(t, g))); err != nil {
				t.Errorf("after the strangers the host itself is refused: %v", err)
			}
		},
	},
	{
		Name:     "handshake/serves-without-tls",
		Contract: `go-plugin's handshake: without PLUGIN_CLIENT_CERT it serves without TLS, and its handshake has no certificate`,
		run: func(t *T) {
			p := t.Launch(Launch{WithoutTLS: true})
			p.configure()
			p.begin()
			p.Show(p.Admin.Username)
		},
	},
	{
		Name:     "handshake/tells-a-person",
		Contract: `started without ` + wire.Handshake.MagicCookieKey + `, by a person, it says on standard error that it is a plugin, prints nothing on standard output, and ends with another status than 0`,
		run: func(t *T) {
			stdin, keyboard, err := os.Pipe()
			t.OK(err, "make a pipe")
			t.cleanup(func() { keyboard.Close() })
			defer stdin.Close()
			p := t.start(bare{byPerson: true, stdin: stdin})
			select {
			case <-p.exited:
			case <-time.After(startBound):
				t.Fatalf("it did not end within %s", startBound)
			}
			if p.cmd.ProcessState.ExitCode() == 0 {
				t.Errorf("it ended with %s, want another status", p.cmd.ProcessState)
			}
			said := func() string { return strings.TrimSpace(string(p.output.text("stderr"))) }
			for began := time.Now(); said() == "" && time.Since(began) < time.Second; time.Sleep(5 * time.Millisecond) {
			}
			if said() == "" {
				t.Errorf("it said nothing on standard error")
			}
			if line := <-p.greeting; line != "" {
				t.Errorf("it printed %.200q to standard output", line)
			}
		},
	},
	{
		Name:     "handshake/is-healthy",
		Contract: `gRPC's health service answers SERVING for the service "plugin" from the handshake to the end, whatever else is under way`,
		run: func(t *T) {
			p := t.Open()
			w := p.Watch()
			for i := range 20 {
				if err := t.health(p.process.Conn()); err != nil {
					t.Fatalf("check %d, of a configured backend: %v", i+1, err)
				}
				w.Beat(uint64(i + 1))
			}
		},
	},
}

// health asks the health service as the host does.
func (t *T) health(c grpc.ClientConnInterface) error {
	ctx, cancel := t.Within(startBound)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("the health service answers %s, want SERVING", answer.GetStatus())
	}
	if t.ctx.Err() == context.DeadlineExceeded {
		t.Fatalf("the case's time ran out during a health check")
	}
	return err
}
