package main_test

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-crypt/crypt/algorithm/argon2"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// BenchmarkApply applies files to a real host, built without the race detector:
// accounts that are new, with hashes and with passwords, and accounts that are
// as they should be. The floor of passwords is how fast this machine hashes.
func BenchmarkApply(b *testing.B) {
	h := startFast(b)
	run := 0
	fresh := func(n int, password func() string) string {
		run++
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "- {username: user%d_%06d, grants: {billing: [READ, WRITE]}, %s}\n", run, i, password())
		}
		path := filepath.Join(b.TempDir(), "users.yaml")
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	hash := func() string {
		var bytes [48]byte
		rand.Read(bytes[:])
		text := base64.RawStdEncoding.EncodeToString
		return "password_hash: \"$argon2id$v=19$m=19456,t=2,p=1$" + text(bytes[:16]) + "$" + text(bytes[16:]) + "\""
	}
	password := func() string { return "password_env: CONCOURSE_PASSWORD" }
	for _, c := range []struct {
		name     string
		accounts int
		password func() string
		twice    bool // the second time is measured
	}{
		{"hashes/accounts=10000", 10_000, hash, false},
		{"unchanged/accounts=10000", 10_000, hash, true},
		{"passwords/accounts=400", 400, password, false},
		{"passwords-unchanged/accounts=400", 400, password, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				b.StopTimer()
				path := fresh(c.accounts, c.password)
				if c.twice {
					h.apply(b, path)
				}
				b.StartTimer()
				began := time.Now()
				h.apply(b, path)
				took += time.Since(began)
			}
			rate := float64(c.accounts*b.N) / took.Seconds()
			b.ReportMetric(rate, "accounts/s")
			if strings.HasPrefix(c.name, "passwords") {
				floor := hashesPerSecond(b)
				b.ReportMetric(floor, "hashes/s")
				b.ReportMetric(rate/floor, "of-floor")
			}
		})
	}
}

// hashesPerSecond is what all processors make of the hashes that the plugin
// makes by default.
func hashesPerSecond(b *testing.B) float64 {
	b.Helper()
	hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(19456), argon2.WithT(2), argon2.WithP(1))
	if err != nil {
		b.Fatal(err)
	}
	const each = 100
	began := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for range each {
				if _, err := hasher.Hash(hosttest.Password); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	return float64(each*runtime.GOMAXPROCS(0)) / time.Since(began).Seconds()
}

// fastHost is a host as it is installed.
type fastHost struct {
	bin string
	env []string
}

func startFast(b *testing.B) *fastHost {
	b.Helper()
	dir, err := os.MkdirTemp("", "b") // short, since sockets live in it
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	for out, packages := range map[string]string{"bin/": ".", "bin/plugins/": "../../plugin/cmd/..."} {
		if text, err := exec.Command("go", "build", "-o", filepath.Join(dir, out)+"/", packages).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, text)
		}
	}
	h := &fastHost{bin: filepath.Join(dir, "bin", "concourse"), env: append(os.Environ(),
		"CONCOURSE_HOME="+filepath.Join(dir, "h"), "CONCOURSE_CLIENT_ADDRESS=", "CONCOURSE_PASSWORD="+hosttest.Password, "CONCOURSE_INIT_ROOT_PASSWORD="+hosttest.Password)}
	host := exec.Command(h.bin, "start")
	host.Env = h.env
	out, err := host.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := host.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { host.Process.Signal(syscall.SIGTERM); host.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Concourse is ready") {
			return h
		}
	}
	b.Fatal("the host did not start")
	return nil
}

func (h *fastHost) apply(b *testing.B, path string) {
	b.Helper()
	cmd := exec.Command(h.bin, "users", "apply", "-f", path, "--format", "json")
	cmd.Env = h.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %s", err, stderr.String())
	}
}
