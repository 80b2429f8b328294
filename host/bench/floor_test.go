package bench_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// hash is one argon2id hash at the cost of those that the plugin makes.
func hash(b *testing.B) work {
	b.Helper()
	hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(19456), argon2.WithT(2), argon2.WithP(1))
	if err != nil {
		b.Fatal(err)
	}
	return work{name: "hash", do: func() error {
		_, err := hasher.Hash(hosttest.Password)
		return err
	}}
}

const page = 4096

// commit is what makes a bbolt transaction durable: pages written in place and
// synced, and then the page that makes them count.
func commit(b *testing.B) work {
	b.Helper()
	f := create(b, os.O_RDWR)
	const pages = 256
	if _, err := f.Write(make([]byte, pages*page)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, page)
	at := int64(0)
	write := func() error {
		at = (at + 1) % pages
		data[0]++
		if _, err := f.WriteAt(data, at*page); err != nil {
			return err
		}
		return datasync(f)
	}
	return work{name: "commit", do: func() error {
		if err := write(); err != nil {
			return err
		}
		return write()
	}}
}

// auditSync appends as much as a change's line in the audit log has.
func auditSync(b *testing.B) work {
	b.Helper()
	f := create(b, os.O_APPEND|os.O_WRONLY)
	line := make([]byte, 350)
	return work{name: "sync", do: func() error {
		if _, err := f.Write(line); err != nil {
			return err
		}
		return datasync(f)
	}}
}

func create(b *testing.B, flags int) *os.File {
	b.Helper()
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), flags|os.O_CREATE, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

// plainCall is an empty gRPC call to another process over a unix socket.
func plainCall(b *testing.B) work { return work{name: "grpc", do: health(b, "serve")} }

// twoHops is an empty gRPC call to a process that asks a plugin of its own with
// another.
func twoHops(b *testing.B) work { return work{name: "two-hops", do: health(b, "forward")} }

// pluginCall is an empty call to a plugin, over AutoMTLS.
func pluginCall(b *testing.B) work {
	p := emptyPlugin(b)
	b.Cleanup(p.Kill)
	client, err := p.Client()
	if err != nil {
		b.Fatal(err)
	}
	return work{name: "go-plugin", do: client.Ping}
}

// emptyPlugin is a plugin that does nothing, not started yet. The caller kills
// it.
func emptyPlugin(b *testing.B) *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "FLOOR_PLUGIN", MagicCookieValue: "floor"},
		Plugins:         goplugin.PluginSet{}, Cmd: exec.Command(hosttest.BuildPlain(b, "./host/bench/testdata/floor")),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, AutoMTLS: true, Logger: hclog.NewNullLogger(),
	})
}

// health starts a process that answers health checks, and returns one.
func health(b *testing.B, how string) func() error {
	b.Helper()
	dir, err := os.MkdirTemp("", "f") // short, since a socket lives in it
	if err != nil {
		b.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	b.Cleanup(func() { os.RemoveAll(dir) })
	serve(b, exec.Command(hosttest.BuildPlain(b, "./host/bench/testdata/floor"), how, socket))
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	client := grpc_health_v1.NewHealthClient(conn)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	}
}

// hello is a process that says hello.
func hello(b *testing.B) work {
	path := hosttest.BuildPlain(b, "./host/bench/testdata/hello")
	return work{name: "hello", do: func() error { return exec.Command(path).Run() }}
}
