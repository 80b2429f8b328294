package fault_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// startFaults are what a disk does to a host that starts.
var startFaults = []failing{
	{file: "host.lock", calls: "openat", errno: "ENOSPC"},
	{file: "host.lock", calls: "pwrite64", errno: "ENOSPC"},
	{file: "host-id.new", calls: "openat,write", errno: "ENOSPC"},
	{file: "host-id.new", calls: "fsync", errno: "EIO"},
	{file: "host-id.new", calls: "renameat,renameat2,rename", errno: "EIO"},
	{file: "audit", calls: "mkdirat", errno: "ENOSPC"},
	{file: auditFile, calls: "openat", errno: "ENOSPC"},
	{file: auditFile, calls: "write", errno: "ENOSPC"},
	{file: auditFile, calls: "fdatasync", errno: "EIO"},
	{file: "run", calls: "mkdirat", errno: "ENOSPC"},
	{file: "run/x1", calls: "mkdirat", errno: "ENOSPC"},
	{file: "run/x1/concourse-users-bolt", calls: "write,copy_file_range,sendfile", errno: "ENOSPC"},
	{file: storeFile, calls: "openat", errno: "ENOSPC"},
	{file: storeFile, calls: "pwrite64", errno: "EIO"},
	{file: storeFile, calls: "fdatasync,fsync", errno: "EIO"},
	{file: storeFile, calls: "fdatasync,fsync", errno: "EIO", when: "2+"},
	{file: ".accounts.db.restoring", calls: "openat", errno: "ENOSPC"},
	{file: ".accounts.db.restoring", calls: "pwrite64", errno: "ENOSPC"},
	{file: ".accounts.db.restoring", calls: "pwrite64", errno: "ENOSPC", when: "3+"},
	{file: ".accounts.db.restoring", calls: "fdatasync,fsync", errno: "EIO"},
	{file: ".accounts.db.restoring", calls: "renameat,renameat2,rename", errno: "EIO"},
	{file: "initial-admin-password.new", calls: "write", errno: "ENOSPC"},
	{file: "initial-admin-password.new", calls: "fsync", errno: "EIO"},
}

// TestFaultDiskStart starts hosts on disks on which one kind of call fails, in
// homes that are new and in homes that are not: the host says what is wrong, and
// leaves a home in which the next start finds everything as it was.
func TestFaultDiskStart(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(hosttest.Seed(t), 0))
	type start struct {
		fault failing
		old   bool
	}
	var starts []start
	for _, f := range startFaults {
		starts = append(starts, start{f, false}, start{f, true})
	}
	refused := 0
	eachOf(t, draw, starts, func(s start) {
		h := hosttest.New(t)
		h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD="} // the host makes one
		h.Under = traceable()
		if s.old {
			h.Start()
			h.Stop()
		}
		out := filepath.Join(t.TempDir(), "strace")
		// The host is strace's parent, not its child.
		h.Under = slices.Concat(h.Under, s.fault.arguments(h.Home, out), []string{"-D", "--seccomp-bpf"})
		if failed := tryStart(t, h, s.fault.String()); failed != (injected(out) > 0) {
			t.Errorf("%v, in an old home (%v): %d calls failed, and the host did not start: %v", s.fault, s.old, injected(out), failed)
		} else if failed {
			refused++
		}
		h.Under = traceable()
		startWell(t, h, s.fault.String())
	})
	t.Logf("%d starts failed", refused)
}

// eachOf does it to each, in an order that is drawn, until the time is over.
func eachOf[T any](t *testing.T, draw *rand.Rand, all []T, do func(T)) {
	t.Helper()
	draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	end, done := time.Now().Add(hosttest.Span(t, "CONCOURSE_FAULT", 3*time.Second)), 0
	for _, one := range all {
		do(one)
		if done++; !time.Now().Before(end) || t.Failed() {
			break
		}
	}
	t.Logf("%d of %d", done, len(all))
}

// causes are what a person reads of the errors that are injected.
var causes = []string{"no space left on device", "input/output error"}

// tryStart starts a host on a bad disk, and reports whether that failed. Then
// the host says why in one line, in which the file and the cause are named.
func tryStart(t *testing.T, h *hosttest.Host, what string) (failed bool) {
	t.Helper()
	err := h.TryStart()
	said := h.Log()
	h.Kill()
	if err == nil {
		return false
	}
	var errors []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "ERROR: ") {
			errors = append(errors, line)
		}
	}
	if len(errors) != 1 || !strings.Contains(errors[0], h.Home) ||
		!slices.ContainsFunc(causes, func(c string) bool { return strings.Contains(errors[0], c) }) {
		t.Errorf("%s: the host says %q, and nothing else that a person reads; want one line with a file and a cause in it\n%s", what, errors, said)
	}
	return true
}

// startWell starts a host on a disk that is good again, and logs in with the
// password that the host has made.
func startWell(t *testing.T, h *hosttest.Host, what string) {
	t.Helper()
	if err := h.TryStart(); err != nil {
		t.Errorf("%s: with a good disk again: %v", what, err)
		return
	}
	text, err := os.ReadFile(filepath.Join(h.Home, "initial-admin-password"))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	password, _, _ := strings.Cut(string(text), "\n")
	h.As(hosttest.Administrator, password)
	h.Audit()
	h.Stop()
	if log := h.History(); strings.Contains(log, password) {
		t.Errorf("%s: the password is in the log:\n%s", what, log)
	}
}
