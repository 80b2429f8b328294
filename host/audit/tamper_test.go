package audit_test

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
)

// TestTampering shows what a log tells of somebody who may write to its file, and
// what it does not: docs/security.md and the operator's guide say so.
func TestTampering(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(lines [][]byte) [][]byte
		want  []uint64
	}{
		"LineTakenOut": {func(lines [][]byte) [][]byte { return slices.Delete(lines, 2, 3) }, []uint64{1, 2, 4, 5, 6}},
		"LinesCutOff":  {func(lines [][]byte) [][]byte { return lines[:3] }, []uint64{1, 2, 3, 4}},
		"Rewritten": {func(lines [][]byte) [][]byte {
			lines[2] = bytes.Replace(lines[2], []byte("did it"), []byte("did no"), 1)
			return lines
		}, []uint64{1, 2, 3, 4, 5, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			l := open(t, path, audit.Options{Now: atNoon})
			for range 5 {
				add(t, l, started("did it"))
			}
			closeLog(t, l)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(bytes.TrimSuffix(whole, []byte{'\n'}), []byte{'\n'})
			lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
			if err := os.WriteFile(path, bytes.Join(c.alter(lines), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			l = open(t, path, audit.Options{Now: atNoon})
			add(t, l, started("afterwards"))
			closeLog(t, l)
			var got []uint64
			for e, err := range audit.Read(path, time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Seq)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the lines are %v, want %v", got, c.want)
			}
		})
	}
}
