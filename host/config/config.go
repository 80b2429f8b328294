package config

import (
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Config is the host's settings, checked.
type Config struct {
	DefaultEnvironment string
	Client             Client
	Upstream           Upstream
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

// Client is the port for Concourse drivers.
type Client struct {
	Address        string // HOST:PORT; no host: every interface; port 0: a free one; empty: nowhere
	TLS            TLS
	MaxConnections int
	MaxMessage     int // bytes
	FirstByte      time.Duration
}

// TLS is what a listener proves itself with: paths as written, relative to the
// home; both or neither.
type TLS struct {
	Certificate string
	Key         string
}

// Upstream is the data server behind this host.
type Upstream struct {
	Address        string // HOST:PORT; empty: there is none
	Username       string // the host's own account there
	Password       account.Secret
	PasswordFile   string // as written, relative to the home; if Password is nil
	MaxConnections int
	ReplyTimeout   time.Duration
}

// Management is where operators' tools come in: the socket, and the original's
// management service.
type Management struct {
	SocketGroup string // as written; empty: none
	SocketGID   int    // -1: none
	Port        int    // of the service, at a loopback address; 0: a free one; PortOff, PortAuto
	TLS         TLS
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
