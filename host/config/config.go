package config

import (
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Config is the host's settings, checked.
type Config struct {
	DefaultEnvironment string
	Management         Management
	Plugin             Plugin
	Init               Init
	Session            Session
	Lease              time.Duration
	LeaseWait          time.Duration
	CallTimeout        time.Duration
	Audit              Audit
	Metrics            Metrics
	Log                Log

	effective []Effective
}

// Management is the socket for operators' tools.
type Management struct {
	SocketGroup string // as written; empty: none
	SocketGID   int    // -1: none
}

// Plugin is the users plugin's executable and what it is given.
type Plugin struct {
	Path         string // an absolute path, or a name in Directory
	Directory    string
	SHA256       string // 64 lower-case digits; empty: not pinned
	AutoMTLS     bool
	StartTimeout time.Duration
	Settings     map[string]string
}

// Init is the first administrator of an empty store.
type Init struct {
	Username     string
	Password     account.Secret // nil: the one in PasswordFile
	PasswordFile string         // as written, relative to the home; empty: a random password
}

// Session bounds client sessions.
type Session struct {
	IdleTimeout     time.Duration
	AbsoluteTimeout time.Duration // 0: none
}

// Audit is when the audit log begins a new file, and how many old ones stay.
type Audit struct {
	MaxSize int64
	Keep    int // 0: all
}

// Metrics is where they are served.
type Metrics struct {
	Address string // a loopback address or localhost, with a port; empty: nowhere
}

// Log is what the host logs, and how.
type Log struct {
	Level hclog.Level
	JSON  bool
}

// Effective is one setting as it came out, with secrets masked.
type Effective struct {
	Name   string
	Value  string
	Origin string // "default", "concourse.yaml:12", "CONCOURSE_LEASE" or "--lease"
	Secret bool
}

// Settings returns every setting in the table's order; the keys of
// plugin.settings stand in its place, sorted.
func (c *Config) Settings() []Effective { return c.effective }
