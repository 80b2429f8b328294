package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
)

// A power cut may leave zeros in place of any sector of the last write.
func TestOpenZeros(t *testing.T) {
	for name, c := range map[string]struct {
		zeros string   // the line that has them
		want  []string // "repaired": a log_repaired line, "damaged": one that cannot be read
	}{
		"InTheLastLine":         {"d2", []string{"a", "b", "c", "d0", "d1", "repaired", "e"}},
		"WithWholeLinesBehind":  {"d1", []string{"a", "b", "c", "d0", "repaired", "e"}},
		"AtTheBeginOfTheWrite":  {"d0", []string{"a", "b", "c", "repaired", "e"}},
		"InTheWriteBeforeThat":  {"c", []string{"a", "b", "damaged", "d0", "d1", "d2", "e"}},
		"InAnOlderLine":         {"b", []string{"a", "damaged", "c", "d0", "d1", "d2", "e"}},
		"InTheOldest":           {"a", []string{"damaged", "b", "c", "d0", "d1", "d2", "e"}},
		"NotAtAll":              {"", []string{"a", "b", "c", "d0", "d1", "d2", "e"}},
		"InTwoLinesOfTheWrite":  {"d0 d2", []string{"a", "b", "c", "repaired", "e"}},
		"InAnOldLineAndTheLast": {"a d2", []string{"damaged", "b", "c", "d0", "d1", "repaired", "e"}},
	} {
		t.Run(name, func(t *testing.T) {
			path, now := newPath(t), noon
			l := open(t, path, audit.Options{Now: func() time.Time { return now }})
			for _, detail := range []string{"a", "b", "c", "d0", "d1", "d2"} {
				if !strings.HasPrefix(detail, "d") || detail == "d0" { // those are written at once
					now = now.Add(time.Second)
				}
				add(t, l, started(strings.Repeat(detail+" ", 100)+detail))
			}
			closeLog(t, l)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, detail := range strings.Fields(c.zeros) {
				at := bytes.Index(whole, []byte(detail+" "))
				copy(whole[at+10:], make([]byte, 60))
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			l = open(t, path, audit.Options{})
			add(t, l, started("e"))
			closeLog(t, l)
			var got []string
			for e, err := range audit.Read(path, time.Time{}) {
				switch {
				case err != nil:
					got = append(got, "damaged")
				case e.Event == audit.LogRepaired:
					got = append(got, "repaired")
				default:
					got = append(got, e.Detail[strings.LastIndex(e.Detail, " ")+1:])
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// syncs is a file whose syncs are noted.
type syncs struct {
	audit.File
	path string
	all  *[]string
}

func (s syncs) Sync() error {
	*s.all = append(*s.all, s.path)
	return s.File.Sync()
}

// What a process that was killed has written and not synced can be read, so the
// next one takes it for written: it syncs it, before its first line begins
// another file.
func TestOpenSyncs(t *testing.T) {
	path := newPath(t)
	l := open(t, path, audit.Options{Now: atNoon})
	add(t, l, started("a"))
	closeLog(t, l)
	var all []string
	l = open(t, path, audit.Options{MaxSize: 1, OpenFile: func(name string) (audit.File, error) {
		f, err := disk(name)
		return syncs{f, name, &all}, err
	}})
	if !slices.Equal(all, []string{path}) {
		t.Errorf("synced: %v", all)
	}
	add(t, l, started("b"))
	closeLog(t, l)
	if n := len(files(t, path)); n != 2 || fmt.Sprint(details(read(t, path))) != "[a b]" {
		t.Errorf("%d files", n)
	}
}
