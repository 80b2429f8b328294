package account

import "time"

// Verb names what a mutation does. It is the subcommand's name.
type Verb string

// The verbs of mutations.
const (
	VerbCreate   Verb = "create"
	VerbEdit     Verb = "edit"
	VerbPassword Verb = "password"
	VerbDelete   Verb = "delete"
	VerbGrant    Verb = "grant"
	VerbRevoke   Verb = "revoke"
	VerbSuspend  Verb = "suspend"
	VerbEnable   Verb = "enable"
	VerbApply    Verb = "apply"

	// VerbInitialize is the making of a store's first ADMIN, by the host.
	VerbInitialize Verb = "initialize"
	// VerbRecover is the operator's, while the host serves nobody.
	VerbRecover Verb = "recover"
)

// Caller is who asks: the account behind a session, as its login read it.
type Caller struct {
	Username   string
	AccountID  ID
	Generation Generation
	SessionID  string
}

// Invocation is one mutation on its way: who asks, under which request id, and
// on which host, so that a host finds the records of its own changes.
type Invocation struct {
	RequestID RequestID
	Caller    Caller
	Host      string
}

// Create asks for a new account.
type Create struct {
	Username    string
	Password    Secret
	Role        Role
	IfNotExists bool // an account of that name is no error, and stays as it is
}

// Edit changes role, password or both, in one transaction, the role first.
type Edit struct {
	Username string
	Role     Role   // empty keeps it
	Password Secret // nil keeps it
}

// Password sets a password and nothing else.
type Password struct {
	Username string
	Password Secret
}

// Delete removes an account for good.
type Delete struct {
	Username string
	IfExists bool // no such account is no error
}

// Grant adds one permission in one environment.
type Grant struct {
	Username    string
	Permission  Permission
	Environment string
}

// Revoke takes away every permission in one environment.
type Revoke struct {
	Username    string
	Environment string
}

// Change is what a mutation came to.
type Change struct {
	Changed  bool
	Account  Account  // after the change; of a deleted account only ID, Generation and Username
	Gone     bool     // no account has the name now
	Revision Revision // at which Account was read or written
	Repeated bool     // the request id had been carried out before; this is its recorded outcome
	Note     string   // a remark for the caller, such as a revoked grant that the role outweighs
}

// Outlived reports whether c is the recorded outcome of a change whose account
// is gone while its name is another's now: Account then has only ID, Generation
// and Username, Revision is 0, and nothing is said of the account that has the
// name.
func (c Change) Outlived() bool { return c.Repeated && !c.Gone && c.Account.Role == "" }

// Snapshot returns what the host keeps of the target.
func (c Change) Snapshot() Snapshot {
	if c.Gone {
		return Snapshot{Username: c.Account.Username, Revision: c.Revision}
	}
	return c.Account.Snapshot(c.Revision)
}

// Record is what a store keeps of a mutation for RecordLifetime, so that a
// repeat is answered and a lost audit line can be written again. It never
// holds a password or anything made from one.
type Record struct {
	RequestID  RequestID
	Host       string
	Caller     ID
	CallerName string
	Verb       Verb
	Target     string
	Changed    bool
	AccountID  ID
	Generation Generation
	At         time.Time
}
