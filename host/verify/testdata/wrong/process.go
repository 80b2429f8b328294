package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/tap"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/process"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// behave does right what plugin.Serve would.
func behave() {
	process.ForbidCoreDumps()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGHUP)
	host := os.Getppid()
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			if os.Getppid() != host && !orphaned.Load() {
				syscall.Kill(os.Getpid(), syscall.SIGKILL) // an exit takes the race detector a second
			}
		}
	}()
}

var (
	orphaned atomic.Bool // it lives on without a host
	sick     atomic.Bool // its health service says so
	fragile  atomic.Bool // it ends at a method that is not there
	atEnd    = func() {} // called when the host has asked for the end
)

func intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if sick.Load() && info.FullMethod == grpc_health_v1.Health_Check_FullMethodName {
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
	}
	return handle(ctx, req)
}

func tapped(ctx context.Context, info *tap.Info) (context.Context, error) {
	if fragile.Load() && strings.HasSuffix(info.FullMethodName, "/Frobnicate") {
		os.Exit(1)
	}
	return ctx, nil
}

// Faults of the process itself.
var _ = add(map[string]fault{
	"never-shuts-down":           does(func() { atEnd = func() { select {} } }),
	"ends-with-another-status":   does(func() { atEnd = func() { os.Exit(3) } }),
	"waits-for-its-watches":      {users: func(u account.Users) account.Users { return waits{u} }},
	"ends-at-sigterm":            does(func() { endAt(syscall.SIGTERM) }),
	"ends-at-sighup":             does(func() { endAt(syscall.SIGHUP) }),
	"outlives-its-host":          does(func() { orphaned.Store(true) }),
	"reads-standard-input":       does(func() { go io.ReadFull(os.Stdin, make([]byte, 1)) }),
	"falls-ill":                  does(func() { sick.Store(true) }),
	"writes-files-for-all":       {users: func(u account.Users) account.Users { return writesForAll{u} }},
	"leaves-a-lock-in-configure": {users: func(u account.Users) account.Users { return locks{u} }},
	"prints-to-standard-output":  {users: func(u account.Users) account.Users { return prints{u, realStdout} }},
	"logs-endless-lines":         {users: func(u account.Users) account.Users { return rambles{u} }},
	"logs-a-password":            {users: func(u account.Users) account.Users { return logsPassword{u} }},
	"logs-a-hash":                {store: func(s users.Store) users.Store { return logsHash{s} }},
	"prints-a-hash-to-stderr":    {store: func(s users.Store) users.Store { return printsHash{s, func() io.Writer { return os.Stderr }} }},
	"prints-a-hash-to-stdout":    {store: func(s users.Store) users.Store { return printsHash{s, func() io.Writer { return os.Stdout }} }},
	"fails-to-write":             {store: func(s users.Store) users.Store { return failsToWrite{s} }},
	"fails-to-configure":         {users: func(u account.Users) account.Users { return failsToConfigure{u} }},
	"tells-a-password":           {users: func(u account.Users) account.Users { return tellsPassword{u} }},
	"leaks-memory":               {users: func(u account.Users) account.Users { return leaksMemory{u} }},
	"leaks-a-descriptor":         {users: func(u account.Users) account.Users { return leaksDescriptor{u} }},
	"leaks-a-goroutine":          {users: func(u account.Users) account.Users { return leaksGoroutine{u} }},
	"ends-at-an-unknown-method":  does(func() { fragile.Store(true) }),
})

// does makes a fault of something that happens when the backend is configured.
func does(f func()) fault {
	return fault{users: func(u account.Users) account.Users { f(); return u }}
}

func endAt(s syscall.Signal) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	go func() { <-c; syscall.Kill(os.Getpid(), syscall.SIGKILL) }()
}

// waits does not end once it has had a watch.
type waits struct{ account.Users }

func (w waits) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	atEnd = func() { select {} }
	return w.Users.Watch(ctx, requests, deliver)
}

type writesForAll struct{ account.Users }

func (w writesForAll) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	os.WriteFile(filepath.Join(c.Home, "accounts.txt"), []byte("all of them"), 0o644)
	return w.Users.Configure(ctx, c)
}

// locks takes a file for a lock that a killed process leaves.
type locks struct{ account.Users }

func (w locks) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	lock := filepath.Join(c.Home, "lock")
	if f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return account.Description{}, account.Unavailable("the store is locked")
	} else {
		f.Close()
	}
	time.Sleep(50 * time.Millisecond)
	defer os.Remove(lock)
	return w.Users.Configure(ctx, c)
}

type prints struct {
	account.Users
	to io.Writer
}

func (w prints) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	fmt.Fprintln(w.to, "a login")
	return w.Users.Authenticate(ctx, c)
}

type rambles struct{ account.Users }

func (w rambles) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	fmt.Fprintln(realStderr, strings.Repeat("on and on ", 10<<10))
	return w.Users.Authenticate(ctx, c)
}

type logsPassword struct{ account.Users }

func (w logsPassword) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	l, err := w.Users.Authenticate(ctx, c)
	if err != nil {
		hclog.Default().Warn("a failed login", "password", string(c.Password))
	}
	return l, err
}

// logsHash logs what it writes.
type logsHash struct{ users.Store }

