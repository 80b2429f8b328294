// Command backend is a users plugin that misbehaves on demand: before its
// handshake by the name it is run under, afterwards by the settings it is
// configured with and the usernames it is asked about.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

var realStdout, realStderr = os.Stdout, os.Stderr // go-plugin replaces both

func main() {
	switch filepath.Base(os.Args[0]) {
	case "deaf":
		l, err := net.Listen("unix", filepath.Join(os.Getenv(goplugin.EnvUnixSocketDir), "deaf"))
		if err != nil {
			panic(err)
		}
		fmt.Printf("1|%d|unix|%s|grpc|\n", wire.Protocol, l.Addr())
		for {
			l.Accept()
		}
	case "slow":
		time.Sleep(300 * time.Millisecond)
	}
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: realStderr, JSONFormat: true})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(&backend{logger: logger}, logger),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, wire.ServerOptions(logger)...)...)
		},
		Logger: logger,
	})
}

type backend struct {
	account.Users // the rest is never asked for
	logger        hclog.Logger
	home          string
	stream        string // what a backup or a restore does
}

// note appends a line to a file in the home, where the test reads it.
func (b *backend) note(file, line string) {
	f, err := os.OpenFile(filepath.Join(b.home, file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

func (b *backend) noted(file, line string) bool {
	text, _ := os.ReadFile(filepath.Join(b.home, file))
	return slices.Contains(strings.Split(string(text), "\n"), line)
}

// count returns how many lines of a file begin so.
func (b *backend) count(file, prefix string) (n int) {
	text, _ := os.ReadFile(filepath.Join(b.home, file))
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func (b *backend) Configure(ctx context.Context, c account.Configuration) (account.Description, error) {
	b.home, b.stream = c.Home, c.Settings["stream"]
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		b.note("environment", name)
	}
	if n, err := os.Stdin.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		b.note("stdin", "not empty")
	}
	switch c.Settings["configure"] {
	case "refuse":
		return account.Description{}, account.Invalid("plugin.settings.configure", "%q is not a setting", "configure")
	case "hang":
		select {}
	case "crash":
		fmt.Fprintln(realStderr, "the disk is on fire")
		os.Exit(9)
	}
	return account.Description{Name: "backend", Version: "1.0", Capabilities: capabilities(c.Settings), StoreID: "store"}, nil
}

// capabilities are all, unless the settings name others.
func capabilities(settings map[string]string) []string {
	if named, ok := settings["capabilities"]; ok {
		return strings.Fields(named)
	}
	return []string{"trouble", "change", "apply", "export", "backup", "recover", "restore"}
}

func (b *backend) Show(ctx context.Context, who account.Caller, username string) (account.Account, error) {
	first := !b.noted("shown", username)
	b.note("shown", username)
	switch username {
	case "crash-once":
		if first {
			os.Exit(7)
		}
	case "crash":
		os.Exit(7)
	case "hang":
		select {}
	case "hang-once":
		if first {
			select {}
		}
	case "stop":
		if first {
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			select {} // the signal may take effect a little later
		}
	case "unavailable":
		return account.Account{}, status.Error(codes.Unavailable, "no store today")
	case "internal":
		return account.Account{}, fmt.Errorf("a cause for the log")
	case "stranger":
		return named("somebody"), nil
	case "nameless":
		return account.Account{}, nil
	case "child":
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout, child.Stderr = realStdout, realStderr
		if err := child.Start(); err != nil {
			return account.Account{}, err
		}
		b.note("child", fmt.Sprint(child.Process.Pid))
	}
	sleep(username)
	return named(username), nil
}

// sleep sleeps for 2s if the name is "sleeps-2s".
func sleep(name string) {
	if text, ok := strings.CutPrefix(name, "sleeps-"); ok {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		time.Sleep(d)
	}
}

func named(username string) account.Account {
	return account.Account{ID: account.NewID(), Username: username, Role: account.User, Enabled: true}
}

// Exists makes noise.
func (b *backend) Exists(ctx context.Context, username string) (bool, error) {
	switch username {
	case "flood":
		for i := range 100_000 {
			fmt.Fprintf(realStderr, "[INFO] line %d\n", i)
		}
	case "giant":
		for range 10 << 10 {
			fmt.Fprint(realStderr, strings.Repeat("x", 1<<10))
		}
		fmt.Fprintln(realStderr)
	case "stdout":
		for range 10 << 10 {
			fmt.Fprint(realStdout, strings.Repeat("y", 1<<10))
		}
		fmt.Fprintln(realStdout)
		fmt.Println("through the stream")
	case "strange":
		fmt.Fprintln(realStderr, `{"@message":1,"@level":{},"@timestamp":2}`)
		fmt.Fprintln(realStderr, `{"@message":"red \u001b[31m\nforged","@level":"warn","key":"a\u202eb","n":{"deep":[1]}}`)
		fmt.Fprintln(realStderr, "[ERROR] bell \a and \xff")
	}
	b.logger.Info("noise is over", "about", username)
	return true, nil
}

func (b *backend) List(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
	switch after {
	case "huge":
		var page []account.Account
		for i := range account.MaxBatch {
			a := named(fmt.Sprintf("user%04d", i))
			for j := range 120 {
				a.Grants = a.Grants.With(fmt.Sprintf("an_environment_with_a_long_name_%d", j), account.Read)
			}
			page = append(page, a)
		}
		return page, "", nil
	case "unsorted":
		return []account.Account{named("z"), named("y")}, "", nil
	case "before":
		return []account.Account{named("a")}, "", nil
	case "loop":
		return []account.Account{named("m")}, "l", nil
	}
	return []account.Account{named("y"), named("z")}, "z", nil
}

func (b *backend) Sessions(ctx context.Context, who account.Caller, rows []account.Session) ([]account.Session, error) {
	switch who.Username {
	case "reverses":
		slices.Reverse(rows)
	case "adds":
		rows = append(rows, rows[0])
	case "shouts":
		rows[0].Note = strings.Repeat("!", account.MaxNote+1)
	default:
		for i := range rows {
			rows[i].Note, rows[i].Username, rows[i].Role = "seen", "forged", account.Admin
		}
		rows = rows[1:]
	}
	return rows, nil
}

func (b *backend) Create(ctx context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	acts := strings.Split(r.Username, "+") // for the first attempt, the second, …
	act := acts[min(b.count("created", r.Username+" "), len(acts)-1)]
	b.note("created", r.Username+" "+in.RequestID.String())
	switch act {
	case "crash":
		os.Exit(7)
	case "hang":
		select {}
	case "unavailable":
		return account.Change{}, status.Error(codes.Unavailable, "no store today")
	case "throttled":
		return account.Change{}, account.Throttled(time.Second)
	case "internal":
		return account.Change{}, fmt.Errorf("a cause for the log")
	case "unknown": // under an id that nobody has asked with
		return account.Change{}, account.OutcomeUnknown(account.NewRequestID(time.Now()))
	case "panic":
		panic("before or after")
	case "huge":
		return account.Change{Changed: true, Account: named(r.Username), Note: strings.Repeat("x", wire.MaxMessage)}, nil
	case "stranger":
		return account.Change{Changed: true, Account: named("somebody")}, nil
	case "nobody":
		return account.Change{Changed: true}, nil
	case "unimplemented": // as in another language, whose library answers for what is not there
		return account.Change{}, status.Error(codes.Unimplemented, "method Create not implemented")
	case "expired":
		e := account.Invalid("request_id", "it is too old")
		e.Reason = account.ReasonRequestExpired
		return account.Change{}, e
	case "future":
		return account.Change{}, account.Invalid("request_id", "it is from the future")
	}
	sleep(act)
	return account.Change{Changed: true, Account: named(r.Username)}, nil
}

// Apply and Plan answer by the name.
func (b *backend) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	first := !b.noted("applied", in.RequestID.String())
	b.note("applied", in.RequestID.String())
	if d.Username == "crash-once" && first {
		os.Exit(7)
	}
	before := named(d.Username)
	a := account.Applied{Change: account.Change{Changed: true, Account: before}, Before: &before}
	switch d.Username {
	case "stranger":
		a.Account.Username = "somebody"
	case "another":
		a.Account.ID = account.NewID()
	case "secretly":
		a.Changed, a.PasswordSet = false, true
	case "demoted":
		a.Changed, before.Role = false, account.Admin
	case "nothing":
		a.Changed, a.Before = false, nil
	case "gone":
		a.Gone = true
	}
	return a, nil
}

func (b *backend) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	return b.Apply(ctx, account.Invocation{RequestID: account.NewRequestID(time.Now())}, d)
}

