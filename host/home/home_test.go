package home_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/home"
)

func open(t *testing.T) *home.Home {
	t.Helper()
	h, err := home.Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDefault(t *testing.T) {
	for name, row := range map[string]struct {
		env  map[string]string
		uid  int
		want string
	}{
		"named":               {env: map[string]string{"CONCOURSE_HOME": "/x", "XDG_DATA_HOME": "/d"}, uid: 1000, want: "/x"},
		"named, root":         {env: map[string]string{"CONCOURSE_HOME": "/x"}, want: "/x"},
		"root":                {env: map[string]string{"HOME": "/root", "XDG_DATA_HOME": "/d"}, want: "/var/lib/concourse"},
		"data directory":      {env: map[string]string{"HOME": "/home/a", "XDG_DATA_HOME": "/d"}, uid: 1000, want: "/d/concourse"},
		"relative is ignored": {env: map[string]string{"HOME": "/home/a", "XDG_DATA_HOME": "d"}, uid: 1000, want: "/home/a/.local/share/concourse"},
		"other":               {env: map[string]string{"HOME": "/home/a"}, uid: 1000, want: "/home/a/.local/share/concourse"},
		"nowhere":             {uid: 1<<31 - 7, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := home.Default(func(key string) string { return row.env[key] }, row.uid); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	h, err := home.Open(dir + "/a/../b//c")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "b", "c"); h.Path() != want {
		t.Errorf("the home is %s, want %s", h.Path(), want)
	}
	info, err := os.Stat(h.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("its mode is %v", info.Mode())
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !os.IsNotExist(err) {
		t.Errorf("a directory that is not on the way was made: %v", err)
	}
	if _, err := home.Open(h.Path()); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestOpenRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	h, err := home.Open("x")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(h.Socket()) {
		t.Errorf("the socket is %s", h.Socket())
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o770); err != nil {
		t.Fatal(err)
	}
	long := "/" + strings.Repeat("x", 200)
	for name, row := range map[string]struct{ path, want string }{
		"nowhere":         {"", "no home is known; name one with --home or CONCOURSE_HOME"},
		"a file":          {file, "the home " + file + " is not a directory"},
		"in a file":       {file + "/x", "cannot create the home " + file + "/x: not a directory"},
		"shared":          {shared, "the home " + shared + " may be written to by others; run chmod go-w on it"},
		"too long a path": {long, "the home's path has 201 bytes, and with sockets in it may have at most 78: " + long},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := home.Open(row.path)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for name, row := range map[string]struct {
		mode        fs.FileMode
		owner, self int
		want        string
	}{
		"own":                {fs.ModeDir | 0o700, 7, 7, ""},
		"for a group":        {fs.ModeDir | 0o710, 7, 7, ""},
		"readable":           {fs.ModeDir | 0o755, 7, 7, ""},
		"root's":             {fs.ModeDir | 0o700, 0, 7, ""},
		"another's":          {fs.ModeDir | 0o700, 8, 7, "belongs to uid 8; run as that user, or choose another home"},
		"another's for root": {fs.ModeDir | 0o700, 8, 0, "belongs to uid 8; run as that user, or choose another home"},
		"group may write":    {fs.ModeDir | 0o720, 7, 7, "may be written to by others; run chmod go-w on it"},
		"all may write":      {fs.ModeDir | fs.ModeSticky | 0o702, 7, 7, "may be written to by others; run chmod go-w on it"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := home.Check(row.mode, row.owner, row.self); err != nil {
				got = err.Error()
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestAdmit(t *testing.T) {
	h := open(t)
	if err := h.Admit(os.Getegid()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(h.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o710 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if _, err := home.Open(h.Path()); err != nil {
		t.Errorf("an admitted group makes Open refuse: %v", err)
	}
}

func TestID(t *testing.T) {
	h := open(t)
	first, err := h.ID()
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.ID()
	if err != nil || again != first || len(first) != 32 {
		t.Errorf("got %q, then %q, %v", first, again, err)
	}
	if other, err := open(t).ID(); err != nil || other == first {
		t.Errorf("another home's id is %q, %v", other, err)
	}
}

func TestIDSpoiled(t *testing.T) {
	h := open(t)
	path := filepath.Join(h.Path(), "host-id")
	for _, spoiled := range []string{"", "short\n", strings.Repeat("x", 32) + "\n"} {
		if err := os.WriteFile(path, []byte(spoiled), 0o600); err != nil {
			t.Fatal(err)
		}
		if id, err := h.ID(); err == nil || !strings.HasPrefix(err.Error(), path+" does not hold an id") {
			t.Errorf("%q: got %q, %v", spoiled, id, err)
		}
	}
}
