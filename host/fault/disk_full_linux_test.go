package fault_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// small is a file system of a size, with a host's home as its root.
type small struct{ ballast string }

// shrink moves a home to a file system of its own, which has room for so many
// bytes. It is mounted in a namespace, that of a process that does no more than
// keep it; whoever may look at that process reaches the home through it.
func shrink(t *testing.T, h *hosttest.Host, room int64) *small {
	t.Helper()
	settings, err := os.ReadFile(filepath.Join(h.Home, "concourse.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	keeper := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		fmt.Sprintf("mount -t tmpfs -o size=%d,mode=700 none %s && echo mounted && exec cat", room, h.Home))
	in, err := keeper.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	keeper.Stderr = os.Stderr
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Kill()
		in.Close()
		keeper.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("no file system could be mounted: %q, %v", line, err)
	}
	h.Home = fmt.Sprintf("/proc/%d/root%s", keeper.Process.Pid, h.Home)
	h.Configure(string(settings))
	return &small{filepath.Join(h.Home, "ballast")}
}

// leave fills the disk but for so many bytes.
func (s *small) leave(t *testing.T, room int64) {
	t.Helper()
	f, err := os.OpenFile(s.ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		err = f.Truncate(max(info.Size()-room, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *small) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(s.ballast); err != nil {
		t.Fatal(err)
	}
}

// pluginSize is what the host's copy of the plugin takes.
func pluginSize(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(hosttest.Bin(t), "plugins", "concourse-users-bolt"))
	if err != nil {
		t.Fatal(err)
	}
	return (info.Size() + 4095) &^ 4095
}

// TestFaultDiskFullStart starts hosts in new homes on disks that run full at one
// place or another of the start.
func TestFaultDiskFullStart(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(hosttest.Seed(t), 0))
	const page = 4096
	plugin := pluginSize(t)
	rooms := []int64{0, page, 2 * page, 3 * page, 4 * page, 5 * page, plugin / 2}
	for pages := range int64(24) {
		rooms = append(rooms, plugin+pages*page)
	}
	refused := 0
	eachOf(t, draw, rooms, func(room int64) {
		h := hosttest.New(t)
		h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD="}
		disk := shrink(t, h, 2*plugin+8<<20) // a plugin that was killed a moment ago may hold its copy still
		disk.leave(t, room)
		what := fmt.Sprintf("with room for %d bytes", room)
		if tryStart(t, h, what) {
			refused++
		}
		disk.free(t)
		startWell(t, h, what)
	})
	t.Logf("%d starts failed", refused)
}

// TestFaultDiskFull fills a running host's disk, to the last page or nearly,
// under load, and frees it: the host refuses, says why, and goes on by itself.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	var disk *small
	o := sceneOptions{place: func(t *testing.T, h *hosttest.Host) { disk = shrink(t, h, pluginSize(t)+64<<20) }}
	fill := func(t *testing.T, s *scene) { disk.leave(t, s.draw.Int64N(64<<10)) }
	harmAll(t, o, hosttest.Span(t, "CONCOURSE_FAULT", 3*time.Second), map[string]injector{
		"Full": func(t *testing.T, s *scene) {
			fill(t, s)
			s.sleep(2 * time.Second)
			disk.free(t)
		},
		"FullAndPluginKilled": func(t *testing.T, s *scene) {
			fill(t, s)
			s.sleep(time.Second)
			s.host.KillPlugin()
			s.sleep(time.Second)
			disk.free(t)
		},
		"FullAndHostKilled": func(t *testing.T, s *scene) {
			fill(t, s)
			s.sleep(time.Second)
			s.host.Kill()
			if err := s.host.TryStart(); err == nil { // it may have had room enough
				s.sleep(time.Second)
			}
			s.host.Kill()
			disk.free(t)
			s.host.Start()
		},
	})
}
