package fault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

const (
	storeFile = "accounts.db"
	auditFile = "audit/audit.jsonl"
)

// diskFaults are what a disk does to a running host.
var diskFaults = map[string]failing{
	"StoreWriteEIO":    {file: storeFile, calls: "pwrite64", errno: "EIO"},
	"StoreWriteENOSPC": {file: storeFile, calls: "pwrite64,ftruncate", errno: "ENOSPC"},
	"StoreSyncEIO":     {file: storeFile, calls: "fdatasync,fsync", errno: "EIO"},
	"StoreLastSyncEIO": {file: storeFile, calls: "fdatasync,fsync", errno: "EIO", when: "2+2"}, // of the two of a commit
	"StoreSyncENOSPC":  {file: storeFile, calls: "fdatasync,fsync", errno: "ENOSPC", when: "3+5"},
	"StoreNowAndThen":  {file: storeFile, calls: "pwrite64,fdatasync,fsync,ftruncate", errno: "EIO", when: "3+3"},

	"AuditWriteENOSPC":  {file: auditFile, calls: "write", errno: "ENOSPC"},
	"AuditSyncENOSPC":   {file: auditFile, calls: "fdatasync", errno: "ENOSPC"},
	"AuditTornENOSPC":   {file: auditFile, calls: "fdatasync,ftruncate", errno: "ENOSPC"}, // what was refused stays until it can be cut off
	"AuditNowAndThen":   {file: auditFile, calls: "write,fdatasync,ftruncate", errno: "ENOSPC", when: "3+3"},
	"AuditWriteEIO":     {file: auditFile, calls: "write", errno: "EIO"},
	"AuditSyncEIO":      {file: auditFile, calls: "fdatasync", errno: "EIO"},
	"AuditSyncAndCutIO": {file: auditFile, calls: "fdatasync,ftruncate", errno: "EIO"},
}

// breaksTheLog reports whether the host takes no logins and no changes after it
// until it is started again.
func (f failing) breaksTheLog() bool { return f.file == auditFile && f.errno != "ENOSPC" }

// TestFaultDisk fails the writes and syncs of a running host, of the store and of
// the audit log, for a while: what was acknowledged is there, what was refused is
// not, each change that took effect has its line, and the host recovers.
func TestFaultDisk(t *testing.T) {
	t.Parallel()
	faults := map[string]injector{}
	for name, f := range diskFaults {
		faults[name] = f.inject
	}
	place := func(_ *testing.T, h *hosttest.Host) { h.Under = traceable() }
	harmAll(t, sceneOptions{place: place}, hosttest.Span(t, "CONCOURSE_FAULT", 4*time.Second), faults)
}

func (f failing) inject(t *testing.T, s *scene) {
	failed, heal := failDisk(t, s.host, f)
	hosttest.Await(t, "a call fails", func() bool { return failed() > 0 })
	s.sleep(time.Second)
	heal()
	t.Logf("%v: %d calls failed", f, failed())
	if !f.breaksTheLog() {
		return
	}
	hosttest.Await(t, "a login is refused for it", func() bool {
		_, err := s.host.Login(hosttest.Administrator, "not the password")
		return err != nil && strings.Contains(err.Error(), "see its log, then start it again")
	})
	if !strings.Contains(s.host.Log(), auditFile) {
		t.Error("the host's log does not say which file failed")
	}
	s.host.Kill()
	s.host.Start()
}