func (b *backend) Export(ctx context.Context, who account.Caller, after string) ([]account.Exported, string, error) {
	page, next, err := b.List(ctx, who, after)
	var out []account.Exported
	for _, a := range page {
		out = append(out, account.Exported{Account: a, PasswordHash: account.Secret("hash")})
	}
	return out, next, err
}

// chunk is what fills one message of a backup.
const chunk = 64 << 10

func (b *backend) Backup(ctx context.Context, w io.Writer) error {
	b.note("streams", "backup")
	switch b.stream {
	case "mute":
		select {}
	case "gathers":
		for range 10 {
			time.Sleep(200 * time.Millisecond)
			if _, err := w.Write(nil); err != nil {
				return err
			}
		}
	}
	for range 12 {
		if _, err := w.Write(make([]byte, chunk)); err != nil {
			return err
		}
		switch b.stream {
		case "slow":
			time.Sleep(200 * time.Millisecond)
		case "crash":
			time.Sleep(200 * time.Millisecond) // the chunk gets through
			os.Exit(7)
		case "hang":
			select {}
		}
	}
	return nil
}

func (b *backend) Restore(ctx context.Context, r io.Reader) (account.Restored, error) {
	b.note("streams", "restore")
	if b.stream == "crash" {
		io.ReadFull(r, make([]byte, chunk))
		os.Exit(7)
	}
	n, err := io.Copy(io.Discard, r)
	if b.stream == "slow" {
		time.Sleep(2 * time.Second)
	}
	return account.Restored{Accounts: uint64(n), StoreID: "another"}, err
}

// Initialize commits and dies before it answers, the first time.
func (b *backend) Initialize(ctx context.Context, first account.FirstAdministrator) (account.Initialized, error) {
	if first.Username == "internal" {
		return account.Initialized{}, fmt.Errorf("a cause for the log")
	}
	if b.noted("initialized", first.RequestID.String()) {
		return account.Initialized{Changed: true}, nil
	}
	b.note("initialized", first.RequestID.String())
	os.Exit(7)
	return account.Initialized{}, nil
}

// Recover answers by the name.
func (b *backend) Recover(ctx context.Context, r account.Recovery) (account.Change, error) {
	if r.Username == "internal" {
		return account.Change{}, fmt.Errorf("a cause for the log")
	}
	return account.Change{Changed: true, Account: named("somebody")}, nil
}

func (b *backend) Authenticate(ctx context.Context, c account.Credentials) (account.Login, error) {
	if string(c.Password) != "right" {
		return account.Login{}, account.NotAuthenticated()
	}
	return account.Login{Account: named(c.Username)}, nil
}

func (b *backend) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	for {
		select {
		case r, ok := <-requests:
			if !ok {
				return nil
			}
			if err := deliver(account.WatchEvent{Heartbeat: &account.Heartbeat{Number: r.Heartbeat}}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
