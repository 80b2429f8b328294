package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// task is what is to be done about one account, and what came of it.
type task struct {
	account.Desired        // of a deletion only the username
	place           string // the file and the line that name it
	delete          bool

	warning string // for one that is created

	over    bool // what follows is its outcome; false: it was not begun
	applied management.Applied
	differs []string // what an account that is kept has otherwise
	err     error
}

func (t *task) failed() bool { return t.over && t.err != nil }

func (t *task) changed() bool { return t.over && t.err == nil && t.applied.Changed }

func (t *task) created() bool {
	return t.changed() && !t.delete && t.applied.Before == nil && !t.applied.Repeated
}

// listed is the account after it.
func (t *task) listed() management.ListedAccount {
	return management.ListedAccount{Account: t.applied.Account, Sessions: t.applied.Sessions}
}

// plan finds out what would be changed.
func (t *task) plan(ctx, until context.Context, h *steadyHost) {
	if t.delete {
		t.applied.Changed = true
		return
	}
	t.err = h.ask(ctx, until, func(ctx context.Context, client *management.Client) (err error) {
		if t.OnlyNew {
			kept, err := t.keep(ctx, client)
			if err != nil || kept {
				return err
			}
		}
		t.applied, err = client.Plan(ctx, t.Desired)
		if t.OnlyNew && account.KindOf(err) == account.KindAlreadyExists { // made since keep looked
			err = account.Conflict("'%s' was made meanwhile", account.Printable(t.Username))
		}
		return err
	})
}

// carryOut makes it so. It is planned first, which costs a read: most of a file
// that was applied before is as it should be, and needs neither a transaction
// nor a line in the audit log.
func (t *task) carryOut(ctx, until context.Context, h *steadyHost) {
	if t.plan(ctx, until, h); t.err != nil || !t.applied.Changed {
		return
	}
	planned := t.applied
	t.err = h.change(ctx, until, func(ctx context.Context, client *management.Client, id account.RequestID) (err error) {
		if t.delete {
			r, err := client.Delete(ctx, id, account.Delete{Username: t.Username, IfExists: true})
			t.applied.Changed = r.Changed
			return err
		}
		t.applied, err = client.Apply(ctx, id, t.Desired)
		return err
	})
	if t.OnlyNew && account.KindOf(t.err) == account.KindAlreadyExists {
		// Somebody else made it since it was planned: an attempt of our own that
		// was carried out is answered from its record (rule 2).
		t.carryOut(ctx, until, h)
		return
	}
	if t.applied.Repeated { // of a repeat it is not told what changed
		t.applied.Before, t.applied.PasswordSet, t.applied.Repeated = planned.Before, planned.PasswordSet, false
	}
}

func requestOf(err error) account.RequestID {
	e, _ := errors.AsType[*account.Error](err)
	id, _ := account.ParseRequestID(e.RequestID)
	return id
}

func retryAfter(err error) time.Duration {
	e, _ := errors.AsType[*account.Error](err)
	return e.RetryAfter
}

// sentence says in a line what was done.
func (t *task) sentence() string {
	switch {
	case t.delete:
		return "deleted " + t.Username
	case t.differs != nil:
		return fmt.Sprintf("kept %s: it exists already, and differs in %s", t.Username, strings.Join(t.differs, ", "))
	case t.created():
		is := t.applied.Account
		what := []string{string(is.Role)}
		if !is.Enabled {
			what = append(what, "suspended")
		}
		return fmt.Sprintf("created %s (%s)", t.Username, strings.Join(append(what, grants(is.Grants)...), "; "))
	}
	var changes []string
	for _, d := range t.applied.Differences() {
		environment, isGrant := strings.CutPrefix(d.Field, "grants.")
		switch from, to := cmp.Or(d.From, "none"), cmp.Or(d.To, "none"); {
		case isGrant:
			changes = append(changes, fmt.Sprintf("%s -> %s in %s", from, to, environment))
		case d.Field == "password":
			changes = append(changes, "password set")
		case d.Field == "enabled":
			changes = append(changes, state(t.applied.Account.Enabled))
		default:
			changes = append(changes, fmt.Sprintf("%s %s -> %s", d.Field, from, to))
		}
	}
	if len(changes) == 0 { // the answer to a repeat
		return "changed " + t.Username
	}
	return fmt.Sprintf("changed %s: %s", t.Username, strings.Join(changes, "; "))
}

// diff says in lines what would be done.
func (t *task) diff() []string {
	switch {
	case t.delete:
		return []string{"- " + t.Username}
	case t.differs != nil:
		return []string{"= " + t.Username, "    exists already, and differs in " + strings.Join(t.differs, ", ")}
	case t.created():
		return append([]string{"+ " + t.Username}, t.differences()...)
	}
	return append([]string{"~ " + t.Username}, t.differences()...)
}

func (t *task) differences() (lines []string) {
	for _, d := range t.applied.Differences() {
		line := fmt.Sprintf("    %s: ", d.Field)
		switch {
		case d.Field == "password":
			line += "(set)"
		case d.From == "":
			line += d.To
		default:
			line += d.From + " -> " + cmp.Or(d.To, "none")
		}
		lines = append(lines, line)
	}
	return lines
}

// complaint says where an account is written, and what is wrong with it.
func (t *task) complaint() string {
	s := t.explained().Error()
	if name := account.Printable(t.Username); !strings.Contains(s, "'"+name+"'") {
		s = name + ": " + s
	}
	if t.place != "" {
		s = t.place + ": " + s
	}
	return s
}

// explained is the task's error, with what helps in a file.
func (t *task) explained() error {
	e, ok := errors.AsType[*account.Error](t.err)
	if !ok {
		return t.err
	}
	same := *e
	switch {
	case e.Kind == account.KindOutcomeUnknown:
		same.Message = "the outcome is unknown; run it again"
	case e.Kind == account.KindInvalid && e.Field == "password" && !t.SetsPassword():
		same.Message += "; give " + passwordWays
	}
	return &same
}
