package account

import (
	"context"
	"io"
)

// Users is what a backend does for the host. The host reaches it through the
// contract's RPC service, one method each; plugin/users implements it over a
// Store. Every method refuses with an *Error of a documented Kind; any other
// error is an internal one.
//
// Mutations take an Invocation. They look up its request id first and answer a
// repeat from the record (design rule 2); then they refuse with
// NotAuthenticated a caller whose account is not the one of the caller's id and
// generation, and with NotPermitted one that is not an enabled ADMIN (rule 8).
// Reads that take a Caller check it the same way.
type Users interface {
	// Configure opens the store. It is called once, before anything else.
	// Refuses: Invalid (a setting), Unavailable (the store cannot be reached
	// or is held by another process).
	Configure(ctx context.Context, c Configuration) (Description, error)

	// Initialize makes the first ADMIN, the initialised marker and a request
	// record of VerbInitialize in one transaction, if the store has no marker;
	// otherwise it changes nothing. A repeat is answered from the record.
	// The minimum password length does not apply; Warning says if it is missed.
	Initialize(ctx context.Context, first FirstAdministrator) (Initialized, error)

	// Authenticate checks a password. It refuses an unknown name and a wrong
	// password alike and in alike time, with NotAuthenticated; a suspended
	// account whose password is right with NotPermitted, reason SUSPENDED; and
	// with Throttled when too many wait to hash.
	Authenticate(ctx context.Context, c Credentials) (Login, error)

	// Exists says whether an account has the name; a name that no account can
	// have is no error. Only the host asks, after a refused login, so that an
	// unknown name, which may be a mistyped password, stays out of the audit log.
	Exists(ctx context.Context, username string) (bool, error)

	// Create refuses: Invalid, AlreadyExists.
	Create(ctx context.Context, in Invocation, r Create) (Change, error)
	// Edit refuses: Invalid, NotFound, Refused (LAST_ADMIN).
	Edit(ctx context.Context, in Invocation, r Edit) (Change, error)
	// Password refuses: Invalid, NotFound.
	Password(ctx context.Context, in Invocation, r Password) (Change, error)
	// Delete refuses: Invalid, NotFound, Refused (LAST_ADMIN).
	Delete(ctx context.Context, in Invocation, r Delete) (Change, error)
	// Grant refuses: Invalid, NotFound, Refused (TOO_MANY_GRANTS).
	Grant(ctx context.Context, in Invocation, r Grant) (Change, error)
	// Revoke refuses: Invalid, NotFound.
	Revoke(ctx context.Context, in Invocation, r Revoke) (Change, error)
	// Suspend refuses: Invalid, NotFound, Refused (SELF_SUSPEND, LAST_ADMIN).
	Suspend(ctx context.Context, in Invocation, username string) (Change, error)
	// Enable refuses: Invalid, NotFound.
	Enable(ctx context.Context, in Invocation, username string) (Change, error)

	// Apply makes one account what d says, in one transaction. Refuses: Invalid
	// (also a new account without a password or hash), Refused (LAST_ADMIN,
	// SELF_SUSPEND, TOO_MANY_GRANTS), Unsupported.
	Apply(ctx context.Context, in Invocation, d Desired) (Applied, error)
	// Plan says what Apply would come to, refusals included, and changes
	// nothing.
	Plan(ctx context.Context, who Caller, d Desired) (Applied, error)

	// Show refuses: Invalid, NotFound.
	Show(ctx context.Context, who Caller, username string) (Account, error)
	// List returns accounts by name, those after the given name first, at most
	// MaxBatch; next is empty after the last.
	List(ctx context.Context, who Caller, after string) (page []Account, next string, err error)
	// Export is List with password hashes. Refuses: Unsupported.
	Export(ctx context.Context, who Caller, after string) (page []Exported, next string, err error)
	// CheckPassword says whether the password is the account's, and changes
	// nothing. Refuses: Invalid, NotFound, Throttled.
	CheckPassword(ctx context.Context, who Caller, r Password) (matches bool, err error)

	// Sessions decides what a sessions listing shows of one batch of at most
	// MaxBatch rows: it may withhold rows and fill in their Note, and neither
	// adds nor reorders any.
	Sessions(ctx context.Context, who Caller, rows []Session) ([]Session, error)

	// Records returns request records in the order of their ids, those after
	// the given id first, at most MaxBatch; next is zero after the last.
	Records(ctx context.Context, after RequestID) (page []Record, next RequestID, err error)

	// Backup writes the whole store as of one revision, in a form that Restore
	// reads and that says by itself whether it is whole. It checks no caller. An
	// empty write, within a second, says that it is still being gathered.
	// Refuses: Unsupported.
	Backup(ctx context.Context, w io.Writer) error

	// Recover and Restore are the operator's: only a host that serves nobody
	// asks for them, and no listener offers them.

	// Recover makes an account an enabled Admin with the given password.
	// Refuses: Invalid, NotFound (which names accounts that are Admins),
	// Unsupported.
	Recover(ctx context.Context, r Recovery) (Change, error)
	// Restore checks a backup to its end, then gives the store its contents and
	// nothing else, all at once, under a new store id. Only the end may follow.
	// Refuses: Invalid (a backup that is damaged or not one of this backend),
	// Unsupported.
	Restore(ctx context.Context, r io.Reader) (Restored, error)

	// Watch streams what changes, until ctx ends, requests is closed, or the
	// stream falls behind (Conflict; the host opens a new one and reads again).
	// Every change of an account committed after Watch began is delivered as a
	// Snapshot, in order; changes of one account may be merged into the last.
	// Requests are served in order, see WatchRequest.
	Watch(ctx context.Context, requests <-chan WatchRequest, deliver func(WatchEvent) error) error
}

