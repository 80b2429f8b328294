package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// examined examines what each cut leaves.
func (o *operated) examined(t *testing.T, recording *powercut.Recording, cuts []cut) {
	t.Helper()
	for _, err := range o.wrong(t, recording, cuts) {
		t.Error(err)
	}
}

// wrong returns what is wrong with what cuts leave, after what a start would do.
func (o *operated) wrong(t *testing.T, recording *powercut.Recording, cuts []cut) (all []error) {
	t.Helper()
	x := startExaminer(t)
	defer x.stop()
	o.after(recording, cuts, func(c cut, image powercut.Image) {
		dir := rebuilt(t, image)
		defer os.RemoveAll(dir)
		if err := o.judge(x, o.life.before(c.place), dir); err != nil {
			all = append(all, fmt.Errorf("%s: %w", c, err))
		}
	})
	return all
}

// judge says what is wrong with a home that a cut at a time has left.
func (o *operated) judge(x *examiner, at time.Time, dir string) error {
	c, err := x.store(dir)
	if err != nil {
		return err
	}
	least, most := o.told(at)
	done := most
	for done >= least && !reflect.DeepEqual(c, o.states[done]) {
		done--
	}
	if done < least {
		return fmt.Errorf("%d errands are done, %d have begun, and the store holds %+v", least, most, c)
	}
	h, err := home.Open(dir)
	if err != nil {
		return err
	}
	id, err := h.ID()
	if err != nil {
		return err
	}
	if id != o.id && (least > 0 || len(o.before) > 0) {
		return errors.New("the host's id is gone")
	}
	if _, password, ok, err := h.ReadInitialPassword(); err != nil || done == 0 && o.password != nil && string(password) != string(o.password) {
		return fmt.Errorf("the first password is not in its file: %v, %v", ok, err)
	}
	lines, err := completed(h, id, c.Records)
	if err == nil {
		err = o.proven(lines, least, done)
	}
	if err != nil {
		return err
	}
	return o.kept(dir, done)
}

// proven looks for the lines of the errands: least of them were told to have
// succeeded, and so many have.
func (o *operated) proven(lines []audit.Entry, least, done int) error {
	if len(lines) < len(o.before) {
		return fmt.Errorf("the audit log has %d lines, and had %d", len(lines), len(o.before))
	}
	changes := map[string]int{}
	for i, e := range lines {
		if e.Seq != uint64(i)+1 {
			return fmt.Errorf("line %d of the audit log has the number %d", i+1, e.Seq)
		}
		if e.Event == audit.Change && e.Outcome == audit.OK {
			if changes[e.RequestID]++; changes[e.RequestID] > 1 {
				return fmt.Errorf("two lines tell of the change %s: %+v", e.RequestID, e)
			}
		}
	}
	for i, errand := range o.errands {
		begun, ended, recovered := errand.lines(lines)
		switch {
		case i >= done && ended > 0:
			return fmt.Errorf("%v is not done, and the audit log says so", errand)
		case i < done && begun == 0, i < least && (ended != 1 || recovered):
			return fmt.Errorf("%v is done, and the audit log has %d lines that it began, and %d of its end", errand, begun, ended)
		}
	}
	return nil
}

// lines counts the lines about an errand; recovered says that one of them was
// added later.
func (e *errand) lines(all []audit.Entry) (begun, ended int, recovered bool) {
	for _, line := range all {
		switch {
		case e.verb != "" && line.Event == audit.Change && line.Verb == e.verb && line.Target == e.target && line.Outcome == audit.OK:
			begun, ended, recovered = begun+1, ended+1, recovered || line.Recovered
		case e.verb == "" && line.Event == audit.Restore && line.Outcome == audit.OK:
			ended++
		case e.verb == "" && line.Event == audit.Restore && strings.HasPrefix(line.Detail, "begins "):
			begun++
		}
	}
	return begun, ended, recovered
}

