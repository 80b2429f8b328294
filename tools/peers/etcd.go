package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcd is one member that is its own cluster, and asks who its clients are.
type etcd struct {
	program  string
	dir      string
	process  *process // nil: it does not run
	socket   string
	password string
	clients  []*clientv3.Client // each caller's, with root's token
	users    atomic.Int64
}

// account is who logs in at each peer.
const account = "account"

func openEtcd(ctx context.Context, dir string) (server, error) {
	program, err := buildEtcd(ctx)
	if err != nil {
		return nil, err
	}
	e := &etcd{program: program, dir: dir, socket: filepath.Join(dir, "clients"), password: rand.Text()}
	return e, e.afresh(ctx)
}

// afresh starts it over nothing. With every new user etcd reads all that it has,
// so a result would tell how many the ones before it have made.
func (e *etcd) afresh(ctx context.Context) (err error) {
	e.end()
	data := filepath.Join(e.dir, "data")
	for _, left := range []string{data, e.socket, filepath.Join(e.dir, "peers")} {
		if err := os.RemoveAll(left); err != nil {
			return err
		}
	}
	const itself = "http://localhost:2380" // nobody calls it
	cmd := exec.Command(e.program,
		"--name", "peer", "--data-dir", data, "--log-level", "error",
		"--listen-client-urls", "unix://"+e.socket, "--advertise-client-urls", "http://localhost:2379",
		"--listen-peer-urls", "unix://peers", "--initial-advertise-peer-urls", itself, "--initial-cluster", "peer="+itself,
	)
	cmd.Dir, cmd.Env = e.dir, []string{"PATH=" + os.Getenv("PATH")}
	if e.process, err = start(cmd, syscall.SIGKILL, nil); err != nil {
		return err
	}
	return e.admit(ctx)
}

// buildEtcd returns the server's path, where Go keeps what it has built.
func buildEtcd(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile="+filepath.Join("etcd", "go.mod"), "-n", "go.etcd.io/etcd/server/v3")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build it in the directory tools: %w\n%s", err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// admit makes the users, and the callers' connections.
func (e *etcd) admit(ctx context.Context) error {
	if err := e.process.ready(ctx, func() error {
		c, err := net.Dial("unix", e.socket) // a client that finds no socket would wait for a second
		if err == nil {
			c.Close()
		}
		return err
	}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := e.dial("")
	if err != nil {
		return err
	}
	defer c.Close()
	var errs []error
	for _, name := range []string{"root", account} {
		_, err := c.UserAdd(ctx, name, e.password)
		errs = append(errs, err)
	}
	_, err = c.UserGrantRole(ctx, "root", "root")
	errs = append(errs, err)
	_, err = c.AuthEnable(ctx)
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	root, err := c.Authenticate(ctx, "root", e.password)
	if err != nil {
		return err
	}
	for range most {
		c, err := e.dial(root.Token)
		if err != nil {
			return err
		}
		e.clients = append(e.clients, c)
		if _, err := c.UserGet(ctx, account); err != nil { // it connects with the first call
			return err
		}
	}
	return nil
}

func (e *etcd) dial(token string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + e.socket}, Token: token, Logger: zap.NewNop()})
}

func (e *etcd) operations() []operation {
	return []operation{
		{name: "Authenticate", callers: all, do: func(ctx context.Context, caller int) error {
			_, err := e.clients[caller].Authenticate(ctx, account, e.password)
			return err
		}},
		{name: "UserAdd", callers: alone, before: e.afresh, do: func(ctx context.Context, caller int) error {
			_, err := e.clients[caller].UserAdd(ctx, e.name(), e.password)
			return err
		}},
		{name: "UserAddNoPassword", callers: all, before: e.afresh, do: func(ctx context.Context, caller int) error {
			_, err := e.clients[caller].UserAddWithOptions(ctx, e.name(), "", &clientv3.UserAddOptions{NoPassword: true})
			return err
		}},
	}
}

// name is nobody's yet.
func (e *etcd) name() string { return fmt.Sprintf("user%d", e.users.Add(1)) }

func (e *etcd) end() {
	for _, c := range e.clients {
		c.Close()
	}
	e.clients = nil
	if e.process != nil {
		e.process.end()
		e.process = nil
	}
}
