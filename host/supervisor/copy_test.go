package supervisor_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/supervisor"
)

// What runs again after the plugin's death is what was compared with the pin, or
// nothing.
func TestStart_CopyWasChanged(t *testing.T) {
	events := &recorder{}
	o := options(t)
	o.OnEvent = events.add
	s := start(t, o)
	copies, err := filepath.Glob(filepath.Join(o.RunDir, "x*", "*"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("the copies are %q, %v", copies, err)
	}
	if err := os.Remove(copies[0]); err != nil { // a file that runs cannot be written
		t.Fatal(err)
	}
	if err := os.WriteFile(copies[0], []byte("#!/bin/sh\n"), 0o500); err != nil {
		t.Fatal(err)
	}
	signal(t, s.Status().PID, syscall.SIGKILL)
	eventually(t, "the copy is refused", func() bool { return strings.Contains(s.Status().LastError, "was changed") })
	for _, e := range events.all() {
		if e == supervisor.PluginRestarted {
			t.Error("it ran")
		}
	}
	stop(t, s, o)
}
