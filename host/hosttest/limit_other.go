//go:build !linux

package hosttest

// StopAuditLog needs a way to limit another process.
func (h *Host) StopAuditLog(int) {
	h.t.Helper()
	h.t.Fatal("this test needs Linux")
}

// StopAuditLogOf needs one too.
func (h *Host) StopAuditLogOf(int, int) {
	h.t.Helper()
	h.t.Fatal("this test needs Linux")
}
