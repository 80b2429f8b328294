package gate

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// existsWithin bounds the question whether a refused name is an account's.
const existsWithin = 2 * time.Second

func (o Origin) auditCaller() *audit.Caller {
	c := &audit.Caller{RemoteAddress: o.RemoteAddress, Listener: o.Listener}
	if o.Local {
		uid := uint32(o.UID)
		c.UID, c.PID = &uid, o.PID
	}
	return c
}

func (c Caller) auditCaller() *audit.Caller {
	a, who := c.Origin.auditCaller(), c.Session.Caller()
	a.Username, a.AccountID, a.SessionID = who.Username, who.AccountID, who.SessionID
	return a
}

// auditable refuses what the audit log could not tell of. A log that is broken
// for good stays so until the host is started again.
func (g *Gate) auditable() error {
	switch {
	case g.Audit.Ready() == nil:
		return nil
	case g.Audit.Err() == nil:
		return account.Unavailable("the disk of the host's audit log is full, so the host takes no logins and no changes until there is room on it")
	}
	return account.Unavailable("the host can no longer write its audit log, so it takes no logins and no changes; see its log, then start it again")
}

// loggedIn writes the line of an accepted login; without it there is no login.
func (g *Gate) loggedIn(o Origin, l Login) error {
	caller := Caller{Session: l.Session, Origin: o}
	return g.line(audit.Entry{Event: audit.Login, Outcome: audit.OK, Caller: caller.auditCaller()})
}

// loginRefused writes the line of a refused login. The name is written only if
// an account has it: people type passwords there.
func (g *Gate) loginRefused(ctx context.Context, o Origin, name string, refusal error) {
	e := audit.Entry{Event: audit.LoginRefused, Caller: o.auditCaller()}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	known := func() bool {
		if account.KindOf(refusal) == account.KindUnavailable {
			return false // nobody could tell
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), existsWithin)
		defer cancel()
		exists, err := g.Users.Exists(ctx, name)
		return err == nil && exists
	}
	if err := g.Audit.LoginRefused(e, name, known); err != nil {
		g.Logger.Error("the audit log takes no lines", "error", err)
	}
}

func (o *order) entry(c Caller, name string) audit.Entry {
	return audit.Entry{
		Event: audit.Change, Outcome: audit.OK, Caller: c.auditCaller(), Verb: o.verb, Target: name,
		Environment: o.environment, Permission: o.permission, Role: o.role, RequestID: o.requestID.String(),
	}
}

// changed writes a change's outcome line, before its answer (rule 12). If that
// fails the change stands, but nobody may say so yet: the line is written when
// the request id is asked for again, or from its record at the next start.
func (g *Gate) changed(c Caller, o *order, name string, change account.Change) error {
	e := o.entry(c, name)
	e.Changed = &change.Changed
	if o.applied != nil {
		e.Detail = summary(*o.applied)
	}
	if change.Repeated {
		e.Detail = "repeated: the recorded outcome was given again"
	}
	if err := g.line(e); err != nil {
		return account.OutcomeUnknown(o.requestID)
	}
	return nil
}

// summary says in a line what an Apply changed.
func summary(a account.Applied) string {
	var all []string
	if a.Changed && a.Before == nil && !a.Repeated {
		all = append(all, "created")
	}
	for _, d := range a.Differences() {
		switch {
		case d.From == "" && d.To == "":
			all = append(all, d.Field+" set")
		case d.From == "":
			all = append(all, d.Field+": "+d.To)
		default:
			all = append(all, fmt.Sprintf("%s: %s -> %s", d.Field, d.From, cmp.Or(d.To, "none")))
		}
	}
	return strings.Join(all, "; ")
}

// changeRefused writes the line of a change that was refused, or whose outcome
// is unknown. A failing log does not change the answer: nothing took effect, or
// nobody knows.
func (g *Gate) changeRefused(c Caller, o *order, name string, refusal error) {
	e := o.entry(c, name)
	e.Outcome, e.Reason = audit.Outcome(refusal)
	g.line(e)
}

// passwordChecked writes the line of a password check and returns its refusal,
// or why the line could not be written.
func (g *Gate) passwordChecked(c Caller, username string, matches bool, refusal error) error {
	e := audit.Entry{Event: audit.CheckPassword, Caller: c.auditCaller(), Target: account.Printable(username)}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	if refusal == nil {
		e.Detail = "does not match"
		if matches {
			e.Detail = "matches"
		}
	}
	return cmp.Or(refusal, g.told(e))
}

// exported writes the line of an export with hashes and returns its refusal, or
// why the line could not be written.
func (g *Gate) exported(c Caller, refusal error) error {
	e := audit.Entry{Event: audit.Export, Caller: c.auditCaller()}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	return cmp.Or(refusal, g.told(e))
}

// BackupAsked writes the line of an operator's backup.
func (g *Gate) BackupAsked(o Origin, refusal error) error {
	e := audit.Entry{Event: audit.Backup, Caller: o.auditCaller()}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	return g.told(e)
}

// disconnected writes the line of a disconnection and returns its refusal, or
// why the line could not be written.
func (g *Gate) disconnected(c Caller, target string, ended int, refusal error) error {
	e := audit.Entry{Event: audit.Disconnect, Caller: c.auditCaller(), Target: target, Count: uint64(ended)}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	return cmp.Or(refusal, g.told(e))
}

// PluginReloadAsked writes the line of an operator's reload.
func (g *Gate) PluginReloadAsked(o Origin, refusal error) error {
	e := audit.Entry{Event: audit.PluginReload, Caller: o.auditCaller(), Detail: "asked for by the operator"}
	e.Outcome, e.Reason = audit.Outcome(refusal)
	return g.told(e)
}

// told writes a line without which there is no answer.
func (g *Gate) told(e audit.Entry) error {
	if g.line(e) != nil {
		return account.Unavailable("it could not be written to the audit log, without which there is no answer; see the host's log")
	}
	return nil
}

// line writes one line and logs a failure.
func (g *Gate) line(e audit.Entry) error {
	err := g.Audit.Append(e)
	if err != nil {
		g.Logger.Error("the audit log takes no lines", "error", err)
	}
	return err
}
