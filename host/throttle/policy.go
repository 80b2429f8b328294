package throttle

import (
	"runtime"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// From the third failure on the delay is 1, 2, 4, 8, 16, 32 and then 60 seconds,
// forgotten after a quiet 15 minutes or at a success. That leaves at most 1,440
// guesses a day at one name from one source. There is no delay for a source as
// such: it may be the address that many clients share, and none of them may
// lock the others out. But sources take turns, and so a flood from one of them
// costs the others a place among those under way, however large it is.
const (
	free       = 3 // the failure from which on there is a delay
	firstDelay = time.Second
	mostDelay  = time.Minute
	memory     = 15 * time.Minute

	patience      = 5 * time.Second // how long an attempt waits at most
	fewFromSource = 16              // attempts at once, up to which a refusal is told at once
	long          = time.Second     // many times what a hash takes
)

// mostFromSource bounds the attempts of one source in line: a little more than is
// hashed within patience, at 22 ms each, but no more than hold some 30 MiB while
// they wait.
func mostFromSource(processors int) int { return min(256*processors, 1024) }

// delay returns how long to wait after that many failures.
func delay(failures int) time.Duration {
	if failures < free {
		return 0
	}
	return min(firstDelay<<min(failures-free, 20), mostDelay)
}

// places is how many attempts of a listener may be under way at once, all in
// all, and by strangers: sources that are not in good standing; and how many more
// may be, because they take long and have lent their places to others.
type places struct{ all, strangers, lent int }

// placesOf keeps those who log in to manage ahead of a flood: on their listener
// strangers leave a processor free, so that a source in good standing finds one.
// An attempt that takes long does not hash but waits for the backend, and lends
// its place: a few that hang lock nobody out. Clients, who are behind managers in
// the backend too, get more than processors can serve, for backends that do not
// hash but ask elsewhere.
func placesOf(l account.Listener, processors int) places {
	if l == account.ManagementListener {
		return places{all: processors + 1, strangers: max(1, processors-1), lent: 16}
	}
	return places{all: 32, strangers: 16}
}

func processors() int { return runtime.GOMAXPROCS(0) }
