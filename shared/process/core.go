//go:build unix

package process

import "golang.org/x/sys/unix"

// ForbidCoreDumps keeps the passwords that pass through this process out of
// core files. Neither setting can fail for a process that lowers its own.
func ForbidCoreDumps() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	forbidDumping()
}
