package powercut_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/fault/powercut"
)

// all returns every image that a cut behind the last line may leave, as text:
// names, each with its contents, in which "." stands for zero.
func all(t *testing.T, first powercut.Image, lines string) []string {
	t.Helper()
	r := read(t, lines)
	d := powercut.NewDisk(r, first)
	d.Advance(r.Places() - 1)
	seen := map[string]bool{}
	// Each number is a sequence of answers; more are not asked for.
	for answers := range 1 << 10 {
		asked := 0
		image := d.Image(func(*powercut.Op) bool {
			asked++
			return answers>>(asked-1)&1 == 1
		})
		if asked > 10 {
			t.Fatalf("asked %d times", asked)
		}
		seen[text(image)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func text(image powercut.Image) string {
	var names []string
	for _, path := range slices.Sorted(maps.Keys(image)) {
		contents := strings.ReplaceAll(string(image[path].Data), "\x00", ".")
		names = append(names, path+"="+contents)
	}
	return strings.Join(names, " ")
}

func TestImage(t *testing.T) {
	old := powercut.Image{"a": {Mode: 0o600, Data: []byte("old")}}
	const open = `1 openat(AT_FDCWD<{/}>, "{/d/a}", O_WRONLY|O_CREAT|O_APPEND, 0600) = 3<{/d/a}>` + "\n"
	for name, c := range map[string]struct {
		first powercut.Image
		lines string
		want  []string
	}{
		"SyncedStays": {old, open + `
			1 pwrite64(3<{/d/a}>, "{new}", 3, 0) = 3
			1 fdatasync(3<{/d/a}>) = 0`, []string{"a=new"}},
		"NotSyncedMayBeLost": {old, open + `
			1 pwrite64(3<{/d/a}>, "{new}", 3, 0) = 3`, []string{"a=new", "a=old"}},
		"WhatWasWrittenDuringTheSync": {old, open + `
			1 pwrite64(3<{/d/a}>, "{N}", 1, 0) = 1
			1 fsync(3<{/d/a}> <unfinished ...>
			2 pwrite64(3<{/d/a}>, "{D}", 1, 2) = 1
			1 <... fsync resumed>) = 0`, []string{"a=NlD", "a=Nld"}},
		"SyncUnderWay": {old, open + `
			1 pwrite64(3<{/d/a}>, "{new}", 3, 0) = 3
			1 fsync(3<{/d/a}> <unfinished ...>`, []string{"a=new", "a=old"}},
		"WriteUnderWay": {old, open + `
			1 pwrite64(3<{/d/a}>, "{new}", 3, 0 <unfinished ...>`, []string{"a=new", "a=old"}},
		"LengthWithoutContents": {old, open + `
			1 write(3<{/d/a}>, "{er}", 2) = 2`, []string{"a=old", "a=old..", "a=older"}},
		"LaterWithoutEarlier": {old, open + `
			1 pwrite64(3<{/d/a}>, "{O}", 1, 0) = 1
			1 pwrite64(3<{/d/a}>, "{D}", 1, 2) = 1`, []string{"a=OlD", "a=Old", "a=olD", "a=old"}},
		"Truncated": {old, open + `
			1 ftruncate(3<{/d/a}>, 1) = 0
			1 write(3<{/d/a}>, "{n}", 1) = 1`, []string{"a=o", "a=o.", "a=old", "a=on", "a=ond"}},
		"NewNameNeedsItsDirectory": {nil, open + `
			1 write(3<{/d/a}>, "{x}", 1) = 1
			1 fsync(3<{/d/a}>) = 0`, []string{"", "a=x"}},
		"NewNameOnceSynced": {nil, open + `
			1 fsync(4<{/d}>) = 0
			1 write(3<{/d/a}>, "{x}", 1) = 1`, []string{"a=", "a=.", "a=x"}},
		"BelowADirectoryThatMayBeLost": {nil, `
			1 mkdirat(AT_FDCWD<{/}>, "{/d/e}", 0700) = 0
			1 openat(AT_FDCWD<{/}>, "{/d/e/a}", O_WRONLY|O_CREAT, 0600) = 3<{/d/e/a}>
			1 fsync(4<{/d/e}>) = 0`, []string{"", "e= e/a="}},
		"RenamedOrNot": {old, `
			1 renameat(AT_FDCWD<{/d}>, "{a}", AT_FDCWD<{/d}>, "{b}") = 0`, []string{"a=old", "b=old"}},
		"RenamesInAnyOrder": {powercut.Image{"a": {Data: []byte("old")}, "n": {Data: []byte("new")}}, `
			1 renameat(AT_FDCWD<{/d}>, "{a}", AT_FDCWD<{/d}>, "{b}") = 0
			1 renameat(AT_FDCWD<{/d}>, "{n}", AT_FDCWD<{/d}>, "{a}") = 0`,
			[]string{"a=new", "a=new b=old", "a=old n=new", "b=old n=new"}},
		"RemovedOrNot": {old, `
			1 unlinkat(AT_FDCWD<{/d}>, "{a}", 0) = 0`, []string{"", "a=old"}},
		"RemovedForGood": {old, `
			1 unlinkat(AT_FDCWD<{/d}>, "{a}", 0) = 0
			1 fsync(4<{/d}>) = 0`, []string{""}},
		"NoFile": {old, `
			1 renameat(AT_FDCWD<{/d}>, "{socket}", AT_FDCWD<{/d}>, "{b}") = 0`, []string{"a=old"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, all(t, c.first, c.lines)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A page is eight sectors, each of which arrives or does not.
func TestImageTorn(t *testing.T) {
	page := func(c string) string { return strings.Repeat(c, 4096) }
	first := powercut.Image{"a": {Mode: 0o600, Data: []byte(page("o"))}}
	images := all(t, first, fmt.Sprintf(`1 pwrite64(3<{/d/a}>, "{%s}", 4096, 0) = 4096`, page("n")))
	if len(images) != 1<<8 {
		t.Errorf("%d images", len(images))
	}
	for _, image := range images {
		for _, c := range []string{"o", "n"} {
			for _, run := range strings.FieldsFunc(image[2:], func(r rune) bool { return string(r) != c }) {
				if len(run)%512 != 0 {
					t.Fatalf("a sector is torn: %d times %s", len(run), c)
				}
			}
		}
	}
}

func TestSettle(t *testing.T) {
	const lines = `
		1 openat(AT_FDCWD<{/}>, "{/d/a}", O_WRONLY|O_CREAT, 0600) = 3<{/d/a}>
		1 write(3<{/d/a}>, "{abc}", 3 <unfinished ...>
		2 openat(AT_FDCWD<{/}>, "{/d/b}", O_WRONLY|O_CREAT, 0600 <unfinished ...>
		3 fsync(4<{/d}> <unfinished ...>
		1 <... write resumed>) = ?
		1 +++ killed by SIGKILL +++`
	for _, there := range []string{"a=abc", "a=", "a=ab b="} {
		t.Run(there, func(t *testing.T) {
			found := powercut.Image{}
			for _, f := range strings.Fields(there) {
				path, contents, _ := strings.Cut(f, "=")
				found[path] = &powercut.File{Mode: 0o600, Data: []byte(contents)}
			}
			r := read(t, lines)
			d := powercut.NewDisk(r, nil)
			d.Advance(r.Places() - 1)
			if err := d.Settle(found); err != nil {
				t.Fatal(err)
			}
			again := powercut.NewDisk(r, nil)
			again.Advance(r.Places() - 1)
			if got := text(again.Image(func(*powercut.Op) bool { return true })); got != there {
				t.Errorf("replayed again it is %q", got)
			}
		})
	}
	t.Run("SomethingElse", func(t *testing.T) {
		r := read(t, lines)
		d := powercut.NewDisk(r, nil)
		d.Advance(r.Places() - 1)
		if err := d.Settle(powercut.Image{"c": {}}); err == nil {
			t.Error("the recording leads elsewhere, and nobody minds")
		}
	})
}
