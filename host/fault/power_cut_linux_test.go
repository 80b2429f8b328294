package fault_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// before returns the time until which an answer had been given when the power
// was cut at a place.
func (l *life) before(place int) time.Time {
	if place+1 < l.recording.Places() {
		return l.recording.At[place+1]
	}
	return time.Now()
}

// wrong rebuilds the home of each cut, and returns what is wrong with it after
// what a start would do, without one.
func (l *life) wrong(t *testing.T, recording *powercut.Recording, cuts []cut) (all []error) {
	t.Helper()
	x := startExaminer(t)
	defer x.stop()
	l.after(recording, cuts, func(c cut, image powercut.Image) {
		dir := rebuilt(t, image)
		defer os.RemoveAll(dir)
		r, err := x.examine(l, dir)
		if err == nil {
			err = l.judge(l.before(c.place), r)
		}
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", c, err))
		}
	})
	return all
}

// after hands out what each cut leaves, the earliest first.
func (l *life) after(recording *powercut.Recording, cuts []cut, fn func(cut, powercut.Image)) {
	disk := powercut.NewDisk(recording, l.first)
	for _, c := range slices.SortedStableFunc(slices.Values(cuts), func(a, b cut) int { return a.place - b.place }) {
		disk.Advance(c.place)
		fn(c, disk.Image(c.keep))
	}
}

// rebuilt writes an image into a home of its own, which the caller removes.
func rebuilt(t *testing.T, image powercut.Image) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "h") // in memory
	if err != nil {
		dir, err = os.MkdirTemp("", "h")
	}
	if err == nil {
		err = image.WriteTo(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// examined examines what each cut leaves.
func (l *life) examined(t *testing.T, cuts []cut) {
	t.Helper()
	for _, err := range l.wrong(t, l.recording, cuts) {
		t.Error(err)
	}
}

// started starts a host over what each cut leaves, and lets it say what it holds.
func (l *life) started(t *testing.T, cuts []cut) {
	t.Helper()
	l.after(l.recording, cuts, func(c cut, image powercut.Image) {
		t.Run("Started", func(t *testing.T) {
			if err := l.restart(t, image, l.before(c.place)); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		})
	})
}

func (l *life) restart(t *testing.T, image powercut.Image, at time.Time) error {
	t.Helper()
	h := hosttest.New(t)
	defer h.Kill()
	if err := os.Remove(filepath.Join(h.Home, "concourse.yaml")); err != nil {
		return err
	}
	if err := image.WriteTo(h.Home); err != nil {
		return err
	}
	h.Executable = hosttest.BuildPlain(t, "./cmd/concourse")
	h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD=", "CONCOURSE_CLIENT_ADDRESS="}
	if err := h.TryStart(); err != nil {
		return err
	}
	r := remains{initialized: true, accounts: map[string]account.Account{}}
	inFile, password := initialPassword(t, h.Home)
	if r.changed = !inFile; r.changed {
		password = account.Secret(secondPassword)
	}
	admin, err := h.Login(hosttest.Administrator, string(password))
	if err != nil {
		return err
	}
	for page, err := range admin.List(t.Context(), management.AccountFilter{}) {
		if err != nil {
			return err
		}
		for _, a := range page {
			r.accounts[a.Username] = a.Account
		}
	}
	h.Stop()
	r.lines = h.Audit()
	return l.judge(at, r)
}

// lie shows that the judge bites: a disk that says that it has synced some file,
// and has not, is found out. As long as the power stays on, nobody can tell.
func (l *life) lie(t *testing.T, draw *rand.Rand) {
	t.Helper()
	for _, path := range []string{"accounts.db", "audit/audit.jsonl", ".", "audit"} {
		lying := l.recording.Without(func(o *powercut.Op) bool { return o.Kind == powercut.Sync && o.Path == path })
		cuts := slices.DeleteFunc(l.cuts(draw, 40), func(c cut) bool { return c.place < l.recording.Places()/2 })
		cuts = cuts[:min(4, len(cuts))]
		for i := range cuts {
			cuts[i].fate, cuts[i].keep = fates[0].name, fates[0].make(draw)
		}
		if wrong := l.wrong(t, lying, cuts); len(wrong) == 0 {
			t.Errorf("a disk that does not sync %s is not found out", path)
		}
		for i := range cuts {
			cuts[i].fate, cuts[i].keep = fates[1].name, fates[1].make(draw)
		}
		for _, err := range l.wrong(t, lying, cuts) {
			t.Errorf("nothing was lost, and yet: %v", err)
		}
	}
}
