package fault_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// backedUp are a home whose host makes backups, and the directory that they go
// to, which the command line writes: each on a disk of its own.
type backedUp struct {
	home, dir *life
	holds     contents // of the store, all the while
	backups   []*errand
	files     [][]byte // what was in the file once each backup was told of
}

// TestFaultPowerCutBackup records two backups to one file, of which the second
// replaces the first, and looks at what a power cut at any moment may have left:
// the file is not there, or holds a whole backup, the newest that was told of or
// the next one; the home is as it was, and the audit log tells of each backup.
func TestFaultPowerCutBackup(t *testing.T) {
	t.Parallel()
	const short = time.Second
	span := hosttest.Span(t, "CONCOURSE_FAULT", short)
	draw, end := rand.New(rand.NewPCG(hosttest.Seed(t), 0)), time.Now().Add(span)
	rounds := 4
	if span > short {
		rounds = 40
	}
	for good := true; good; good = good && time.Now().Before(end) {
		good = t.Run("Backups", func(t *testing.T) {
			b := backUp(t)
			var inDir, inHome []cut
			for range rounds {
				inDir = append(inDir, each(draw, b.dir.calls())...)
			}
			for range max(1, rounds/4) {
				inHome = append(inHome, each(draw, b.home.calls())...)
			}
			for _, err := range slices.Concat(b.wrongFiles(b.dir.recording, inDir), b.wrongHomes(t, b.home.recording, inHome)) {
				t.Error(err)
			}
			b.lie(t, draw)
			t.Logf("%d calls on the disks; the power was cut %d times", len(b.dir.calls())+len(b.home.calls()), len(inDir)+len(inHome))
		})
	}
}

const backupFile = "users.backup"

// backUp records the backups of a store with some accounts.
func backUp(t *testing.T) *backedUp {
	t.Helper()
	h := hosttest.New(t, "plugin.path: "+hosttest.BuildPlain(t, "./plugin/cmd/concourse-users-bolt"))
	h.Executable = hosttest.BuildPlain(t, "./cmd/concourse")
	h.Start()
	admin := h.Admin()
	for i := range 20 {
		if _, err := admin.Create(t.Context(), account.RequestID{}, account.Create{Username: fmt.Sprintf("user%02d", i), Password: account.Secret(secret), Role: account.User}); err != nil {
			t.Fatal(err)
		}
	}
	admin.Close()
	h.Stop()
	dir := t.TempDir()
	b := &backedUp{
		home:  &life{first: imageOf(t, h.Home), recording: &powercut.Recording{}},
		dir:   &life{first: powercut.Image{}, recording: &powercut.Recording{}},
		holds: storeOf(t, h.Home),
	}
	homeDisk, dirDisk := powercut.NewDisk(b.home.recording, b.home.first), powercut.NewDisk(b.dir.recording, b.dir.first)
	recorded := b.home.start(t, h)
	for _, options := range [][]string{nil, {"--force"}} {
		e := &errand{args: slices.Concat([]string{"backup", filepath.Join(dir, backupFile)}, options)}
		under, seen := traced(t, dir)
		cmd := exec.Command(under[0], slices.Concat(under[1:], []string{hosttest.BuildPlain(t, "./cmd/concourse")}, e.args)...)
		cmd.Env = h.Command().Env
		e.began = time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", e, err, out)
		}
		e.told = time.Now()
		b.dir.add(t, dirDisk, seen(), dir)
		file, err := os.ReadFile(filepath.Join(dir, backupFile))
		if err != nil {
			t.Fatal(err)
		}
		b.backups, b.files = append(b.backups, e), append(b.files, file)
	}
	h.Stop()
	recorded(homeDisk)
	return b
}

