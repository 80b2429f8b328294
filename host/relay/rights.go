package relay

import (
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// stillAllowed refuses a call whose session has ended, or has lost the right to it,
// since the gate let it in (rule 3): with NotAuthenticated and NotPermitted. An
// abort always goes. t is the call's transaction, or nil.
func (r *Relay) stillAllowed(c *Call, t *transaction) error {
	needs := account.Read
	switch {
	case c.Session == nil, c.Method == r.abort:
		return nil
	case c.Session.Ended():
		return account.SessionEnded()
	case c.writes:
		needs = account.Write
	case t == nil && c.Method.Access != methods.Read && c.Method != r.stage:
		return nil
	}
	if c.Session.Snapshot().Allows(c.Environment, needs) {
		return nil
	}
	return r.lost(c, t, needs)
}

// lost says that the right to a call is lost, and with it that to its transaction.
func (r *Relay) lost(c *Call, t *transaction, needs account.Permission) error {
	if c.Session.Ended() { // which is why
		return account.SessionEnded()
	}
	aborted := ""
	if t != nil {
		aborted = "; the transaction was aborted"
	}
	return account.NotPermitted(account.ReasonNeedsGrant, "'%s' has no %s in the environment '%s' any more%s",
		account.Printable(c.Session.Caller().Username), needs, account.Printable(c.Environment), aborted)
}