// Configuration reaches the plugin in a call after its start, never by
// arguments or environment.
type Configuration struct {
	Home     string            // the host's home, an absolute path that the plugin may write in
	Settings map[string]string // the operator's plugin.settings, as written
}

// Description is what a backend says of itself.
type Description struct {
	Name         string
	Version      string
	Capabilities []string
	StoreID      string // names the store's contents; changes when they are restored or replaced
	Initialized  bool
}

// FirstAdministrator is the account that an empty store begins with.
type FirstAdministrator struct {
	Username  string
	Password  Secret
	RequestID RequestID
	Host      string
}

// Initialized is the outcome of Initialize.
type Initialized struct {
	Changed bool   // false: the store was initialised before
	Warning string // what is weak about the password, without naming it
}

// Credentials are a username and a password, as submitted.
type Credentials struct {
	Username string
	Password Secret
	Listener Listener // management logins have a hashing place of their own
	Probe    bool     // the host asks for itself: it counts as no login, and changes nothing
}

// Login is what an accepted login read.
type Login struct {
	Account  Account
	Revision Revision
}

// WatchRequest asks for one of two things on a watch stream.
type WatchRequest struct {
	// Read asks for a Snapshot of each name, at most MaxBatch.
	Read []string
	// Heartbeat, if not zero, asks for a linearizable read, begun after the
	// request came in, and for a WatchEvent with the same number once every
	// change up to that read has been delivered.
	Heartbeat uint64
}

// WatchEvent is one item of a watch stream: a Snapshot or a Heartbeat.
type WatchEvent struct {
	Snapshot  *Snapshot
	Heartbeat *Heartbeat
}

// Heartbeat says that everything committed up to Revision has been delivered.
type Heartbeat struct {
	Number   uint64
	Revision Revision
	StoreID  string
	Load     *Load // nil: not told
}

// Load says how busy a plugin is.
type Load struct {
	Hashing     uint32 // passwords being hashed or verified now
	HashWaiting uint32 // calls that wait for a place to do so
}