// storeOf returns what the store of a home holds, which stays as it is.
func storeOf(t *testing.T, dir string) contents {
	t.Helper()
	x := startExaminer(t)
	defer x.stop()
	same := rebuilt(t, imageOf(t, dir))
	defer os.RemoveAll(same)
	c, err := x.store(same)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wrongFiles returns what is wrong with the directories that cuts leave.
func (b *backedUp) wrongFiles(recording *powercut.Recording, cuts []cut) (all []error) {
	b.dir.after(recording, cuts, func(c cut, image powercut.Image) {
		if err := b.judgeFiles(b.dir.before(c.place), image); err != nil {
			all = append(all, fmt.Errorf("%s: %w", c, err))
		}
	})
	return all
}

func (b *backedUp) judgeFiles(at time.Time, image powercut.Image) error {
	least, most := begun(b.backups, at)
	for path := range image {
		if path != backupFile && !strings.HasPrefix(path, "."+backupFile+".") {
			return fmt.Errorf("there is a file %s", path)
		}
	}
	f, there := image[backupFile]
	if !there {
		if least > 0 {
			return fmt.Errorf("%d backups were made, and there is none", least)
		}
		return nil
	}
	if _, err := backup.Verify(context.Background(), bytes.NewReader(f.Data)); err != nil {
		return err
	}
	if f.Mode != 0o600 {
		return fmt.Errorf("the backup has the mode %v", f.Mode)
	}
	for _, file := range b.files[max(least-1, 0):most] {
		if bytes.Equal(f.Data, file) {
			return nil
		}
	}
	return fmt.Errorf("the backup is another than number %d to %d", least, most)
}

// wrongHomes returns what is wrong with the homes that cuts leave, after what a
// start would do.
func (b *backedUp) wrongHomes(t *testing.T, recording *powercut.Recording, cuts []cut) (all []error) {
	t.Helper()
	x := startExaminer(t)
	defer x.stop()
	b.home.after(recording, cuts, func(c cut, image powercut.Image) {
		dir := rebuilt(t, image)
		defer os.RemoveAll(dir)
		if err := b.judgeHome(x, b.home.before(c.place), dir); err != nil {
			all = append(all, fmt.Errorf("%s: %w", c, err))
		}
	})
	return all
}

func (b *backedUp) judgeHome(x *examiner, at time.Time, dir string) error {
	c, err := x.store(dir)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(c, b.holds) {
		return fmt.Errorf("the store holds %+v", c)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".backup-*")); err != nil || len(left) > 0 {
		return fmt.Errorf("what a backup was made of is left: %q, %v", left, err)
	}
	h, err := home.Open(dir)
	if err != nil {
		return err
	}
	id, err := h.ID()
	if err != nil {
		return err
	}
	lines, err := completed(h, id, c.Records)
	if err != nil {
		return err
	}
	told := 0
	for i, e := range lines {
		if e.Seq != uint64(i)+1 {
			return fmt.Errorf("line %d of the audit log has the number %d", i+1, e.Seq)
		}
		if e.Event == audit.Backup && e.Outcome == audit.OK {
			told++
		}
	}
	if least, most := begun(b.backups, at); told < least || told > most {
		return fmt.Errorf("%d backups were made, %d begun, and the audit log tells of %d", least, most, told)
	}
	return nil
}

// lie shows that the judge bites: a disk that does not sync the file, or its
// name, is found out, once the backup was told of.
func (b *backedUp) lie(t *testing.T, draw *rand.Rand) {
	t.Helper()
	last := cut{place: b.dir.recording.Places() - 1, fate: fates[0].name, keep: fates[0].make(draw)}
	for what, lied := range map[string]func(path string) bool{
		"the file": func(path string) bool { return path != "." }, "its name": func(path string) bool { return path == "." },
	} {
		lying := b.dir.recording.Without(func(o *powercut.Op) bool { return o.Kind == powercut.Sync && lied(o.Path) })
		if len(b.wrongFiles(lying, []cut{last})) == 0 {
			t.Errorf("a disk that does not sync %s is not found out", what)
		}
	}
	last.place = b.home.recording.Places() - 1
	lying := b.home.recording.Without(func(o *powercut.Op) bool { return o.Kind == powercut.Sync && o.Path == "audit/audit.jsonl" })
	if len(b.wrongHomes(t, lying, []cut{last})) == 0 {
		t.Error("a disk that does not sync the audit log is not found out")
	}
}
