package users

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// hasher makes and verifies hashes, each computation in one of the slots.
type hasher struct {
	slots   *slots
	current maker             // makes new hashes
	wrapper argon2idSHA512    // makes hashes of what the Java original kept
	schemes map[string]scheme // verify old ones, by name; both among them
}

func newHasher() *hasher {
	wrapper := argon2idSHA512{owasp}
	return &hasher{
		slots:   newSlots(runtime.GOMAXPROCS(0)),
		current: owasp,
		wrapper: wrapper,
		schemes: map[string]scheme{owasp.name(): owasp, wrapper.name(): wrapper},
	}
}

// hash hashes for management. It refuses with Throttled when too many wait.
func (h *hasher) hash(ctx context.Context, prepared string) (encoded string, err error) {
	if waiting := h.slots.do(ctx, management, func() { encoded, err = h.current.hash(prepared) }); waiting != nil {
		return "", waiting
	}
	return encoded, err
}

// wrap is hash for what the Java original kept of a password. The same comes of
// the same.
func (h *hasher) wrap(ctx context.Context, o originalHash) (encoded string, err error) {
	if waiting := h.slots.do(ctx, management, func() { encoded, err = h.wrapper.wrap(o) }); waiting != nil {
		return "", waiting
	}
	return encoded, err
}

// admits reports whether the hash may be given in place of a password.
func (h *hasher) admits(given string) bool {
	_, d, err := h.parse(given)
	return given != "" && err == nil && d.fits()
}

// accepts says which hashes may be.
func (h *hasher) accepts() string {
	return fmt.Sprintf("%s; or $argon2id-sha512$ within the same bounds and with m times t at least %d, as an export of imported accounts has it, "+
		"or $concourse-sha512$salt$digest", h.current.accepts(), leastWork)
}

// keeps is admits for a hash that no login renews.
func (h *hasher) keeps(given string) bool {
	_, d, err := h.parse(given)
	return given != "" && err == nil && d.fits() && d.lasts()
}

// requires says which hashes keeps takes.
func (h *hasher) requires() string {
	return fmt.Sprintf("%s, and with m times t at least %d, since no login makes it stronger", h.current.accepts(), leastWork)
}

// load says how many compute now, and how many wait to.
func (h *hasher) load() *account.Load { return h.slots.load() }

// verdict is what a verification found.
type verdict struct {
	matches bool
	renewed string // a stronger hash of the same password, if one was asked for and is due
}

// verify checks a password against a stored hash, or, with none, against a
// decoy of the same cost, so that a name that nobody has takes as long as a
// wrong password (rule 9). So does a password that could not have been set. With
// renew, a weak hash that matches is made anew in the same slot.
func (h *hasher) verify(ctx context.Context, p purpose, stored string, password account.Secret, renew bool) (verdict, error) {
	s, d, err := h.parse(stored)
	if err != nil {
		return verdict{}, err
	}
	prepared, unprepared := prepare(s, password) // prepared is empty then
	var v verdict
	waiting := h.slots.do(ctx, p, func() {
		v.matches = d.matches(prepared) && unprepared == nil && stored != ""
		if v.matches && renew && (d.weak() || s.name() != h.current.name()) {
			v.renewed = h.renew(password)
		}
	})
	if waiting != nil {
		return verdict{}, waiting
	}
	return v, nil
}

// renew returns nothing if the current scheme cannot take the password: the old
// hash stays.
func (h *hasher) renew(password account.Secret) string {
	prepared, err := prepare(h.current, password)
	if err != nil {
		return ""
	}
	encoded, err := h.current.hash(prepared)
	if err != nil {
		return ""
	}
	return encoded
}

// parse finds the scheme of a stored hash; an empty one means a decoy.
func (h *hasher) parse(stored string) (scheme, digest, error) {
	var s scheme = h.current
	if stored == "" {
		stored = h.current.decoy()
	} else {
		parts := strings.SplitN(stored, "$", 3)
		if len(parts) < 3 || parts[0] != "" || h.schemes[parts[1]] == nil {
			return nil, nil, errHashForm
		}
		s = h.schemes[parts[1]]
	}
	d, err := s.parse(stored)
	return s, d, err
}
