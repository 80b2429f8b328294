package relay

import (
	"bytes"

	"github.com/cinchapi/concourse-users/shared/account"
)

// words returns a text of the upstream's as it may stand in the log, or be told to
// a client: one with the service password in it, or the login's token, is left out
// (rule 9). l may be nil.
//
// Answers that are passed on as they are must not have the token (deliverAsIs).
// They are not searched for the password, which the upstream got with the login
// and has no use for in them: whoever sends texts of their own, and has them
// echoed, could guess at it.
func (r *Relay) words(of string, l *login) string {
	text := []byte(of)
	if len(r.Password) > 0 && bytes.Contains(text, r.Password) || l != nil && bytes.Contains(text, l.data()) {
		return "(left out, for a secret is in it)"
	}
	return account.Printable(of)
}
