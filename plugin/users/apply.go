package users

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Apply makes one account what d says, under the guards of the verbs that it
// stands for. What the account is already changes nothing and raises nothing. A
// password is verified before it is hashed, so that one that the account has
// already stays, with its hash.
func (s *Service) Apply(ctx context.Context, in account.Invocation, d account.Desired) (account.Applied, error) {
	g, err := s.goal(d, in.Caller.AccountID)
	if err != nil {
		return account.Applied{}, err
	}
	var was, is *stored
	m := g.mutation()
	m.observe = func(before, after *stored) { was, is = before, after }
	change, err := s.carry(ctx, in, m)
	if err != nil {
		return account.Applied{}, err
	}
	if change.Repeated {
		return account.Applied{Change: change}, nil
	}
	return applied(change, was, is), nil
}

// Plan goes through Apply without writing: it refuses what Apply would refuse,
// and hashes nothing.
func (s *Service) Plan(ctx context.Context, who account.Caller, d account.Desired) (account.Applied, error) {
	run, err := s.running()
	if err != nil {
		return account.Applied{}, err
	}
	if err := run.offers(account.CapabilityApply); err != nil {
		return account.Applied{}, err
	}
	g, err := s.goal(d, who.AccountID)
	if err != nil {
		return account.Applied{}, err
	}
	hash := ""
	for range mostRuns {
		planned, was, is, err := g.plan(ctx, run.store, who, hash)
		if err != nil {
			return account.Applied{}, attempted("plan an account", err)
		}
		if !is.needsHash() {
			return planned, nil
		}
		if hash, err = s.plannedHash(ctx, run.policy, g, was); err != nil {
			return account.Applied{}, attempted("plan an account", err)
		}
	}
	return account.Applied{}, contended(g.Username)
}

// notHashed stands for a hash that a plan does not make.
const notHashed = "not hashed"

// plannedHash is newHash, but makes none that only a change would need.
func (s *Service) plannedHash(ctx context.Context, p policy, g *goal, was *stored) (string, error) {
	switch {
	case g.original != nil && was != nil: // which shows whether it is the account's
		return s.hasher.wrap(ctx, *g.original)
	case g.original != nil:
		return notHashed, nil
	}
	prepared, err := s.newPassword(ctx, p, g.mutation(), was)
	if err != nil || prepared == "" {
		return "", err
	}
	return notHashed, nil
}

func (g *goal) plan(ctx context.Context, store Store, who account.Caller, hash string) (planned account.Applied, was, is *stored, err error) {
	err = store.View(ctx, func(r Reader) (err error) {
		if err := checkCaller(r, who); err != nil {
			return err
		}
		if was, err = accountIn(r, g.Username); err != nil {
			return err
		}
		if is, err = g.reach(was, hash); err != nil {
			return err
		}
		if _, _, err := adminsAfter(r, g.Username, was, is); err != nil {
			return err
		}
		change := account.Change{Changed: is != was, Revision: r.Revision()}
		if change.Account, err = publicIn(r, g.Username, is); err != nil {
			return err
		}
		if was == nil {
			change.Account.LastLoginAt = g.LastLoginAt
		}
		planned = applied(change, was, is)
		return nil
	})
	return planned, was, is, err
}

// applied says what changed.
func applied(change account.Change, was, is *stored) account.Applied {
	a := account.Applied{Change: change, PasswordSet: was == nil || was.Hash != is.Hash}
	if was != nil {
		before := was.account(change.Account.Username, change.Account.LastLoginAt)
		a.Before = &before
	}
	return a
}

// goal is a Desired that was checked: its name normalized, its grants in the
// form in which they are stored.
type goal struct {
	account.Desired
	caller   account.ID
	hash     string        // PasswordHash, in a form that is stored
	original *originalHash // PasswordHash, if it is what the Java original kept
	verified verified      // Password against the account's hash
	now      time.Time
}

func (g *goal) mutation() mutation {
	return mutation{
		verb: account.VerbApply, target: g.Username,
		setsPassword: g.Password != nil || g.original != nil, password: g.Password, original: g.original, verified: &g.verified,
		decide: g.reach, lastLogin: g.LastLoginAt,
	}
}

