package fault_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// secondPassword is the first administrator's at the end of a recorded life, and
// that of every other account.
const secondPassword = "a stapled battery, correct"

// life is a home from its first start on, every call that touched its disk, and
// what its users were told. The host was killed once in it, and started again.
type life struct {
	recording *powercut.Recording
	first     powercut.Image // before the first start
	id        string         // the host's
	password  account.Secret // the first administrator's first
	ready     time.Time      // the first start was
	clerks    []*clerk
	admin     *clerk // its only deed is the first administrator's new password
}

// ofPlugin names the plugin's copies and sockets: no start reads their contents.
func ofPlugin(path string) bool { return strings.HasPrefix(path, "run/") }

// live records a life with so many changes in it.
func live(t *testing.T, draw *rand.Rand, changes int) *life {
	t.Helper()
	h := hosttest.New(t,
		"plugin:", "  path: "+hosttest.BuildPlain(t, "./plugin/cmd/concourse-users-bolt"),
		"audit:", "  max_size: 64KiB", "  keep: 0", // it begins many files
	)
	h.Executable = hosttest.BuildPlain(t, "./cmd/concourse")
	h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD="} // one is generated
	l := &life{first: imageOf(t, h.Home), recording: &powercut.Recording{}}
	disk := powercut.NewDisk(l.recording, l.first)

	recorded := l.start(t, h)
	l.ready = time.Now()
	_, l.password = initialPassword(t, h.Home)
	acked := &atomic.Int64{}
	for i := range 6 {
		l.clerks = append(l.clerks, &clerk{
			host: h, name: fmt.Sprintf("clerk%d", i), password: l.password, acked: acked,
			draw: rand.New(rand.NewPCG(draw.Uint64(), 0)),
		})
	}
	var work sync.WaitGroup
	enough := &atomic.Bool{}
	for _, c := range l.clerks {
		work.Go(func() {
			if err := c.work(t.Context(), enough); err != nil {
				t.Error(err)
				enough.Store(true)
			}
		})
	}
	half := func(n int) {
		hosttest.Await(t, "the clerks get on", func() bool { return enough.Load() || acked.Load() >= int64(n) })
	}
	half(changes/2 + draw.IntN(20))
	h.Kill()
	recorded(disk)
	recorded = l.start(t, h)
	half(changes)
	enough.Store(true)
	work.Wait()
	l.admin = &clerk{host: h, name: hosttest.Administrator, password: l.password, acked: acked}
	if err := l.admin.do(t.Context(), account.Account{Username: hosttest.Administrator}, func(a *management.Client, id account.RequestID) (management.Result, error) {
		return a.Password(t.Context(), id, account.Password{Username: hosttest.Administrator, Password: account.Secret(secondPassword)})
	}); err != nil {
		t.Error(err)
	}
	h.Stop()
	recorded(disk)
	at, err := home.At(h.Home)
	if err == nil {
		l.id, err = at.ID()
	}
	if err != nil || t.Failed() {
		t.Fatal("the recorded life has failed itself: ", err)
	}
	return l
}

// start starts the host under strace. The function that it returns, to be called
// after the host's end, adds what was seen to the recording and compares that,
// replayed on the disk, with what is there.
func (l *life) start(t *testing.T, h *hosttest.Host) (recorded func(*powercut.Disk)) {
	t.Helper()
	under, seen := traced(t, h.Home)
	h.Under = under
	h.Start()
	return func(disk *powercut.Disk) {
		t.Helper()
		l.add(t, disk, seen(), h.Home)
	}
}

// add adds what was seen of a directory to the recording.
func (l *life) add(t *testing.T, disk *powercut.Disk, seen *powercut.Recording, dir string) {
	t.Helper()
	l.recording.Add(seen)
	disk.Advance(l.recording.Places() - 1)
	if err := disk.Settle(imageOf(t, dir)); err != nil {
		t.Fatal(err)
	}
}

// traced returns what a command runs under, so that its calls below the directory
// are recorded, and what returns the recording, to be called after its end.
func traced(t *testing.T, dir string) (under []string, seen func() *powercut.Recording) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "strace")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var recording *powercut.Recording
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.Open(pipe)
		if err != nil {
			failed = err
			return
		}
		defer f.Close()
		recording, failed = powercut.Read(f, dir, ofPlugin)
	}()
	under = slices.Concat([]string{"strace", "-D", "-o", pipe}, powercut.Options())
	if os.Geteuid() != 0 { // hosts let nobody but root read what they write
		under = slices.Concat([]string{"unshare", "--user", "--map-root-user"}, under)
	}
	return under, func() *powercut.Recording {
		t.Helper()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("strace does not end")
		}
		if failed != nil {
			t.Fatalf("what strace wrote cannot be read: %v", failed)
		}
		return recording
	}
}

func imageOf(t *testing.T, dir string) powercut.Image {
	t.Helper()
	image, err := powercut.ReadImage(dir, ofPlugin)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// initialPassword returns what the file with it says; ok is false if there is
// none.
func initialPassword(t *testing.T, dir string) (ok bool, password account.Secret) {
	t.Helper()
	h, err := home.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	username, password, ok, err := h.ReadInitialPassword()
	if err != nil || ok && username != hosttest.Administrator {
		t.Errorf("the file with the first password: of '%s', %v", username, err)
	}
	return ok, password
}
