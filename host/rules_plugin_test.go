package host_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// TestRule10PluginIsNotTrusted shows what a plugin is given and what not, which
// ones are not run at all, that none outlives its host, and that one that
// misbehaves costs the host no more than its restart.
func TestRule10PluginIsNotTrusted(t *testing.T) {
	t.Parallel()
	t.Run("CleanEnvironment", func(t *testing.T) { t.Parallel(); cleanEnvironment(t) })
	t.Run("Refused", func(t *testing.T) { t.Parallel(); refusedPlugins(t) })
	t.Run("MutualTLS", func(t *testing.T) { t.Parallel(); mutualTLS(t) })
	t.Run("DiesWithTheHost", func(t *testing.T) { t.Parallel(); diesWithTheHost(t) })
	t.Run("Trouble", func(t *testing.T) { t.Parallel(); trouble(t) })
}

// cleanEnvironment finds no more in a plugin's environment and arguments than
// what the handshake takes. The real one's environment is closed even to its own
// user, so a script that is no plugin keeps what it was given.
func cleanEnvironment(t *testing.T) {
	dir := t.TempDir()
	kept, script := filepath.Join(dir, "kept"), filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat /proc/$$/environ >"+kept+"\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t, "plugin.path: "+script)
	h.Env = []string{"AWS_SECRET_ACCESS_KEY=canary", "LD_LIBRARY_PATH=/canary", "CONCOURSE_LEASE=20s"}
	if h.TryStart() == nil {
		t.Fatal("the host took a script for a plugin")
	}
	environ, err := os.ReadFile(kept)
	if err != nil || len(environ) == 0 {
		t.Fatalf("nothing was kept: %v", err)
	}
	h.Configure()
	h.Start()
	pid := h.PluginPID()
	given := []string{"PATH", "TMPDIR", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_CLIENT_CERT", wire.Handshake.MagicCookieKey}
	for _, v := range strings.Split(strings.TrimRight(string(environ), "\x00"), "\x00") {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(given, name) || strings.Contains(v, "canary") {
			t.Errorf("the plugin is given %s", v)
		}
	}
	if arguments := proc(t, pid, "cmdline"); strings.Count(arguments, "\x00") != 1 {
		t.Errorf("the plugin is given arguments: %q", arguments)
	}
}

// refusedPlugins are not run, or not for long: the host says why, in one line,
// and ends.
func refusedPlugins(t *testing.T) {
	dir := t.TempDir()
	bolt := filepath.Join(hosttest.Bin(t), "plugins", "concourse-users-bolt")
	content, err := os.ReadFile(bolt)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	pin := hex.EncodeToString(sum[:])
	put := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script := func(name, text string) string { return put(name, []byte("#!/bin/sh\n"+text+"\n")) }
	for name, c := range map[string]struct{ path, pin, why string }{
		"another pin":       {bolt, strings.Repeat("0", 64), "pin"},
		"changed":           {put("changed", append(content, '\n')), pin, "pin"},
		"no program":        {put("text", []byte("not a program")), "", "cannot be executed"},
		"no plugin":         {script("hello", "echo hello"), "", "not a plugin"},
		"another protocol":  {script("newer", "echo '1|99|unix|/tmp/x|grpc|'; sleep 60"), "", "protocol 99"},
		"no certificate":    {script("open", `echo "1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/x|grpc|"; sleep 60`), "", "certificate"},
		"ends at once":      {script("ends", "echo the disk is on fire >&2; exit 9"), "", "the disk is on fire"},
		"binary to nowhere": {script("junk", "head -c 100000 /dev/urandom"), "", "not a plugin"},
	} {
		h := hosttest.New(t, "plugin:", "  path: "+c.path, "  sha256: '"+c.pin+"'")
		err := h.TryStart()
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want a refusal that speaks of %q", name, err, c.why)
		}
		h.Kill()
		if _, err := os.Stat(filepath.Join(h.Home, "accounts.db")); err == nil {
			t.Errorf("%s: it got as far as a store", name)
		}
	}
	h := hosttest.Start(t, "plugin:", "  path: "+bolt, "  sha256: "+pin)
	if s, err := h.Dial().PluginStatus(t.Context()); err != nil || !s.Pinned || s.SHA256 != pin {
		t.Errorf("with the right pin: %+v, %v", s, err)
	}
}

// mutualTLS: whoever reaches the plugin's socket without the host's key gets
// no answer.
func mutualTLS(t *testing.T) {
	h := hosttest.Start(t)
	sockets, err := filepath.Glob(filepath.Join(h.Home, "run", "s*", "plugin*"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets: %v, %v", sockets, err)
	}
	if info, err := os.Stat(filepath.Join(h.Home, "run")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the sockets' directory: %v, %v", info, err)
	}
	c, err := tls.Dial("unix", sockets[0], &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err == nil {
		defer c.Close()
		c.SetDeadline(time.Now().Add(30 * time.Second))
		c.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
		var answer [1]byte
		_, err = c.Read(answer[:])
	}
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a certificate: %v, want to be asked for one", err)
	}
}

// diesWithTheHost: no orphan holds the store, and the next host has it at once.
func diesWithTheHost(t *testing.T) {
	h := hosttest.Start(t)
	for range 5 {
		pid := h.PluginPID()
		h.Kill()
		h.Start() // it does not wait for anybody to clean up
		if hosttest.Alive(pid) {
			t.Errorf("the plugin %d outlived its host", pid)
		}
	}
	h.Admin()
}

// trouble runs a plugin that crashes, hangs, babbles and lies on demand. The
// host, its session and its next call are as they were.
func trouble(t *testing.T) {
	h := hosttest.Start(t, "call_timeout: 2s", "plugin:", "  path: "+hosttest.Build(t, "./host/testdata/trouble"))
	admin := h.Admin()
	host := h.PID()
	for _, c := range []struct {
		trouble string
		kind    account.Kind
	}{
		{"exit", account.KindUnavailable},
		{"panic", account.KindInternal},
		{"crash", account.KindUnavailable},
		{"hang", account.KindUnavailable},
		{"garbage", 0},
		{"flood", 0},
		{"stranger", account.KindInternal},
		{"nobody", account.KindInternal},
		{"huge", account.KindInternal},
	} {
		_, err := admin.Show(t.Context(), c.trouble)
		if account.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want kind %v", c.trouble, err, c.kind)
		}
		hosttest.Await(t, "the plugin serves again after: "+c.trouble, func() bool {
			_, err := admin.Show(t.Context(), "well")
			if err != nil && account.KindOf(err) != account.KindUnavailable {
				t.Fatalf("after %s: %v", c.trouble, err)
			}
			return err == nil
		})
	}
	if h.PID() != host || !hosttest.Alive(host) {
		t.Error("the host is gone")
	}
	if size := len(h.Log()); size > 4<<20 {
		t.Errorf("the plugin made the host log %d bytes", size)
	}
	h.Stop()
}
