package management_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestDialSwappedSocket has a stranger listen at a socket that looks like root's
// by the time that it is looked at. It takes root to act both.
func TestDialSwappedSocket(t *testing.T) {
	if !asRoot(t) {
		return
	}
	path := socketPath(t)
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	listening := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function, and the stranger with it
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); errno != 0 {
			listening <- errno
			return
		}
		l, err := net.Listen("unix", path)
		if err == nil {
			t.Cleanup(func() { l.Close() })
		}
		listening <- err
	}()
	if err := <-listening; err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 0, -1); err != nil {
		t.Fatal(err)
	}
	_, err := management.Dial(t.Context(), path, management.DialOptions{})
	expectKind(t, err, account.KindNotPermitted, "a process of 'nobody' (uid 65534), which is neither root nor this user, so nothing was sent to it")
	if strings.Contains(err.Error(), "--socket-owner") {
		t.Errorf("it is told how to trust whoever took the socket's place: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // it never speaks
	defer cancel()
	if _, err := management.Dial(ctx, path, management.DialOptions{AllowedOwners: []uint32{nobody}}); account.KindOf(err) == account.KindNotPermitted {
		t.Errorf("the stranger is allowed, and refused: %v", err)
	}
}
