package users

import (
	"context"
	"errors"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Directory is what a backend author brings in place of a Store if the accounts
// are kept, and changed, elsewhere: in a file, a table, an LDAP server. ReadOnly
// makes a Store of it.
//
// It is for up to some 100,000 accounts. All are kept in memory, and read whole
// after each change, while every login and heartbeat waits: for the Load, and
// then some 0.3 s if one of 100,000 accounts has changed, or 3 to 6 s if one of a
// million has, where a host's lease is 10 s. The first time, when all are new, it
// is five times as much.
type Directory interface {
	// Load returns every account as it is now, or ErrUnchanged if nothing has
	// changed since the last Load that returned entries. One that fails has
	// returned none, so noting what was read, as by a file's time, is the last
	// thing that a Load does: noted earlier, a change that it then failed to read
	// is never told.
	//
	// It is called ahead of every answer, and every second while a host follows:
	// saying ErrUnchanged should cost no more than a look at a file's time or at a
	// counter. One that answers from what it read up to a while ago makes every
	// change, a suspension too, take that much longer. Calls never overlap. ctx
	// ends after 30 seconds, or when the store is closed, but not with whoever
	// asked.
	//
	// After an error nobody is told anything: hosts go on with what they know for
	// as long as their lease lasts, then refuse. An *account.Error, such as
	// Unavailable, is what the host's callers then read; any other goes to the
	// log, and so must not hold a password or a hash.
	Load(ctx context.Context) ([]Entry, error)
	// Close lets go of everything. No other call is under way, or follows.
	Close() error
}

// ErrUnchanged is what Load returns for "as last time".
var ErrUnchanged = errors.New("the directory has not changed")

// Entry is one account of a Directory. If one is not acceptable, none of that
// Load are, as if it had failed: nobody can say what was meant.
type Entry struct {
	Username string       // taken in its normal form; two of the same are not acceptable
	Role     account.Role // empty: USER
	Enabled  bool         // false: suspended
	Grants   account.Grants

	// PasswordHash is argon2id in PHC form. One that is cheaper to guess from than
	// what OWASP recommends, its memory in KiB times its passes less than 35840, is
	// not acceptable, since no login makes it stronger. Empty: nobody logs in as
	// the account. A Verifier leaves it empty.
	PasswordHash account.Secret

	// ID names the account for ever, whatever it is called, for directories that
	// have such a thing. Without one, an account that takes over the name of one
	// that is gone is taken for it.
	ID string

	CreatedAt         time.Time // zero: not known
	PasswordChangedAt time.Time // zero: not known
}

// Verifier is what a Directory also is if it verifies passwords itself, as an
// LDAP server does: then no hash leaves it, and none is exported.
type Verifier interface {
	// Verify says whether the password is the account's, suspended or not. It is
	// also asked about names that nobody has, and must take as long for them as
	// for a wrong password (rule 9); neither is an error. The name is in its
	// normal form, the password not empty, and as it was typed. Calls overlap.
	Verify(ctx context.Context, username string, password account.Secret) (bool, error)
}

// ReadOnly returns a Store over the directory, which it closes. Its Service
// declares no "change": whatever would write is refused with Unsupported, logins
// are not written down, and the store always says that it is initialised.
//
// The id says which accounts these are, for example the path of the file: hosts
// end all sessions when it changes. It never leaves the process as it is.
//
// Revisions follow the clock, so that they go up across restarts too: hosts end
// all sessions if a clock is set back by more than a restart takes. An account's
// generation follows from its hash (without one, from PasswordChangedAt), role
// and state: its tokens end when one of them changes, and only then.
func ReadOnly(id string, d Directory) Store { return newDirectoryStore(id, d) }