func (w logsHash) Update(ctx context.Context, f func(users.Tx) error) (account.Revision, error) {
	return w.Store.Update(ctx, func(tx users.Tx) error { return f(loggingTx{tx}) })
}

type loggingTx struct{ users.Tx }

func (w loggingTx) Put(key users.Key, value []byte) error {
	hclog.Default().Debug("put", "name", key.Name, "value", string(value))
	return w.Tx.Put(key, value)
}

// printsHash prints what it writes where go-plugin takes it from.
type printsHash struct {
	users.Store
	to func() io.Writer // what go-plugin has put there
}

func (w printsHash) Update(ctx context.Context, f func(users.Tx) error) (account.Revision, error) {
	return w.Store.Update(ctx, func(tx users.Tx) error { return f(printingTx{tx, w.to()}) })
}

type printingTx struct {
	users.Tx
	to io.Writer
}

func (w printingTx) Put(key users.Key, value []byte) error {
	fmt.Fprintln(w.to, "put", string(value))
	return w.Tx.Put(key, value)
}

// failsToWrite has no room for jeff.
type failsToWrite struct{ users.Store }

func (w failsToWrite) Update(ctx context.Context, f func(users.Tx) error) (account.Revision, error) {
	return w.Store.Update(ctx, func(tx users.Tx) error { return f(fullTx{tx}) })
}

type fullTx struct{ users.Tx }

func (w fullTx) Put(key users.Key, value []byte) error {
	if key.Name == "jeff" {
		return errors.New("the disk is full")
	}
	return w.Tx.Put(key, value)
}

type failsToConfigure struct{ account.Users }

func (failsToConfigure) Configure(context.Context, account.Configuration) (account.Description, error) {
	hclog.Default().Info("it begins")
	return account.Description{}, errors.New("the disk is absent")
}

type tellsPassword struct{ account.Users }

func (w tellsPassword) CheckPassword(ctx context.Context, who account.Caller, r account.Password) (bool, error) {
	ok, err := w.Users.CheckPassword(ctx, who, r)
	if err != nil {
		err = account.Invalid("password", "cannot check %q", string(r.Password))
	}
	return ok, err
}

var kept atomic.Pointer[keptBytes]

type keptBytes struct {
	bytes []byte
	next  *keptBytes
}

type leaksMemory struct{ account.Users }

func (w leaksMemory) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	k := &keptBytes{bytes: []byte(strings.Repeat("x", 8<<10))}
	for k.next = kept.Load(); !kept.CompareAndSwap(k.next, k); k.next = kept.Load() {
	}
	return w.Users.Show(ctx, who, username)
}

type leaksDescriptor struct{ account.Users }

func (w leaksDescriptor) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	syscall.Open("/dev/null", syscall.O_RDONLY, 0)
	return w.Users.Watch(ctx, requests, deliver)
}

type leaksGoroutine struct{ account.Users }

func (w leaksGoroutine) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	for range 4 {
		go func() {
			<-make(chan struct{})
			<-ctx.Done()
		}()
	}
	return w.Users.Show(ctx, who, username)
}

// fromTheStart are faults that show before a backend is configured. They are
// named by the executable.
var fromTheStart = map[string]func(){
	"wants-tls": func() {
		if os.Getenv("PLUGIN_CLIENT_CERT") == "" {
			fmt.Fprintln(realStderr, "no TLS")
			os.Exit(1)
		}
	},
	"serves-strangers": serveAnybody,
	"knows-one-version": func() {
		if v := os.Getenv("PLUGIN_PROTOCOL_VERSIONS"); strings.Contains(v, ",") {
			os.Exit(1)
		}
	},
	"says-nothing-to-a-person": func() {
		if os.Getenv(wire.Handshake.MagicCookieKey) == "" {
			os.Exit(1)
		}
	},
	"greets-a-person": func() {
		if os.Getenv(wire.Handshake.MagicCookieKey) == "" {
			fmt.Println("welcome")
			fmt.Fprintln(realStderr, "this is a plugin")
			os.Exit(1)
		}
	},
	"waits-for-a-person": func() {
		if os.Getenv(wire.Handshake.MagicCookieKey) == "" {
			fmt.Fprintln(realStderr, "this is a plugin; press Enter")
			io.ReadFull(os.Stdin, make([]byte, 1))
		}
	},
}

// serveAnybody serves over TLS, and asks nobody for a certificate.
func serveAnybody() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, SerialNumber: big.NewInt(1),
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, _ := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	socket := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(realStderr, err)
		os.Exit(1)
	}
	logger := hclog.New(&hclog.LoggerOptions{Output: realStderr})
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	server := grpc.NewServer(append(wire.ServerOptions(logger), grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))...)
	healthy := health.NewServer()
	healthy.SetServingStatus("plugin", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, healthy)
	plugin := &wire.Plugin{Users: &backend{Users: users.New(users.Backend{Name: "wrong", Version: "1", Open: open}, logger)}, Logger: logger}
	plugin.GRPCServer(nil, server)
	fmt.Fprintf(realStdout, "1|1|unix|%s|grpc|%s\n", socket, base64.RawStdEncoding.EncodeToString(der))
	behave()
	server.Serve(listener)
}
