package hosttest

import (
	"os"

	"golang.org/x/sys/unix"
)

// StopAuditLog lets the host's audit log grow by so many bytes and no more:
// what a host does before it writes its next line is done, and nobody is told.
// A kill then finds the host where a crash between commit and line would.
func (h *Host) StopAuditLog(room int) {
	h.t.Helper()
	h.StopAuditLogOf(h.PID(), room)
}

// StopAuditLogOf is StopAuditLog for a command that has the home instead.
func (h *Host) StopAuditLogOf(pid, room int) {
	h.t.Helper()
	info, err := os.Stat(h.AuditLog())
	if err != nil {
		h.t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		h.t.Fatal(err)
	}
	limit.Cur = uint64(info.Size()) + uint64(room)
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		h.t.Fatal(err)
	}
}
