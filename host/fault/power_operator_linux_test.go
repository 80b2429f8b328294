package fault_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// errand is a command of the operator's on a home whose host is stopped.
type errand struct {
	args     []string
	stdin    string
	verb     account.Verb // of a recovery
	target   string       // of a recovery
	password string       // the first administrator's, once it is done

	began, told time.Time
}

// operated is a home that its operator recovers and restores, one errand after
// another, and every call that touched its disk.
type operated struct {
	*life
	errands []*errand
	states  []contents    // of the store: before the first errand, and after each
	before  []audit.Entry // the audit log, before the first
}

// TestFaultPowerCutOperator records recoveries and restores, and looks at what a
// power cut at any moment of them may have left: the home opens, its store is as
// before the errand that was under way or as after it, no errand that was told to
// have succeeded is undone, the audit log tells of each, and what a restore has
// replaced is in a whole backup.
func TestFaultPowerCutOperator(t *testing.T) {
	t.Parallel()
	const short = time.Second
	span := hosttest.Span(t, "CONCOURSE_FAULT", short)
	draw, end := rand.New(rand.NewPCG(hosttest.Seed(t), 0)), time.Now().Add(span)
	rounds, starts := 1, 3
	if span > short {
		rounds, starts = 20, 20
	}
	for good := true; good; good = good && time.Now().Before(end) {
		good = t.Run("Errands", func(t *testing.T) {
			o, saved := operate(t)
			var cuts []cut
			for range rounds {
				cuts = append(cuts, each(draw, o.calls())...)
				for range 8 {
					cuts = append(cuts, each(draw, o.names())...)
				}
			}
			o.examined(t, o.recording, cuts)
			o.started(t, o.drawn(draw, starts))
			o.lie(t, draw)
			fresh := moveIn(t, saved)
			cuts = slices.Concat(cuts, each(draw, fresh.calls()))
			fresh.examined(t, fresh.recording, each(draw, fresh.calls()))
			t.Logf("%d calls on the disk; the power was cut %d times, and %d times more with a host started then",
				len(o.calls())+len(fresh.calls()), len(cuts), starts)
		})
	}
}

// operate records a recovery of the first administrator, one of a suspended USER,
// and a restore of an older backup, saved.
func operate(t *testing.T) (_ *operated, saved string) {
	t.Helper()
	h := hosttest.New(t, "plugin.path: "+hosttest.BuildPlain(t, "./plugin/cmd/concourse-users-bolt"))
	h.Executable = hosttest.BuildPlain(t, "./cmd/concourse")
	h.Env = []string{"CONCOURSE_INIT_ROOT_PASSWORD="} // one is generated
	h.Start()
	_, password := initialPassword(t, h.Home)
	admin := h.As(hosttest.Administrator, string(password))
	must := func(_ management.Result, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ana", "jeff"} {
		must(admin.Create(t.Context(), account.RequestID{}, account.Create{Username: name, Password: account.Secret(secret), Role: account.User}))
	}
	must(admin.Suspend(t.Context(), account.RequestID{}, "jeff"))
	saved = filepath.Join(t.TempDir(), "saved.backup")
	if out, err := h.Command("backup", saved).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(admin.Delete(t.Context(), account.RequestID{}, account.Delete{Username: "ana"}))
	must(admin.Grant(t.Context(), account.RequestID{}, account.Grant{Username: "jeff", Permission: account.Read, Environment: "e"}))
	admin.Close()
	h.Stop()

	recovery := func(name, password string) *errand {
		return &errand{
			args: []string{"recover", name, "--no-input", "--set-password-file", "-"}, stdin: secondPassword + "\n",
			verb: account.VerbRecover, target: name, password: password,
		}
	}
	return carriedOut(t, h,
		recovery(hosttest.Administrator, secondPassword), recovery("jeff", secondPassword),
		&errand{args: []string{"restore", "--yes", saved}, password: string(password)},
	), saved
}

// moveIn records a restore into a home without a store.
func moveIn(t *testing.T, saved string) *operated {
	t.Helper()
	h := hosttest.New(t, "plugin.path: "+hosttest.BuildPlain(t, "./plugin/cmd/concourse-users-bolt"))
	return carriedOut(t, h, &errand{args: []string{"restore", "--yes", saved}})
}

// carriedOut runs the errands, and notes what the store holds after each.
func carriedOut(t *testing.T, h *hosttest.Host, errands ...*errand) *operated {
	t.Helper()
	o := &operated{life: &life{first: imageOf(t, h.Home), recording: &powercut.Recording{}}, errands: errands, before: h.Audit()}
	_, o.password = initialPassword(t, h.Home)
	state := func() { o.states = append(o.states, storeOf(t, h.Home)) }
	state()
	disk := powercut.NewDisk(o.recording, o.first)
	for _, e := range errands {
		under, seen := traced(t, h.Home)
		cmd := exec.Command(under[0], slices.Concat(under[1:], []string{hosttest.BuildPlain(t, "./cmd/concourse")}, e.args)...)
		cmd.Env, cmd.Stdin = h.Command().Env, strings.NewReader(e.stdin)
		e.began = time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", e.args, err, out)
		}
		e.told = time.Now()
		o.add(t, disk, seen(), h.Home)
		state()
	}
	at, err := home.At(h.Home)
	if err == nil {
		o.id, err = at.ID()
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// drawn draws n cuts around calls.
func (o *operated) drawn(draw *rand.Rand, n int) (all []cut) {
	calls := o.calls()
	for range n {
		all = append(all, around(draw, calls[draw.IntN(len(calls))])[draw.IntN(2)])
	}
	return all
}

// told returns how many errands were told to have succeeded before, and how many
// may have.
func (o *operated) told(at time.Time) (least, most int) { return begun(o.errands, at) }

// begun returns how many errands had ended before a time, and how many had begun.
func begun(errands []*errand, at time.Time) (ended, begun int) {
	for ended < len(errands) && errands[ended].told.Before(at) {
		ended++
	}
	if begun = ended; begun < len(errands) && errands[begun].began.Before(at) {
		begun++
	}
	return ended, begun
}

func (e *errand) String() string { return fmt.Sprintf("%q", e.args) }
