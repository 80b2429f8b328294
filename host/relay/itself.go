package relay

import (
	"math"
	"math/rand/v2"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Itself is what the client port answers to the relay's own login. Were it let in,
// the host would pass every call on to itself, over and over.
const Itself = "this is the host that asks: its setting upstream.address leads back to it"

var errItself error = account.Unavailable("the host's setting upstream.address leads back to the host itself; it must name the data server")

// newMark returns a sequence id by which the relay knows a login of its own,
// whatever has passed it on: drivers count from 0.
func newMark() int32 { return math.MaxInt32 - rand.Int32N(math.MaxInt32/2) }

// IsOwn reports whether a login that has come in is the relay's own.
func (r *Relay) IsOwn(username []byte, seqID int32) bool {
	return seqID == r.mark && string(username) == r.Username
}
