package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgres is a server with its own settings, but for who may connect, and
// where.
type postgres struct {
	process     *process
	dir         string
	password    string
	config      *pgx.ConnConfig
	connections []*pgx.Conn // each caller's, as the superuser
	roles       atomic.Int64
}

const superuser = "superuser"

func openPostgres(ctx context.Context, dir string) (server, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	as, err := someoneElse()
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port, config.Database, config.Fallbacks = dir, 5432, "postgres", nil
	p := &postgres{dir: dir, password: rand.Text(), config: config}
	if err := p.initialize(ctx, filepath.Join(programs, "initdb"), as); err != nil {
		return nil, err
	}
	cmd := p.command(filepath.Join(programs, "postgres"), "-D", p.data(), "-k", dir,
		"-c", "listen_addresses=", "-c", "max_connections=256", "-c", "fsync=on", "-c", "log_min_messages=fatal")
	// SIGQUIT makes it end at once, with its children.
	if p.process, err = start(cmd, syscall.SIGQUIT, as); err != nil {
		return nil, err
	}
	return p, p.admit(ctx)
}

// postgresPrograms returns the directory of the server's programs, the newest
// if there are several.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	const debian = "/usr/lib/postgresql/*/bin"
	found, err := filepath.Glob(filepath.Join(debian, "initdb"))
	if err == nil && len(found) == 0 {
		err = errors.New("there is no initdb in PATH nor in " + debian)
	}
	if err != nil {
		return "", err
	}
	return filepath.Dir(slices.Max(found)), nil
}

// someoneElse is whom root runs the server as, since it refuses root; nil for
// any other user.
func someoneElse() (*identity, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	var as identity
	_, err = fmt.Sscan(u.Uid+" "+u.Gid, &as.uid, &as.gid)
	return &as, err
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = p.dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	return cmd
}

// initialize makes the database, in which passwords are SCRAM's.
func (p *postgres) initialize(ctx context.Context, program string, as *identity) error {
	password := filepath.Join(p.dir, "password")
	if err := os.WriteFile(password, []byte(p.password+"\n"), 0o600); err != nil {
		return err
	}
	if as != nil {
		for _, path := range []string{p.dir, password} {
			if err := os.Chown(path, int(as.uid), int(as.gid)); err != nil {
				return err
			}
		}
	}
	cmd := p.command(program, "-D", p.data(), "-U", superuser, "--pwfile="+password, "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions")
	initdb, err := start(cmd, syscall.SIGKILL, as)
	if err == nil {
		err = initdb.wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}

// admit makes the callers' connections, and the account.
func (p *postgres) admit(ctx context.Context) error {
	if err := p.process.ready(ctx, p.accepts); err != nil {
		return err
	}
	for range most {
		c, err := p.connect(ctx, superuser)
		if err != nil {
			return err
		}
		p.connections = append(p.connections, c)
	}
	return p.create(ctx, 0, account, p.password)
}

// accepts reads what the server tells pg_ctl: it complains of every connection
// that comes too early.
func (p *postgres) accepts() error {
	state, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err == nil && !bytes.Contains(state, []byte("\nready")) {
		err = errors.New("it is starting up")
	}
	return err
}

func (p *postgres) connect(ctx context.Context, name string) (*pgx.Conn, error) {
	c := p.config.Copy()
	c.User, c.Password = name, p.password
	return pgx.ConnectConfig(ctx, c)
}

func (p *postgres) operations() []operation {
	return []operation{
		{name: "Connect", callers: all, do: func(ctx context.Context, _ int) error {
			c, err := p.connect(ctx, account)
			if err != nil {
				return err
			}
			return c.Close(ctx)
		}},
		{name: "CreateRolePassword", callers: alone, do: func(ctx context.Context, caller int) error {
			return p.create(ctx, caller, p.name(), p.password)
		}},
		{name: "CreateRole", callers: all, do: func(ctx context.Context, caller int) error {
			return p.create(ctx, caller, p.name(), "")
		}},
	}
}

// create sends the statement as it is: nothing is prepared that is never asked
// for again.
func (p *postgres) create(ctx context.Context, caller int, name, password string) error {
	statement := "CREATE ROLE " + name + " LOGIN"
	if password != "" {
		statement += " PASSWORD '" + password + "'"
	}
	_, err := p.connections[caller].Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return err
}

// name is nobody's yet.
func (p *postgres) name() string { return fmt.Sprintf("user%d", p.roles.Add(1)) }

func (p *postgres) end() {
	for _, c := range p.connections {
		c.Close(context.Background())
	}
	p.process.end()
}
