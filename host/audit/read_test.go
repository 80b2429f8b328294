package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
)

func TestReadSince(t *testing.T) {
	path := newPath(t)
	now := noon
	l := open(t, path, audit.Options{MaxSize: 200, Now: func() time.Time { return now }})
	for _, detail := range []string{"0", "1", "2", "3", "4", "5"} {
		add(t, l, started(detail))
		now = now.Add(time.Hour)
	}
	closeLog(t, l)
	var got []string
	for e, err := range audit.Read(path, noon.Add(3*time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Detail)
	}
	if diff := cmp.Diff([]string{"3", "4", "5"}, got); diff != "" {
		t.Error(diff)
	}
	for range audit.Read(path, noon) {
		break // a reader may stop early
	}
}

func TestReadMalformed(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("a"))
	closeLog(t, l)
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(line) + "garbage\n" + "{}\n\n" + strings.Repeat("x", 3*audit.MaxLine) + "\n" + string(line) + string(line[:40])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range audit.Read(path, time.Time{}) {
		if err != nil {
			got = append(got, strings.ReplaceAll(err.Error(), path, "PATH"))
			continue
		}
		got = append(got, e.Detail)
	}
	bad := "PATH: malformed audit line"
	if diff := cmp.Diff([]string{"a", bad, bad, bad, bad, "a"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadAbsent(t *testing.T) {
	for e, err := range audit.Read(filepath.Join(t.TempDir(), "none", "audit.jsonl"), time.Time{}) {
		t.Errorf("read %+v, %v", e, err)
	}
}

// FuzzRead feeds a log's file: reading ends, every entry is usable, and a log
// that is opened on it takes a line that is then the last.
func FuzzRead(f *testing.F) {
	line := `{"time":"2026-11-02T12:00:00Z","seq":7,"event":"change","outcome":"ok","request_id":"x","open":["y"]}` + "\n"
	for _, seed := range []string{"", line, line + line[:30], "\n\n", line + "\x00\x00\x00", "null\n[]\n{}\n", strings.Repeat("x", 2*audit.MaxLine) + "\n" + line} {
		f.Add([]byte(seed))
	}
	path := newPath(f)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		greatest := uint64(0)
		for e, err := range audit.Read(path, time.Time{}) {
			if err == nil && (e.Seq == 0 || e.Event == "" || e.Time.IsZero()) {
				t.Errorf("read %+v", e)
			}
			greatest = max(greatest, e.Seq)
		}
		if greatest > 1<<62 {
			return
		}
		l := open(t, path, audit.Options{Now: atNoon})
		add(t, l, started("last"))
		closeLog(t, l)
		var last audit.Entry
		for e, err := range audit.Read(path, time.Time{}) {
			if err == nil {
				last = e
			}
		}
		if last.Detail != "last" || last.Seq == 0 {
			t.Errorf("the last line is %+v", last)
		}
	})
}