// kept looks for what a restore has replaced. Every backup is whole.
func (o *operated) kept(dir string, done int) error {
	whole := map[uint64]int{} // by accounts
	entries, err := os.ReadDir(filepath.Join(dir, "backups"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") { // it never got its name
			continue
		}
		f, err := os.Open(filepath.Join(dir, "backups", e.Name()))
		if err != nil {
			return err
		}
		s, err := backup.Verify(context.Background(), f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		whole[s.Accounts]++
	}
	for i, errand := range o.errands[:done] {
		if held := uint64(len(o.states[i].Accounts)); errand.verb == "" && o.states[i].Initialized && whole[held] == 0 {
			return fmt.Errorf("%v is done, and no backup holds the %d accounts that it replaced", errand, held)
		}
	}
	return nil
}

// started starts a host over what each cut leaves: the first administrator logs
// in with the password of then, and the accounts are those of then.
func (o *operated) started(t *testing.T, cuts []cut) {
	t.Helper()
	o.after(o.recording, cuts, func(c cut, image powercut.Image) {
		t.Run("Started", func(t *testing.T) {
			if err := o.restart(t, image, o.life.before(c.place)); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		})
	})
}

func (o *operated) restart(t *testing.T, image powercut.Image, at time.Time) error {
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
	if err := h.TryStart(); err != nil {
		return err
	}
	least, most := o.told(at)
	var admin *management.Client
	done, err := most, error(nil)
	for ; done >= least; done-- {
		if admin, err = h.Login(hosttest.Administrator, o.passwordAfter(done)); err != nil {
			continue
		}
		accounts := map[string]account.Account{}
		for page, err := range admin.List(t.Context(), management.AccountFilter{}) {
			if err != nil {
				return err
			}
			for _, a := range page {
				accounts[a.Username] = plain(a.Account)
			}
		}
		want := map[string]account.Account{}
		for _, a := range o.states[done].Accounts {
			want[a.Username] = plain(a)
		}
		if reflect.DeepEqual(accounts, want) {
			break
		}
		err = fmt.Errorf("there are %+v", accounts)
	}
	if done < least {
		return fmt.Errorf("the home is not as after any of %d to %d errands: %w", least, most, err)
	}
	if ok, password := initialPassword(t, h.Home); ok && string(password) != o.passwordAfter(done) {
		return errors.New("the file with the first password tells another one")
	}
	for _, pattern := range []string{".backup-*", ".accounts.db*"} {
		if left, err := filepath.Glob(filepath.Join(h.Home, pattern)); err != nil || len(left) > 0 {
			return fmt.Errorf("the start leaves %q, %v", left, err)
		}
	}
	h.Stop()
	return nil
}

// passwordAfter is the first administrator's, once so many errands are done.
func (o *operated) passwordAfter(done int) string {
	if done == 0 {
		return string(o.password)
	}
	return o.errands[done-1].password
}

// lie shows that the judge bites: a disk that does not sync what an errand relies
// on is found out.
func (o *operated) lie(t *testing.T, draw *rand.Rand) {
	t.Helper()
	restoring := o.errands[2]
	for path, place := range map[string]int{
		"accounts.db":            o.placeBefore(restoring.began), // it replaces that file
		".accounts.db.restoring": o.placeBefore(restoring.told), "audit/audit.jsonl": o.placeBefore(restoring.told),
		".": o.placeBefore(restoring.told), "backups": o.placeBefore(restoring.told),
	} {
		lying := o.recording.Without(func(op *powercut.Op) bool { return op.Kind == powercut.Sync && op.Path == path })
		end := cut{place: place}
		for i, found := range []bool{true, false} { // nothing arrived, everything arrived
			end.fate, end.keep = fates[i].name, fates[i].make(draw)
			if wrong := o.wrong(t, lying, []cut{end}); (len(wrong) > 0) != found {
				t.Errorf("of a disk that does not sync %s, when %s: %v", path, end.fate, wrong)
			}
		}
	}
}

// placeBefore returns the last place of the recording before a time.
func (l *life) placeBefore(at time.Time) int {
	place := 0
	for place+1 < l.recording.Places() && l.recording.At[place+1].Before(at) {
		place++
	}
	return place
}
