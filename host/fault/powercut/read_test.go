package powercut_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cinchapi/concourse-users/host/fault/powercut"
)

var braces = regexp.MustCompile(`\{[^}]*\}`)

// strace returns what strace would write, a second apart: one call to a line,
// behind its thread, with text to be written in hexadecimal in braces.
func strace(lines string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		thread, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&b, "%s %d.000000000 %s\n", thread, 1000+i, braces.ReplaceAllStringFunc(call, func(s string) string {
			var hex strings.Builder
			for _, c := range []byte(s[1 : len(s)-1]) {
				fmt.Fprintf(&hex, `\x%02x`, c)
			}
			return hex.String()
		}))
	}
	return b.String()
}

func read(t *testing.T, lines string) *powercut.Recording {
	t.Helper()
	r, err := powercut.Read(strings.NewReader(strace(lines)), "/d", func(path string) bool { return path == "blank" })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRead(t *testing.T) {
	r := read(t, `
		1 openat(AT_FDCWD<{/}>, "{/d/a}", O_RDWR|O_CREAT|O_CLOEXEC, 0600 <unfinished ...>
		2 fsync(5<{/elsewhere}>)       = 0
		1 <... openat resumed>) = 3<{/d/a}>
		1 openat(AT_FDCWD<{/}>, "{/d/a}", O_RDONLY|O_CLOEXEC) = 4<{/d/a}>
		1 write(3<{/d/a}>, "{one}", 3)          = 3
		2 pwrite64(3<{/d/a}>, "{two}", 3, 8 <unfinished ...>
		1 fdatasync(3<{/d/a}> <unfinished ...>
		2 <... pwrite64 resumed>) = 3
		1 --- SIGURG {si_signo=SIGURG} ---
		1 <... fdatasync resumed>) = 0
		1 write(3<{/d/blank}>, "{left out}", 8) = 8
		1 unlinkat(7<{/d}>, "{b}", 0) = -1 ENOENT (No such file or directory)
		1 unlinkat(7<{/d}>, "{b}", 0) = 0
		1 renameat(AT_FDCWD<{/d}>, "{a}", AT_FDCWD<{/d}>, "{c}") = 0
		1 mkdirat(AT_FDCWD<{/}>, "{/d/e}", 0700) = 0
		1 ftruncate(3<{/d/c}>, 4096) = 0
		1 write(2<pipe:[12]>, "{/d}", 2) = 2
		1 +++ exited with 0 +++`)
	want := []*powercut.Op{
		{Kind: powercut.Create, Path: "a", Mode: 0o600},
		{Kind: powercut.Write, Path: "a", Offset: powercut.Append, Data: []byte("one"), Size: 3},
		{Kind: powercut.Write, Path: "a", Offset: 8, Data: []byte("two"), Size: 3},
		{Kind: powercut.Sync, Path: "a"},
		{Kind: powercut.Remove, Path: "b"},
		{Kind: powercut.Rename, Path: "a", To: "c"},
		{Kind: powercut.Mkdir, Path: "e", Mode: 0o20000000700},
		{Kind: powercut.Truncate, Path: "c", Size: 4096},
	}
	if diff := cmp.Diff(want, r.Ops, cmpopts.IgnoreUnexported(powercut.Op{})); diff != "" {
		t.Error(diff)
	}
	if r.Places() != 18 || r.At[17].Unix() != 1017 {
		t.Errorf("%d places, the last at %v", r.Places(), r.At[len(r.At)-1])
	}
	if o := r.Ops[2]; o.Began() != 5 || o.Ended() != 7 {
		t.Errorf("a call of two lines is at %d to %d", o.Began(), o.Ended())
	}
}

func TestReadRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"what it does not know":  `1 fallocate(3<{/d/a}>, 0, 0, 4096) = 0`,
		"what leaves the home":   `1 renameat(AT_FDCWD<{/}>, "{/d/a}", AT_FDCWD<{/}>, "{/a}") = 0`,
		"a write in part":        `1 write(3<{/d/a}>, "{abc}", 3) = 2`,
		"contents that are lost": `1 openat(AT_FDCWD<{/}>, "{/d/a}", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3<{/d/a}>`,
		"text":                   `1 write(3<{/d/a}>, "abc", 3) = 3`,
	} {
		if _, err := powercut.Read(strings.NewReader(strace(line)), "/d", func(string) bool { return false }); err == nil {
			t.Errorf("it reads %s: %s", name, line)
		}
	}
}
