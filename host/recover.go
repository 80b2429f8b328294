package host

import (
	"context"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Recover makes an account an enabled ADMIN with the password that ask returns,
// which is called only for an account that exists. What it has begun it carries
// through, up to the line in the audit log, even if ctx ends. Refuses: Invalid,
// NotFound (which names the ADMINs), Unsupported, and what ask does.
func (f *Offline) Recover(ctx context.Context, username string, ask func(context.Context) (account.Secret, error)) (account.Change, error) {
	if err := f.offers(account.CapabilityRecover); err != nil {
		return account.Change{}, err
	}
	name, err := account.NormalizeUsername(username)
	if err != nil {
		return account.Change{}, err
	}
	exists, err := f.plugin.Exists(ctx, name)
	if err != nil {
		return account.Change{}, err
	}
	r := account.Recovery{Username: name, RequestID: account.NewRequestID(time.Now()), Host: f.id}
	if exists { // otherwise the plugin says which do
		if r.Password, err = ask(ctx); err != nil {
			return account.Change{}, err
		}
		r.RequestID = account.NewRequestID(time.Now()) // asking may have taken hours
	}
	change, err := f.plugin.Recover(context.WithoutCancel(ctx), r)
	line := audit.Entry{
		Event: audit.Change, Caller: &f.caller, Verb: account.VerbRecover, Target: name, Role: account.Admin,
		RequestID: r.RequestID.String(),
	}
	line.Outcome, line.Reason = audit.Outcome(err)
	if err == nil {
		line.Changed = &change.Changed
		f.forgetInitialPassword(name)
	}
	if failed := f.log.Append(line); failed != nil && err == nil {
		return change, fmt.Errorf("'%s' was recovered, but the audit log does not say so yet; the next start of the host adds the line: %w", account.Printable(name), failed)
	}
	if account.KindOf(err) == account.KindOutcomeUnknown {
		err = &account.Error{
			Kind: account.KindOutcomeUnknown, Reason: account.ReasonOutcomeUnknown, Subject: name, RequestID: r.RequestID.String(),
			Message: fmt.Sprintf("it is not known whether '%s' was recovered; run the command again", account.Printable(name)),
		}
	}
	return change, err
}
