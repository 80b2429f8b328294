package throttle

import "time"

// From the third failure on the delay is 1, 2, 4, 8, 16, 32 and then 60 seconds,
// forgotten after a quiet 15 minutes or at a success. That leaves at most 1,440
// guesses a day at one name from one source. There is no delay for a source as
// such: it may be the address that many clients share, and none of them may
// lock the others out. But it has only so many attempts under way at once, and
// so only so many places among those who wait to hash.
const (
	free       = 3 // the failure from which on there is a delay
	firstDelay = time.Second
	mostDelay  = time.Minute
	memory     = 15 * time.Minute

	mostFromSource = 16
)

// delay returns how long to wait after that many failures.
func delay(failures int) time.Duration {
	if failures < free {
		return 0
	}
	return min(firstDelay<<min(failures-free, 20), mostDelay)
}
