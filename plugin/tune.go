package plugin

import "runtime"

// answerWhileHashing lets the runtime run half as many threads again as there are
// processors. As many hashes are computed at once as there are processors, each
// for some 20 ms without a pause: without threads beside theirs every other call
// would wait for its goroutines' turns among them, several times over, where the
// kernel gives whoever has slept a processor at once. Twice as many threads would
// answer no faster, and cost a twentieth of the logins.
func answerWhileHashing() {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(n + (n+1)/2)
}

const (
	memoryOfHash = 19 << 20  // what a hash computes in
	mostBallast  = 256 << 20 // bytes
)

// ballast keeps the collector from running after every second hash, for as long
// as it is held. It is never touched, and so takes no memory: only the collector
// counts it. A heap that holds next to nothing but the memory of hashes would be
// collected, and its pages handed to the system and asked for again, with each of
// them: a fault for every fourth page, and a third of the time. With two hashes for
// each processor counted in, about six are made from one collection to the next.
func ballast() []byte {
	return make([]byte, min(2*memoryOfHash*runtime.NumCPU(), mostBallast))
}
