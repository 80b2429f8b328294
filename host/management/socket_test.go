package management_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestListen(t *testing.T) {
	listen := func(t *testing.T, path string, gid int) fs.FileInfo {
		t.Helper()
		l, err := management.Listen(path, gid)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".s*")); err != nil || len(left) != 0 {
			t.Errorf("left beside it: %v, %v", left, err)
		}
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				c.Close()
			}
		}()
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		return info
	}
	t.Run("OwnerOnly", func(t *testing.T) {
		if info := listen(t, socketPath(t), -1); info.Mode() != fs.ModeSocket|0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	})
	t.Run("Group", func(t *testing.T) {
		gid := os.Getegid()
		if asRoot(t) {
			gid = nobody
		}
		info := listen(t, socketPath(t), gid)
		if got := int(info.Sys().(*syscall.Stat_t).Gid); info.Mode() != fs.ModeSocket|0o660 || got != gid {
			t.Errorf("mode %v, group %d", info.Mode(), got)
		}
	})
	t.Run("Leftover", func(t *testing.T) {
		path := socketPath(t)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		if info := listen(t, path, -1); info.Mode() != fs.ModeSocket|0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	})
	t.Run("LeftByAKill", func(t *testing.T) {
		path := socketPath(t)
		dir := filepath.Dir(path)
		for name, mode := range map[string]fs.FileMode{".s1": 0o700, ".s23": 0o700, ".s4": 0o755, ".s5": 0o700, ".sx": 0o700, "s6": 0o700} {
			at := filepath.Join(dir, name)
			if err := errors.Join(os.Mkdir(at, 0o700), os.Chmod(at, mode)); err != nil {
				t.Fatal(err)
			}
		}
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, ".s23", "s"), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		for _, name := range []string{filepath.Join(".s5", "s"), ".s7"} { // no socket, no directory
			if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		made, err := management.Listen(path, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer made.Close()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, e := range entries {
			left = append(left, e.Name())
		}
		if want := []string{".s4", ".s5", ".s7", ".sx", filepath.Base(path), "s6"}; !slices.Equal(left, want) {
			t.Errorf("the directory has %q, want %q", left, want)
		}
	})
	for name, put := range map[string]func(path string) error{
		"ErrFile":         func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"ErrDirectory":    func(path string) error { return os.Mkdir(path, 0o700) },
		"ErrSymbolicLink": func(path string) error { return os.Symlink("/nowhere", path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := socketPath(t)
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if l, err := management.Listen(path, -1); err == nil || !strings.Contains(err.Error(), path+" is in the way") {
				t.Errorf("got %v, %v", l, err)
			}
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() {
				t.Errorf("it was touched: %v, %v", after, err)
			}
		})
	}
	t.Run("ErrNoDirectory", func(t *testing.T) {
		if _, err := management.Listen(filepath.Join(t.TempDir(), "none", "s"), -1); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

// One user's connections, however many, keep nobody else out.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	gid := -1
	if asRoot(t) {
		gid = nobody
	}
	f := run(t, page{}, control{}, gid)
	f.table.Heartbeat("store", 0, time.Now())
	knock := func() (net.Conn, error) {
		t.Helper()
		c, err := net.Dial("unix", f.path)
		if err != nil {
			t.Fatal(err)
		}
		// The host speaks first, once it has let somebody in.
		_, err = io.ReadFull(c, make([]byte, 1))
		if err != nil {
			c.Close()
		}
		return c, err
	}
	var in []net.Conn
	for range management.MaxConnections {
		c, err := knock()
		if err != nil {
			t.Fatalf("the connection behind %d others: %v", len(in), err)
		}
		defer c.Close()
		in = append(in, c)
	}
	if _, err := knock(); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one more: %v", err)
	}
	_, err := management.Dial(t.Context(), f.path, management.DialOptions{})
	expectKind(t, err, account.KindUnavailable, "")
	if gid == nobody {
		if v := sendStranger(t, f.path); v.Dial != "" || v.Login != "" {
			t.Errorf("another user was kept out: %+v", v)
		}
	}
	in[0].Close()
	await(t, "its place is free", func() bool {
		c, err := management.Dial(t.Context(), f.path, management.DialOptions{})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}