// goal refuses: Invalid, Refused (TOO_MANY_GRANTS).
func (s *Service) goal(d account.Desired, caller account.ID) (*goal, error) {
	g := &goal{Desired: d, caller: caller, hash: string(d.PasswordHash), now: timestamp()}
	var err error
	if g.Username, err = account.NormalizeUsername(d.Username); err != nil {
		return nil, err
	}
	if d.Role != "" {
		if g.Role, err = account.ParseRole(string(d.Role)); err != nil {
			return nil, err
		}
	}
	if g.Grants, err = checkGrants(g.Username, d.Grants); err != nil {
		return nil, err
	}
	switch {
	case d.PasswordHash == nil:
		g.CreatedAt, g.PasswordChangedAt, g.LastLoginAt = time.Time{}, time.Time{}, time.Time{}
		return g, nil
	case d.Password != nil:
		return nil, account.Invalid("password", "either a password or a hash says the password of '%s', not both", account.Printable(g.Username))
	}
	if g.original = readOriginalHash(g.hash); g.original != nil {
		g.hash = ""
	} else if !s.hasher.admits(g.hash) {
		return nil, account.Invalid("password_hash", "the password hash of '%s' is not acceptable: %s", account.Printable(g.Username), s.hasher.accepts())
	}
	for _, t := range []struct {
		field string
		at    *time.Time
	}{{"created_at", &g.CreatedAt}, {"password_changed_at", &g.PasswordChangedAt}, {"last_login_at", &g.LastLoginAt}} {
		if time.Until(*t.at) > fastestClock {
			return nil, account.Invalid(t.field, "%s of '%s' is in the future", t.field, account.Printable(g.Username))
		}
		*t.at = t.at.UTC().Round(0)
	}
	return g, nil
}

// checkGrants returns the form in which grants are stored: without repeats, each
// list sorted, none that is empty. Nil stays nil.
func checkGrants(username string, given account.Grants) (account.Grants, error) {
	if given == nil {
		return nil, nil
	}
	grants := make(account.Grants, len(given))
	for environment, permissions := range given {
		if err := account.CheckEnvironment(environment); err != nil {
			return nil, err
		}
		for _, p := range permissions {
			p, err := account.ParsePermission(string(p))
			if err != nil {
				return nil, err
			}
			if !grants.Holds(environment, p) {
				grants[environment] = append(grants[environment], p)
			}
		}
		slices.Sort(grants[environment])
	}
	if len(grants) > account.MaxEnvironments {
		return nil, account.Refused(account.ReasonTooManyGrants, username, "'%s' would hold grants in %d environments; %d is the most that one account may",
			account.Printable(username), len(grants), account.MaxEnvironments)
	}
	return grants, nil
}

// reach decides: see mutation. The role comes first, then the state, the grants
// and the password, each of which raises the generation by itself, as with the
// verbs.
func (g *goal) reach(before *stored, hash string) (*stored, error) {
	switch {
	case before == nil:
		return g.anew(hash)
	case g.OnlyNew:
		return nil, account.AlreadyExists(g.Username)
	}
	after := *before
	changed := false
	if g.Role != "" && g.Role != before.Role {
		after.Role = g.Role
		after.Generation++
		changed = true
	}
	if g.Enabled != nil && *g.Enabled != before.Enabled {
		if before.ID == g.caller {
			return nil, suspendsItself(g.Username)
		}
		after.Enabled = *g.Enabled
		after.Generation++
		changed = true
	}
	if g.Grants != nil && !maps.EqualFunc(g.Grants, before.Grants, slices.Equal) {
		after.Grants = g.grants()
		changed = true
	}
	switch {
	case g.hash != "" && !before.hashIs(g.hash):
		after.setPassword(g.hash, orNow(g.PasswordChangedAt, g.now))
		changed = true
	case g.original != nil && (hash == "" || !before.hashIs(hash)): // without one it is to be seen
		after.setPassword(hash, orNow(g.PasswordChangedAt, g.now))
		changed = true
	case g.Password != nil && before.Hash != g.verified.hash:
		after.setPassword("", g.now) // whether it is needed is to be verified
		changed = true
	case g.Password != nil && !g.verified.matches:
		after.setPassword(hash, g.now)
		changed = true
	}
	if !changed {
		return before, nil
	}
	return &after, nil
}

// anew refuses an account that nothing says the password of.
func (g *goal) anew(hash string) (*stored, error) {
	if !g.SetsPassword() {
		return nil, account.Invalid("password", "'%s' does not exist yet; a new account needs a password or a hash", account.Printable(g.Username))
	}
	made := newAccount(cmp.Or(g.Role, account.User), cmp.Or(g.hash, hash))
	made.Enabled = g.Enabled == nil || *g.Enabled
	made.Grants = g.grants()
	made.CreatedAt = orNow(g.CreatedAt, made.CreatedAt)
	made.PasswordChangedAt = orNow(g.PasswordChangedAt, made.PasswordChangedAt)
	return made, nil
}

// grants returns none as it comes back from the store.
func (g *goal) grants() account.Grants {
	if len(g.Grants) == 0 {
		return nil
	}
	return g.Grants
}

func orNow(at, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at
}
