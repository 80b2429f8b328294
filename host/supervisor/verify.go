package supervisor

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
)

// What a plugin answers decides about sessions, listings and the audit log, so
// the host believes no more of it than these checks let pass (rule 10). Sizes
// and shapes are checked in shared/wire.

// bad makes an internal error of what is wrong with an answer to a read.
func (s *Supervisor) bad(method string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("plugin %s answered %s with %w", s.name(), method, err)
}

// badChange makes an unknown outcome of what is wrong with an answer to a change.
func (s *Supervisor) badChange(verb account.Verb, id account.RequestID, err error) error {
	return s.uncertain(id, s.bad(string(verb), err))
}

// uncertain makes an unknown outcome of an answer to a change, id, from which
// nobody can tell whether it was carried out: only asking again can (rule 2). The
// caller has no use for the cause; the log keeps it. Other errors, and those of
// reads, whose id is zero, stay what they are.
func (s *Supervisor) uncertain(id account.RequestID, err error) error {
	if id.IsZero() || !account.KindOf(err).Uncertain() {
		return err
	}
	s.settings().Logger.Error("a change has no answer that says whether it was carried out", "request_id", id, "error", err)
	return account.OutcomeUnknown(id)
}

// sameName compares a name in an answer with the one that was asked for. A
// plugin may accept names that ours would refuse; those stay as they are.
func sameName(asked, answered string) bool {
	if n, err := account.NormalizeUsername(asked); err == nil {
		asked = n
	}
	return asked == answered
}

func checkAccount(asked string, a account.Account) error {
	if !sameName(asked, a.Username) {
		return fmt.Errorf("the account %q instead of %q", account.Printable(a.Username), account.Printable(asked))
	}
	return checkParts(a)
}

func checkParts(a account.Account) error {
	switch {
	case a.ID == "":
		return errors.New("an account without an id")
	case a.Role != account.Admin && a.Role != account.User:
		return errors.New("an account without a role")
	}
	return nil
}

// checkChange expects the account after the change, but of a repeat whose
// account is gone while its name is another's: then no more is left than the
// record's id and generation (rule 2).
func checkChange(target string, c account.Change) error {
	if !c.Gone && !(c.Repeated && c.Account.Role == "") {
		return checkAccount(target, c.Account)
	}
	if !sameName(target, c.Account.Username) {
		return fmt.Errorf("the account %q instead of %q", account.Printable(c.Account.Username), account.Printable(target))
	}
	return nil
}

// checkApplied expects the account before, if there was one, to be the one after,
// and what ends sessions to be called a change (rule 3).
func checkApplied(target string, a account.Applied) error {
	if err := checkChange(target, a.Change); err != nil {
		return err
	}
	switch before, after := a.Before, a.Account; {
	case a.Repeated:
		return nil
	case a.Gone:
		return errors.New("no account")
	case before == nil && !a.Changed:
		return errors.New("an account that was not there before and is not new")
	case before == nil:
		return nil
	case before.ID != after.ID:
		return errors.New("another account than it was before")
	case !a.Changed && (a.PasswordSet || before.Role != after.Role || before.Enabled != after.Enabled || before.Generation != after.Generation):
		return errors.New("a change that it says is none")
	}
	return checkAccount(target, *a.Before)
}

func checkList(after string, items []account.Account, next string) error {
	for _, a := range items {
		if err := checkParts(a); err != nil {
			return err
		}
		if a.Username <= after {
			return fmt.Errorf("the account %q after %q", account.Printable(a.Username), account.Printable(after))
		}
		after = a.Username
	}
	if next != "" && (len(items) == 0 || next < after) {
		return errors.New("a next page that begins before the end of this one")
	}
	return nil
}

func checkRecords(after account.RequestID, items []account.Record, next account.RequestID) error {
	for _, r := range items {
		if bytes.Compare(r.RequestID[:], after[:]) <= 0 {
			return errors.New("request records out of order")
		}
		after = r.RequestID
	}
	if !next.IsZero() && (len(items) == 0 || bytes.Compare(next[:], after[:]) < 0) {
		return errors.New("a next page that begins before the end of this one")
	}
	return nil
}

// annotated returns the rows that were sent, as far as they came back, with
// the notes that came with them: nothing else of a row is taken from a plugin.
// It returns them in the place of those that were sent.
func annotated(sent, shown []account.Session) ([]account.Session, error) {
	out := sent[:0]
	for i := range shown {
		row := &shown[i]
		for len(sent) > 0 && sent[0].ID != row.ID {
			sent = sent[1:]
		}
		if len(sent) == 0 {
			return nil, errors.New("a session row that was not sent, or sent in another order")
		}
		if len(row.Note) > account.MaxNote {
			return nil, fmt.Errorf("a note of more than %d bytes", account.MaxNote)
		}
		kept := sent[0]
		if kept.Note = ""; row.Note != "" {
			kept.Note = scrub(row.Note, account.MaxNote)
		}
		out = append(out, kept)
		sent = sent[1:]
	}
	return out, nil
}

func checkEvent(e account.WatchEvent) error {
	if sn := e.Snapshot; sn != nil && (sn.Username == "" || !sn.Gone() && sn.Role != account.Admin && sn.Role != account.User) {
		return errors.New("a snapshot without a name or a role")
	}
	return nil
}
