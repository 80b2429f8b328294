package audit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// noon is the time of clocks that stand still.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "audit", "audit.jsonl") }

func open(t testing.TB, path string, o audit.Options) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func add(t testing.TB, l *audit.Log, entries ...audit.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns a log's entries, and checks that they are numbered without a gap.
func read(t testing.TB, path string) []audit.Entry {
	t.Helper()
	var all []audit.Entry
	for e, err := range audit.Read(path, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n := len(all); n > 0 && e.Seq != all[n-1].Seq+1 {
			t.Errorf("line %d follows line %d", e.Seq, all[n-1].Seq)
		}
		all = append(all, e)
	}
	return all
}

func started(detail string) audit.Entry {
	return audit.Entry{Event: audit.HostStarted, Outcome: audit.OK, Detail: detail}
}

func details(entries []audit.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Detail)
	}
	return all
}

func TestAppend(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: func() time.Time { return noon.In(time.FixedZone("", 3600)) }})
	outcome, reason := audit.Outcome(account.Refused(account.ReasonLastAdmin, "jeff", "no"))
	add(t, l, started("<a> & \"b\"\n"), audit.Entry{
		Event: audit.Change, Outcome: outcome, Reason: reason, Verb: account.VerbSuspend, Target: "jeff", Changed: new(false),
		RequestID: "id", Caller: &audit.Caller{Username: "admin", UID: new(uint32(0)), Listener: account.ManagementListener},
	})
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-11-02T12:00:00Z","seq":1,"event":"host_started","outcome":"ok","detail":"<a> & \"b\"\n"}
{"time":"2026-11-02T12:00:00Z","seq":2,"event":"change","outcome":"refused","reason":"LAST_ADMIN","caller":{"username":"admin","uid":0,"listener":"management"},"verb":"suspend","target":"jeff","changed":false,"request_id":"id"}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%s is %v, %v", name, info.Mode(), err)
		}
	}
	closeLog(t, l)
	if err := l.Append(started("")); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}

	l = open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("again"))
	closeLog(t, l)
	if all := read(t, path); len(all) != 3 || all[2].Seq != 3 {
		t.Errorf("after a restart: %+v", all)
	}
}

func TestAppendRefusesWhatIsNoEntry(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{})
	for _, e := range []audit.Entry{{}, {Event: audit.Login}, {Event: "party", Outcome: audit.OK}} {
		if err := l.Append(e); err == nil {
			t.Errorf("accepted %+v", e)
		}
	}
	closeLog(t, l)
	if all := read(t, path); len(all) > 0 {
		t.Errorf("wrote %+v", all)
	}
}

