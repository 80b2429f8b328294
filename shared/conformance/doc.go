// Package conformance is the suite that says whether an executable meets the
// contract of an account backend, in whatever language it is written. It speaks
// to real processes, over the real protocol, and knows nothing of how they keep
// accounts. host/verify gives it processes; "concourse plugin verify" and a
// backend's own tests run it.
//
// A Case tests one line of the contract, which it quotes. Capabilities that the
// backend declares decide which cases apply; the others are reported as
// unsupported, never left out. What a failed case sent and got is part of its
// result, without passwords, hashes and contents of backups (rule 9).
package conformance
