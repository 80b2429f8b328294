package hosttest

import (
	"path/filepath"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
)

// AuditLog returns the path of the audit log.
func (h *Host) AuditLog() string { return filepath.Join(h.Home, "audit", "audit.jsonl") }

// Audit returns the audit log's entries, oldest first; each line must be whole.
func (h *Host) Audit() []audit.Entry {
	h.t.Helper()
	var all []audit.Entry
	for e, err := range audit.Read(h.AuditLog(), time.Time{}) {
		if err != nil {
			h.t.Errorf("the audit log has a bad line behind number %d: %v", len(all), err)
			continue
		}
		all = append(all, e)
	}
	return all
}
