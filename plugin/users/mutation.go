package users

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// mutation is what one verb adds to the steps that all of them share.
type mutation struct {
	verb   account.Verb
	target string // normalized

	// operators says that the host asks on its operator's behalf: there is no
	// caller.
	operators bool

	// decide returns the account after the change: nil for none, and before
	// itself if nothing changes. It has no side effects and may run many times;
	// what it refuses, it refuses in every run. The hash is empty while it
	// is not known yet whether one is needed.
	decide func(before *stored, hash string) (after *stored, err error)

	// setsPassword says that a change needs the hash of password, or of what the
	// Java original kept of one.
	setsPassword bool
	password     account.Secret
	original     *originalHash

	// verified, if not nil, receives what the account's hash says of the
	// password before another is made of it: decide keeps one that matches.
	verified *verified

	// observe, if not nil, hears in every run what decide was given and returned.
	observe func(before, after *stored)

	// lastLogin, if not zero, is written down for an account that is made.
	lastLogin time.Time

	// note returns a remark about the account as it is now; nil for none.
	note func(account.Account) string
}

var (
	// errRepeated gives up a transaction whose request was carried out before.
	errRepeated = errors.New("carried out before")
	// errNeedsHash gives up a transaction that would change an account for
	// which the state before hashing had asked for no hash, or for that of
	// another password.
	errNeedsHash = errors.New("needs a hash")
)

// verified is what was found of a password and a stored hash.
type verified struct {
	hash    string // empty: none was looked at
	matches bool
}

// mostRuns bounds how often a mutation begins anew because a hash turned out to
// be needed after all.
const mostRuns = 5

// carry carries a mutation out, once (rule 2): the form of the request id, the
// record, without one the id's age, the caller, what can be refused before
// hashing, the hash, and the transaction.
func (s *Service) carry(ctx context.Context, in account.Invocation, m mutation) (account.Change, error) {
	run, err := s.running()
	if err != nil {
		return account.Change{}, err
	}
	if err := run.offers(m.capability()); err != nil {
		return account.Change{}, err
	}
	if err := checkInvocation(in); err != nil {
		return account.Change{}, err
	}
	for range mostRuns {
		hash := ""
		if m.setsPassword {
			done, before, needed, err := rehearse(ctx, run.store, in, m)
			switch {
			case err != nil:
				return account.Change{}, attempted(m.what(), err)
			case done != nil:
				return *done, nil
			case needed:
				if hash, err = s.newHash(ctx, run.policy, m, before); err != nil {
					return account.Change{}, attempted(m.what(), err)
				}
			}
		}
		change, err := commit(ctx, run.store, in, m, hash)
		if !errors.Is(err, errNeedsHash) {
			return change, attempted(m.what(), err)
		}
	}
	return account.Change{}, contended(m.target)
}

func contended(target string) error {
	return account.Conflict("'%s' is being changed by others at the same time; try again", account.Printable(target))
}

// newHash returns the hash that a mutation sets, and nothing if the account's
// stays.
func (s *Service) newHash(ctx context.Context, p policy, m mutation, before *stored) (string, error) {
	if m.original != nil {
		return s.hasher.wrap(ctx, *m.original)
	}
	prepared, err := s.newPassword(ctx, p, m, before)
	if err != nil || prepared == "" {
		return "", err
	}
	return s.hasher.hash(ctx, prepared)
}

// newPassword returns the prepared form of a password to hash, if it may be set,
// and nothing if it is the account's already and may stay.
func (s *Service) newPassword(ctx context.Context, p policy, m mutation, before *stored) (prepared string, err error) {
	if m.verified != nil && before != nil {
		v, err := s.hasher.verify(ctx, management, before.Hash, m.password, false)
		if err != nil {
			return "", err
		}
		*m.verified = verified{before.Hash, v.matches}
		if v.matches {
			return "", nil
		}
	}
	return p.check(s.hasher.current, m.target, m.password)
}

