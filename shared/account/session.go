package account

import "time"

// Listener names the door through which a session came.
type Listener string

// The two listeners.
const (
	ManagementListener Listener = "management"
	ClientListener     Listener = "client"
)

// Session is one row of a sessions listing: public facts about a live session,
// never its token.
type Session struct {
	ID               string
	Host             string
	AccountID        ID
	Username         string
	Role             Role
	RemoteAddress    string
	Listener         Listener
	Client           string
	Environment      string
	ConnectedSince   time.Time
	LastActive       time.Time
	Calls            uint64
	Connections      int
	CurrentCall      *Call
	OpenTransactions []Transaction
	Note             string // the plugin's annotation, at most MaxNote bytes
}

// MaxNote bounds a session row's annotation, in bytes.
const MaxNote = 200

// Call is a call that a session is making now.
type Call struct {
	Method string
	Since  time.Time
}

// Transaction is a transaction that a session holds open.
type Transaction struct {
	ID          string
	Since       time.Time
	Environment string
}
