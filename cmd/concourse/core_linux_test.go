package main_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// Design rule 9: no core dump holds a password.
func TestNoCoreDump(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	s := open(t, asking(h, "users", "list", "-u", "admin"))
	s.await("password for [admin]: ")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("a core dump is possible:\n%s", limits)
	}
}
