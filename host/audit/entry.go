package audit

import (
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Event is the closed list of what is logged.
type Event string

// The events. Fields beside Event, Outcome and Caller are named where they
// mean something.
const (
	Login         Event = "login"
	LoginRefused  Event = "login_refused"  // Count, First and Last if several in one line
	Change        Event = "change"         // Verb, Target, RequestID, Changed, Recovered, ...
	CheckPassword Event = "check_password" // Target
	Disconnect    Event = "disconnect"     // Target, Count sessions
	Export        Event = "export"         // accounts with their password hashes
	Backup        Event = "backup"         // by the operator
	Restore       Event = "restore"        // by the operator; Count accounts, Detail
	PluginStarted Event = "plugin_started" // Detail
	PluginExited  Event = "plugin_exited"
	PluginReload  Event = "plugin_reloaded"
	HostStarted   Event = "host_started"
	HostStopped   Event = "host_stopped"
	LogRepaired   Event = "log_repaired"   // Count bytes of torn lines were cut off
	LogResumed    Event = "log_resumed"    // there is room again; Count lines found none, and were refused
	AuditComplete Event = "audit_complete" // Open: see Reconcile
)

var events = map[Event]bool{
	Login: true, LoginRefused: true, Change: true, CheckPassword: true,
	Disconnect: true, Export: true, Backup: true, Restore: true, PluginStarted: true, PluginExited: true, PluginReload: true, HostStarted: true,
	HostStopped: true, LogRepaired: true, LogResumed: true, AuditComplete: true,
}

// OK is the outcome of what succeeded. Every other outcome is the name of an
// account.Kind.
const OK = "ok"

// Entry is one line. Fields are added to it, never renamed. Text is cut to what
// 1 KiB of JSON holds, and what does not print is escaped.
type Entry struct {
	Time time.Time `json:"time"` // given by Append
	Seq  uint64    `json:"seq"`  // given by Append: grows by one, so that a gap shows that lines were removed

	Event   Event          `json:"event"`
	Outcome string         `json:"outcome"`
	Reason  account.Reason `json:"reason,omitempty"`
	Caller  *Caller        `json:"caller,omitempty"`

	Verb        account.Verb       `json:"verb,omitempty"`
	Target      string             `json:"target,omitempty"` // a username or a session id
	Environment string             `json:"environment,omitempty"`
	Permission  account.Permission `json:"permission,omitempty"`
	Role        account.Role       `json:"role,omitempty"`
	Changed     *bool              `json:"changed,omitempty"`
	RequestID   string             `json:"request_id,omitempty"`

	Recovered   bool      `json:"recovered,omitempty"`   // written at a later start, from the store's record
	CommittedAt time.Time `json:"committed_at,omitzero"` // of a recovered line
	Count       uint64    `json:"count,omitempty"`
	First       time.Time `json:"first,omitzero"` // of Count
	Last        time.Time `json:"last,omitzero"`
	Detail      string    `json:"detail,omitempty"` // never a secret
	Open        []string  `json:"open,omitempty"`   // request ids of unknown outcome, in an audit_complete line
}

// Caller is who asked, and from where.
type Caller struct {
	Username      string           `json:"username,omitempty"` // never a name that no account has: people type passwords there
	AccountID     account.ID       `json:"account_id,omitempty"`
	SessionID     string           `json:"session_id,omitempty"`
	UID           *uint32          `json:"uid,omitempty"` // of the peer on the management socket
	PID           int              `json:"pid,omitempty"`
	RemoteAddress string           `json:"remote_address,omitempty"`
	Listener      account.Listener `json:"listener,omitempty"`
}

// Outcome returns how err stands in a line: OK for nil, otherwise its kind, and
// the rule that refused, if one did.
func Outcome(err error) (string, account.Reason) {
	if err == nil {
		return OK, ""
	}
	return account.KindOf(err).String(), account.ReasonOf(err)
}

// mostText bounds one text, in bytes of JSON; a line has at most 15 of them.
const mostText = 1000

// bounded returns a copy whose line is shorter than MaxLine.
func (e Entry) bounded() Entry {
	if e.Caller != nil {
		c := *e.Caller
		cut(&c.Username)
		cut(&c.AccountID)
		cut(&c.SessionID)
		cut(&c.RemoteAddress)
		cut(&c.Listener)
		e.Caller = &c
	}
	cut(&e.Outcome)
	cut(&e.Reason)
	cut(&e.Verb)
	cut(&e.Target)
	cut(&e.Environment)
	cut(&e.Permission)
	cut(&e.Role)
	cut(&e.RequestID)
	cut(&e.Detail)
	return e
}

func cut[S ~string](s *S) {
	n := 0
	for i, r := range string(*s) {
		if n += jsonSize(r); n > mostText {
			*s = (*s)[:i] + "…"
			return
		}
	}
}

// jsonSize is at least what a line has for a character.
func jsonSize(r rune) int {
	switch {
	case r == '"' || r == '\\':
		return 2
	case r > 0xffff && !unicode.IsPrint(r):
		return 12
	case r == utf8.RuneError || !unicode.IsPrint(r):
		return 6
	}
	return utf8.RuneLen(r)
}
