package fault_test

import (
	"fmt"
	"slices"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Few accounts, so that clients meet at each of them. Only the first may ever
// be ADMINs, so that the model of them stays small.
var (
	admins  = [...]string{hosttest.Administrator, "ada", "bea", "cid"}
	targets = []string{"jeff", "kim", "lea", "max", "guest1", "guest2"}
	names   = slices.Concat(admins[:], targets)
)

// passwords are those that an account may have; the first place is none's.
var passwords = []string{"", hosttest.Password, "staple and battery", "another from now on"}

var environments = []string{"prod", "test", "lab"}

// rights are grants in the environments: two bits for each, READ and WRITE.
type rights uint8

func right(environment int, p account.Permission) rights {
	if p == account.Write {
		return 2 << (2 * environment)
	}
	return 1 << (2 * environment)
}

func both(environment int) rights { return 3 << (2 * environment) }

// unlike are rights that no account has.
const unlike = ^rights(0)

func rightsOf(g account.Grants) (r rights) {
	for environment, permissions := range g {
		i := slices.Index(environments, environment)
		if i < 0 || len(permissions) == 0 {
			return unlike
		}
		for _, p := range permissions {
			r |= right(i, p)
		}
	}
	return r
}

func (r rights) grants() account.Grants {
	g := account.Grants{}
	for i, environment := range environments {
		for _, p := range []account.Permission{account.Read, account.Write} {
			if r&right(i, p) != 0 {
				g[environment] = append(g[environment], p)
			}
		}
	}
	return g
}

// state is what one account is. The zero state is that of none.
type state struct {
	exists     bool
	id         account.ID // empty: nobody was told
	generation account.Generation
	role       account.Role
	enabled    bool
	rights     rights
	password   int // of passwords
}

func (s state) administers() bool { return s.exists && s.enabled && s.role == account.Admin }

func (s state) String() string {
	if !s.exists {
		return "{none}"
	}
	return fmt.Sprintf("{%.4s/%d %s enabled=%v rights=%06b password=%d}", s.id, s.generation, s.role, s.enabled, s.rights, s.password)
}

// as reports whether s may be what was seen, and returns s with what that adds.
// No answer tells a password.
func (s state) as(found seen) (state, bool) {
	if s.exists != found.exists {
		return s, false
	}
	if !s.exists {
		return s, true
	}
	if !found.partial {
		if s.id == "" {
			s.id = found.id
		}
		if s.id != found.id || s.generation != found.generation {
			return s, false
		}
	}
	return s, s.role == found.role && s.enabled == found.enabled && s.rights == found.rights
}
