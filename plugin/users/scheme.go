package users

import "github.com/cinchapi/concourse-users/shared/account"

// scheme is one way in which a password is kept. It names its own preparation,
// so that hashes taken over from elsewhere can be verified as they were made.
type scheme interface {
	// name is the identifier that the PHC form of its hashes begins with.
	name() string
	// prepare returns the form of a password that is hashed, and refuses one
	// that has none with Invalid, reason PASSWORD_POLICY.
	prepare(password account.Secret) (string, error)
	// parse reads a PHC form of this scheme, and refuses one whose cost is out
	// of bounds before anything is computed.
	parse(encoded string) (digest, error)
}

// maker is a scheme that passwords are kept in anew.
type maker interface {
	scheme
	// hash returns the PHC form, with a fresh salt.
	hash(prepared string) (string, error)
	// decoy returns the PHC form of no known password, at the cost of a real
	// one.
	decoy() string
	// accepts says which of its hashes fit to be given in place of a password.
	accepts() string
}

// digest is a parsed hash.
type digest interface {
	// matches computes, in constant time for one cost.
	matches(prepared string) bool
	// weak reports whether the scheme would make a stronger one today.
	weak() bool
	// lasts reports whether it is dear enough to be kept for ever.
	lasts() bool
	// fits reports whether it may be given in place of a password: what it
	// costs and how long its parts are is within bounds narrower than those of
	// parse.
	fits() bool
}
