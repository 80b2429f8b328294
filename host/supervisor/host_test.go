package supervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// runHost makes this process a host that says its plugin's pid and waits to be
// killed.
func runHost(home string) {
	s, err := supervisor.Start(context.Background(), hostOptions(os.Getenv(hostVariable+"_PLUGIN"), home))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Status().PID)
	// Threads that end must not take the plugin with them.
	for range 50 {
		go func() { runtime.LockOSThread() }()
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Println(s.Status().Restarts)
	select {}
}

func hostOptions(plugin, home string) supervisor.Options {
	return supervisor.Options{
		Path: plugin, AutoMTLS: true, RunDir: filepath.Join(home, "run"),
		StartTimeout: 20 * time.Second, Configuration: account.Configuration{Home: home},
	}
}

// TestHost_killed: no orphan may hold the store's lock (rule 10), and a new
// host starts at once.
func TestHost_killed(t *testing.T) {
	home := t.TempDir()
	for range 3 {
		host := exec.Command(os.Args[0])
		host.Env = append(os.Environ(), hostVariable+"="+home, hostVariable+"_PLUGIN="+bolt)
		host.Stderr = os.Stderr
		out, err := host.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := host.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		in.Scan()
		pid := number(t, in.Text())
		if in.Scan(); strings.TrimSpace(in.Text()) != "0" || !alive(pid) {
			t.Errorf("the plugin did not outlive the host's threads: %q restarts", in.Text())
		}
		host.Process.Kill()
		host.Wait()
		eventually(t, "the plugin is gone", func() bool { return !alive(pid) })
	}
	o := hostOptions(bolt, home)
	start(t, o)
}
