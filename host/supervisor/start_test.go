package supervisor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

func sum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// script writes an executable text file.
func script(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// linked gives the misbehaving backend another name.
func linked(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(backend, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStart(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		events := &recorder{}
		o := options(t)
		o.OnEvent, o.SHA256 = events.add, strings.ToUpper(sum(t, backend))
		s := start(t, o)
		got := s.Status()
		if !alive(got.PID) || got.StartedAt.IsZero() {
			t.Errorf("no process in %+v", got)
		}
		want := supervisor.Status{
			State: supervisor.Running, Name: "backend", Version: "1.0", Protocol: 1, PID: got.PID, StartedAt: got.StartedAt,
			Capabilities: s.Description().Capabilities, Path: backend, SHA256: sum(t, backend), Pinned: true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if d := s.Description(); d.StoreID != "store" || len(d.Capabilities) != 7 {
			t.Errorf("description %+v", d)
		}
		stop(t, s, o)
		if diff := cmp.Diff([]supervisor.EventKind{supervisor.PluginStarted, supervisor.PluginStopped}, events.all()); diff != "" {
			t.Error(diff)
		}
		if e := events.first(supervisor.PluginStopped); e.PID != got.PID || e.Version != "1.0" {
			t.Errorf("what stopped is told as %+v", e)
		}
		_, err := s.Show(t.Context(), account.Caller{}, "jane")
		wantKind(t, err, account.KindUnavailable, "plugin backend has been stopped")
	})

	t.Run("FoundByName", func(t *testing.T) {
		o := options(t)
		o.Path, o.Directory = "bolt", filepath.Dir(bolt)
		if got := start(t, o).Status(); got.Path != bolt || got.Name != "bolt" {
			t.Errorf("status %+v", got)
		}
	})

	t.Run("WithoutTLS", func(t *testing.T) {
		o := options(t)
		o.AutoMTLS = false
		if _, err := start(t, o).Show(t.Context(), account.Caller{}, "jane"); err != nil {
			t.Error(err)
		}
	})

	t.Run("Slow", func(t *testing.T) {
		o := options(t)
		o.Path = linked(t, "slow")
		if got := start(t, o).Status(); got.State != supervisor.Running {
			t.Errorf("status %+v", got)
		}
	})

	t.Run("StaleFilesGo", func(t *testing.T) {
		o := options(t)
		for _, dir := range []string{"x7", "s9", "plugin-dir12"} {
			if err := os.MkdirAll(filepath.Join(o.RunDir, dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(o.RunDir, 0o700); err != nil {
			t.Fatal(err)
		}
		start(t, o) // whose end finds the directory empty
	})
}

func TestStart_refused(t *testing.T) {
	long := "1|1|tcp|127.0.0.1:1|grpc|"
	for _, c := range []struct {
		name string
		set  func(*testing.T, *supervisor.Options)
		kind account.Kind
		want string
	}{
		{"NoSuchName", func(t *testing.T, o *supervisor.Options) { o.Path, o.Directory = "etcd", filepath.Dir(bolt) },
			account.KindInvalid, `no plugin named "etcd"`},
		{"NoSuchFile", func(t *testing.T, o *supervisor.Options) { o.Path = "/nowhere/absent" },
			account.KindUnavailable, "there is no file"},
		{"Directory", func(t *testing.T, o *supervisor.Options) { o.Path = t.TempDir() },
			account.KindUnavailable, "not a regular file"},
		{"NotExecutable", func(t *testing.T, o *supervisor.Options) { o.Path = script(t, "text", "hello", 0o600) },
			account.KindUnavailable, "is not executable"},
		{"WorldWritable", func(t *testing.T, o *supervisor.Options) { o.Path = script(t, "open", "#!/bin/sh\n", 0o777) },
			account.KindUnavailable, "anybody may write"},
		{"NotAProgram", func(t *testing.T, o *supervisor.Options) { o.Path = script(t, "text", "hello", 0o755) },
			account.KindUnavailable, "/text cannot be executed: exec format error"},
		{"NoInterpreter", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "text", "#!/no/such/interpreter\n", 0o755)
		},
			account.KindUnavailable, "/text cannot be executed: no such file or directory; the interpreter"},
		{"PinMismatch", func(t *testing.T, o *supervisor.Options) { o.SHA256 = strings.Repeat("0", 64) },
			account.KindUnavailable, "but it is pinned to 0000"},
		{"PinIsNoSum", func(t *testing.T, o *supervisor.Options) { o.SHA256 = "latest" },
			account.KindInvalid, `"latest" is not a SHA-256 sum`},
		{"Garbage", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "garbage", "#!/bin/sh\nprintf 'he\\033llo\\n'; exec sleep 60", 0o755)
		}, account.KindUnavailable, `it is not a plugin: its output begins with "he\\u001bllo"`},
		{"GarbageWithoutEnd", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "garbage", "#!/bin/sh\nexec cat /dev/zero", 0o755)
		}, account.KindUnavailable, "it is not a plugin"},
		{"ExitsAtOnce", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "hasty", "#!/bin/sh\necho no license found >&2; exit 3", 0o755)
		}, account.KindUnavailable, "it ended before it began to serve (exit status 3): no license found"},
		{"OtherProtocol", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "newer", "#!/bin/sh\necho '1|2|unix|/x|grpc|'; exec sleep 60", 0o755)
		}, account.KindUnavailable, "it speaks protocol 2 and this host protocol 1"},
		{"NetRPC", func(t *testing.T, o *supervisor.Options) {
			o.Path = script(t, "older", "#!/bin/sh\necho '1|1|unix|/x|netrpc|'; exec sleep 60", 0o755)
		}, account.KindUnavailable, "it does not serve gRPC"},
		{"TCP", func(t *testing.T, o *supervisor.Options) {
			o.AutoMTLS = false
			o.Path = script(t, "tcp", "#!/bin/sh\necho '"+long+"'; exec sleep 60", 0o755)
		}, account.KindUnavailable, "it listens at tcp 127.0.0.1:1"},
		{"SocketElsewhere", func(t *testing.T, o *supervisor.Options) {
			o.AutoMTLS = false
			o.Path = script(t, "astray", "#!/bin/sh\necho '1|1|unix|/tmp/x|grpc|'; exec sleep 60", 0o755)
		}, account.KindUnavailable, "it listens at unix /tmp/x"},
		{"NoCertificate", func(t *testing.T, o *supervisor.Options) { o.Path = linked(t, "deaf") },
			account.KindUnavailable, "it gave no certificate for AutoMTLS"},
		{"Deaf", func(t *testing.T, o *supervisor.Options) {
			o.Path, o.AutoMTLS, o.StartTimeout = linked(t, "deaf"), false, 300*time.Millisecond
		}, account.KindUnavailable, "it did not begin to serve within 300ms"},
		{"TooSlow", func(t *testing.T, o *supervisor.Options) {
			o.Path, o.StartTimeout = script(t, "slug", "#!/bin/sh\necho waking up >&2; exec sleep 60", 0o755), 300*time.Millisecond
		}, account.KindUnavailable, "it did not begin to serve within 300ms: waking up"},
		{"ConfigureRefuses", func(t *testing.T, o *supervisor.Options) {
			o.Configuration.Settings = map[string]string{"configure": "refuse"}
		}, account.KindInvalid, `cannot start plugin backend: "configure" is not a setting`},
		{"ConfigureHangs", func(t *testing.T, o *supervisor.Options) {
			o.Configuration.Settings, o.StartTimeout = map[string]string{"configure": "hang"}, 2*time.Second
		}, account.KindUnavailable, "it did not answer its configuration within 2s"},
		{"ConfigureCrashes", func(t *testing.T, o *supervisor.Options) {
			o.Configuration.Settings = map[string]string{"configure": "crash"}
		}, account.KindUnavailable, "it ended (exit status 9) while it was being configured: the disk is on fire"},
		{"RunDirOpen", func(t *testing.T, o *supervisor.Options) {
			o.RunDir = t.TempDir()
			if err := os.Chmod(o.RunDir, 0o755); err != nil {
				t.Fatal(err)
			}
		}, account.KindInvalid, "with mode 0700"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t)
			c.set(t, &o)
			before := runtime.NumGoroutine()
			s, err := supervisor.Start(t.Context(), o)
			if err == nil {
				stop(t, s, o)
				t.Fatal("started")
			}
			wantKind(t, err, c.kind, c.want)
			if strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), "plugin "+filepath.Base(o.Path)) > 1 {
				t.Errorf("not one clear line: %v", err)
			}
			wantEmpty(t, o.RunDir)
			eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

func TestStart_environment(t *testing.T) {
	t.Setenv("GOCOVERDIR", t.TempDir())
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	o := options(t)
	start(t, o)
	got := lines(t, o, "environment")
	slices.Sort(got)
	want := []string{
		"CONCOURSE_USERS_PLUGIN", "PATH", "PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT",
		"PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR", "TMPDIR",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(o.Configuration.Home, "stdin")); err == nil {
		t.Error("the plugin has the host's standard input")
	}
}
