package bench_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// memory is that of a process, as Linux tells it below /proc.
type memory struct {
	directory string
	before    float64 // MiB
}

// newMemory begins to watch a process.
func newMemory(b *testing.B, pid int) memory {
	b.Helper()
	m := memory{directory: filepath.Join("/proc", strconv.Itoa(pid))}
	const forgetMost = "5"
	if err := os.WriteFile(filepath.Join(m.directory, "clear_refs"), []byte(forgetMost), 0); err != nil {
		b.Fatal(err)
	}
	var err error
	if m.before, err = m.read("VmRSS"); err != nil {
		b.Fatal(err)
	}
	return m
}

// growth returns by how many MiB the most that the process has had since then
// is beyond what it had.
func (m memory) growth(b *testing.B) float64 {
	b.Helper()
	most, err := m.read("VmHWM")
	if err != nil {
		b.Fatal(err)
	}
	return most - m.before
}

func (m memory) read(field string) (mib float64, err error) {
	status, err := os.ReadFile(filepath.Join(m.directory, "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if _, err := fmt.Sscanf(line, field+": %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("%s has no %s", m.directory, field)
}

// mostOf runs a command and returns the most memory that it had, in MiB. What
// the system tells of an ended process is at least what this one has, which
// started it; so it is asked again and again.
func mostOf(b *testing.B, cmd *exec.Cmd) float64 {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	m := memory{directory: filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid))}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for most := 0.0; ; time.Sleep(time.Millisecond) {
		if now, err := m.read("VmHWM"); err == nil {
			most = max(most, now)
		}
		select {
		case err := <-ended:
			if err != nil {
				b.Fatalf("%v: %v", cmd.Args, err)
			}
			return most
		default:
		}
	}
}