// rehearse goes through the mutation without writing: it returns the recorded
// outcome of a repeat, or a refusal, or the account and whether a hash is needed.
func rehearse(ctx context.Context, store Store, in account.Invocation, m mutation) (done *account.Change, before *stored, needsHash bool, err error) {
	err = store.View(ctx, func(r Reader) error {
		done, before, needsHash = nil, nil, false
		var err error
		if done, err = m.repeated(r, in); err != nil || done != nil {
			return err
		}
		if err := m.checkCaller(r, in.Caller); err != nil {
			return err
		}
		if before, err = accountIn(r, m.target); err != nil {
			return err
		}
		after, err := m.decide(before, "")
		if err != nil {
			return err
		}
		needsHash = after.needsHash()
		_, _, err = adminsAfter(r, m.target, before, after)
		return err
	})
	return done, before, needsHash, err
}

// commit carries the mutation out in one transaction. The record is looked up
// first in every run, before the id's age, the caller and the guards.
func commit(ctx context.Context, store Store, in account.Invocation, m mutation, hash string) (account.Change, error) {
	var change account.Change
	revision, err := store.Update(ctx, func(tx Tx) error {
		if done, err := m.repeated(tx, in); err != nil {
			return err
		} else if done != nil {
			change = *done
			return errRepeated
		}
		if err := m.checkCaller(tx, in.Caller); err != nil {
			return err
		}
		var err error
		if change, err = m.apply(tx, hash); err != nil {
			return err
		}
		return record(tx, in, m.verb, change, timestamp())
	})
	switch {
	case errors.Is(err, errRepeated):
		return change, nil
	case err != nil:
		return account.Change{}, err
	}
	change.Revision = revision
	return change, nil
}

// apply writes the account and, if it moves, the counter of enabled ADMINs.
func (m *mutation) apply(tx Tx, hash string) (account.Change, error) {
	before, err := accountIn(tx, m.target)
	if err != nil {
		return account.Change{}, err
	}
	after, err := m.decide(before, hash)
	if err != nil {
		return account.Change{}, err
	}
	if m.observe != nil {
		m.observe(before, after)
	}
	change := account.Change{Changed: after != before, Gone: after == nil, Account: account.Account{Username: m.target}}
	if change.Changed {
		if after.needsHash() {
			return account.Change{}, errNeedsHash
		}
		if err := m.write(tx, before, after); err != nil {
			return account.Change{}, err
		}
	}
	switch {
	case after != nil:
		if change.Account, err = publicIn(tx, m.target, after); err != nil {
			return account.Change{}, err
		}
		change.Note = m.remark(change.Account)
	case before != nil:
		change.Account.ID, change.Account.Generation = before.ID, before.Generation
	}
	return change, nil
}

func (m *mutation) write(tx Tx, before, after *stored) error {
	is, will, err := adminsAfter(tx, m.target, before, after)
	if err != nil {
		return err
	}
	if is != will {
		if err := put(tx, adminsKey, will); err != nil {
			return err
		}
	}
	if after != nil {
		if before == nil && !m.lastLogin.IsZero() {
			if err := put(tx, signInKey(after.ID), signInValue{At: m.lastLogin}); err != nil {
				return err
			}
		}
		return put(tx, Key{Accounts, m.target}, after)
	}
	if err := tx.Delete(signInKey(before.ID)); err != nil {
		return err
	}
	return tx.Delete(Key{Accounts, m.target})
}

func (m *mutation) repeated(r Reader, in account.Invocation) (*account.Change, error) {
	done, err := repeated(r, in, m.verb, m.target)
	if done != nil && !done.Gone {
		done.Note = m.remark(done.Account)
	}
	return done, err
}

func (m *mutation) checkCaller(r Reader, who account.Caller) error {
	if m.operators {
		return nil
	}
	return checkCaller(r, who)
}

// capability is what a backend declares that carries out such mutations.
func (m *mutation) capability() string {
	switch m.verb {
	case account.VerbApply:
		return account.CapabilityApply
	case account.VerbRecover:
		return account.CapabilityRecover
	}
	return account.CapabilityChange
}

func (m *mutation) remark(a account.Account) string {
	if m.note == nil {
		return ""
	}
	return m.note(a)
}

// what names the attempt in an internal error.
func (m *mutation) what() string { return fmt.Sprintf("%s '%s'", m.verb, account.Printable(m.target)) }