func TestAppendBounds(t *testing.T) {
	for name, text := range map[string]string{
		"letters": strings.Repeat("x", 1<<16), "controls": strings.Repeat("\x00\x1b", 1<<16), "invalid": strings.Repeat("\xff", 1<<16),
		"wide": strings.Repeat("\U0001f600", 1<<16), "separators": strings.Repeat("\u2028", 1<<16), "quotes": strings.Repeat(`"\`, 1<<16),
		"directions": strings.Repeat("\u202e\u009b\u200b", 1<<16), "tags": strings.Repeat("\U000e0041", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			l := open(t, path, audit.Options{})
			add(t, l, audit.Entry{
				Event: audit.Change, Outcome: text, Reason: account.Reason(text), Verb: account.Verb(text), Target: text,
				Environment: text, Permission: account.Permission(text), Role: account.Role(text), Changed: new(true),
				RequestID: text, Recovered: true, CommittedAt: noon, Count: 1 << 63, First: noon, Last: noon, Detail: text,
				Caller: &audit.Caller{
					Username: text, AccountID: account.ID(text), SessionID: text, UID: new(^uint32(0)), PID: 1 << 31,
					RemoteAddress: text, Listener: account.Listener(text),
				},
			})
			closeLog(t, l)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(data) >= audit.MaxLine || strings.Count(string(data), "\n") != 1 || strings.ContainsAny(string(data), "\x00\x1b\u202e\u009b\u200b\U000e0041") {
				t.Errorf("the line has %d bytes: %.80q", len(data), data)
			}
			all := read(t, path)
			if len(all) != 1 || !strings.HasSuffix(all[0].Detail, "…") || len(all[0].Detail) < 100 {
				t.Errorf("read %.200v", all)
			}
		})
	}
}

// gate is a file whose syncs wait to be let through, and are counted.
type gate struct {
	audit.File
	pass  chan struct{}
	syncs *int
}

func (g gate) Sync() error {
	<-g.pass
	*g.syncs++
	return g.File.Sync()
}

// disk opens a real file for appending.
func disk(path string) (audit.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

func TestAppendGroups(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		pass, syncs := make(chan struct{}), 0
		l := open(t, path, audit.Options{OpenFile: func(path string) (audit.File, error) {
			f, err := disk(path)
			return gate{f, pass, &syncs}, err
		}})
		var callers sync.WaitGroup
		done := 0
		var mu sync.Mutex
		call := func() {
			callers.Go(func() {
				add(t, l, started("x"))
				mu.Lock()
				done++
				mu.Unlock()
			})
		}
		call()
		synctest.Wait() // the first is being synced
		for range 63 {
			call()
		}
		synctest.Wait() // the others wait together
		if done > 0 {
			t.Errorf("%d calls returned before their sync", done)
		}
		pass <- struct{}{}
		synctest.Wait()
		if done != 1 {
			t.Errorf("%d calls returned after the first sync", done)
		}
		pass <- struct{}{}
		callers.Wait()
		if syncs != 2 {
			t.Errorf("64 lines took %d syncs, want 2", syncs)
		}
		closeLog(t, l)
	})
	if all := read(t, path); len(all) != 64 {
		t.Errorf("%d lines", len(all))
	}
}

func TestAppendWaitsForNobody(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		l := open(t, path, audit.Options{})
		before := time.Now()
		add(t, l, started("x"))
		if waited := time.Since(before); waited != 0 {
			t.Errorf("a lone line waited %s", waited)
		}
		closeLog(t, l)
	})
}

func TestRotation(t *testing.T) {
	const callers, each = 16, 100
	path := newPath(t)
	// The clock stands still, so that names would collide.
	l := open(t, path, audit.Options{MaxSize: 4096, Now: atNoon})
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				add(t, l, started(fmt.Sprintf("%d/%d", c, i)))
			}
		})
	}
	wg.Wait()
	closeLog(t, l)
	seen := map[string]int{}
	last := map[string]int{}
	for _, e := range read(t, path) {
		seen[e.Detail]++
		var c, i int
		fmt.Sscanf(e.Detail, "%d/%d", &c, &i)
		if key := fmt.Sprint(c); i < last[key] {
			t.Errorf("%s comes late", e.Detail)
		} else {
			last[key] = i
		}
	}
	if len(seen) != callers*each {
		t.Errorf("%d lines, want %d", len(seen), callers*each)
	}
	for detail, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", detail, n)
		}
	}
	files := files(t, path)
	if len(files) < 10 {
		t.Errorf("only %d files", len(files))
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Size() > 4096 || info.Mode() != 0o600 {
			t.Errorf("%s: %v bytes, mode %v, %v", name, info.Size(), info.Mode(), err)
		}
	}
}

func files(t testing.TB, path string) []string {
	t.Helper()
	all, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRotationKeeps(t *testing.T) {
	path := newPath(t)
	now := noon
	clock := func() time.Time { now = now.Add(-time.Second); return now } // set back all the time
	l := open(t, path, audit.Options{MaxSize: 1, Keep: 3, Now: clock})
	for i := range 10 {
		add(t, l, started(fmt.Sprint(i)))
	}
	closeLog(t, l)
	if n := len(files(t, path)); n != 4 {
		t.Errorf("%d files, want 4", n)
	}
	if diff := cmp.Diff([]string{"6", "7", "8", "9"}, details(read(t, path))); diff != "" {
		t.Error(diff)
	}
	l = open(t, path, audit.Options{})
	add(t, l, started("10"))
	closeLog(t, l)
	if all := read(t, path); all[len(all)-1].Seq != 11 {
		t.Errorf("the number after a restart is %d, want 11", all[len(all)-1].Seq)
	}
}

// A crash between the two renames of a rotation leaves no current file.
func TestOpenWithinRotation(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("a"), started("b"))
	closeLog(t, l)
	if err := os.Rename(path, path+".20261102T120000.000000000Z"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".next", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("c"))
	closeLog(t, l)
	if diff := cmp.Diff([]string{"a", "b", "c"}, details(read(t, path))); diff != "" {
		t.Error(diff)
	}
	if n := len(files(t, path)); n != 2 {
		t.Errorf("%d files, want 2", n)
	}
}

func TestOpenTorn(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("a"), started("b"), started(strings.Repeat("c", 300)))
	closeLog(t, l)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{0}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	for size := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for kept+1 < len(ends) && ends[kept+1] <= size {
			kept++
		}
		l := open(t, path, audit.Options{Now: atNoon})
		add(t, l, started("d"))
		closeLog(t, l)
		all := read(t, path)
		want := kept + 1
		if torn := size - ends[kept]; torn > 0 {
			want++
			if e := all[kept]; e.Event != audit.LogRepaired || e.Count != uint64(torn) {
				t.Errorf("size %d: line %d is %+v, want %d bytes repaired", size, kept, e, torn)
			}
		}
		if len(all) != want || all[len(all)-1].Detail != "d" || all[0].Seq != 1 {
			t.Errorf("size %d: %d lines, want %d", size, len(all), want)
		}
	}
}

// A torn tail may be longer than what is looked at in one go.
func TestOpenTornLong(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("a"))
	closeLog(t, l)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, make([]byte, 1<<20)...), 0o600); err != nil {
		t.Fatal(err)
	}
	closeLog(t, open(t, path, audit.Options{Now: atNoon}))
	if all := read(t, path); len(all) != 2 || all[1].Count != 1<<20 || all[1].Seq != 2 {
		t.Errorf("read %+v", all)
	}
}
