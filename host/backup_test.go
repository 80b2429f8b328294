package host_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

func TestBackup(t *testing.T) {
	t.Parallel()
	t.Run("UnderChanges", func(t *testing.T) { t.Parallel(); backsUpUnderChanges(t) })
	t.Run("Audited", func(t *testing.T) { t.Parallel(); backsUpWithALine(t) })
}

// backsUpUnderChanges makes backups while grants are made one after another, and
// finds in each of them as many grants as records of one, without a gap.
func backsUpUnderChanges(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	names := []string{"ana", "jeff", "zoe"}
	for _, name := range names {
		create(t, admin, name, account.User)
	}
	stop := make(chan struct{})
	var granting sync.WaitGroup
	for _, name := range names {
		c := h.Admin()
		granting.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := grant(fmt.Sprintf("e%d", i))(t.Context(), c, anew, name); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	dir := t.TempDir()
	var last string
	moved := map[uint64]bool{}
	for i := range 8 {
		last = filepath.Join(dir, fmt.Sprint(i))
		succeeds(t, operator(t, h, "backup", last))
		moved[grantsMatchRecords(t, last, len(names)+1)] = true
	}
	close(stop)
	granting.Wait()
	if len(moved) < 2 {
		t.Error("nothing changed between the backups, so they show nothing")
	}
	// The last of them can be restored.
	other := hosttest.New(t)
	succeeds(t, operator(t, other, "restore", "--yes", last))
	other.Start()
	c := other.As(hosttest.Administrator, hosttest.Password)
	for _, name := range names {
		show(t, c, name)
	}
}

// grantsMatchRecords returns the store's revision.
func grantsMatchRecords(t *testing.T, path string, accounts int) uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := backup.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	granted, recorded := map[string]int{}, map[string]int{}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Grants       map[string]any
			Verb, Target string
		}
		if e.Space != "accounts" && e.Space != "requests" {
			continue
		}
		if err := json.Unmarshal(e.Value, &v); err != nil {
			t.Fatal(err)
		}
		if e.Space == "requests" && v.Verb == "grant" {
			recorded[v.Target]++
		}
		for i := range v.Grants {
			granted[e.Name]++
			if v.Grants[fmt.Sprintf("e%d", len(v.Grants)-1)] == nil {
				t.Errorf("%s has %d grants, among them %s, but not the one before", e.Name, len(v.Grants), i)
				break
			}
		}
	}
	s := r.Summary()
	if int(s.Accounts) != accounts {
		t.Errorf("it has %d accounts, want %d", s.Accounts, accounts)
	}
	for name, n := range granted {
		if recorded[name] != n {
			t.Errorf("%s has %d grants and %d records of them", name, n, recorded[name])
		}
	}
	return s.Revision
}

func backsUpWithALine(t *testing.T) {
	h := hosttest.Start(t)
	path := filepath.Join(t.TempDir(), "b")
	succeeds(t, operator(t, h, "backup", path))
	lines := eventsOf(h, audit.Backup)
	if len(lines) != 1 || lines[0].Outcome != audit.OK || lines[0].Caller == nil || lines[0].Caller.UID == nil || int(*lines[0].Caller.UID) != os.Getuid() {
		t.Errorf("the audit log says %+v", lines)
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte(hosttest.Password)) {
		t.Errorf("a password is in the backup (%v)", err)
	}
	// A log that takes no line lets nothing out.
	h.StopAuditLog(100)
	out := h.RunCommand(h.Command("backup", "-"), "")
	if out.Code == 0 || out.Stdout != "" {
		t.Errorf("exit code %d, %d bytes of output", out.Code, len(out.Stdout))
	}
	h.Kill()
}

func TestRestore(t *testing.T) {
	t.Parallel()
	t.Run("AsItWas", func(t *testing.T) { t.Parallel(); restoresAsItWas(t) })
	t.Run("Refused", func(t *testing.T) { t.Parallel(); restoresNothing(t) })
	t.Run("Killed", func(t *testing.T) { t.Parallel(); restoresOldOrNew(t) })
}

func restoresAsItWas(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	for _, name := range []string{"ana", "jeff"} {
		create(t, admin, name, account.User)
	}
	must(admin.Suspend(t.Context(), anew, "ana"))(t)
	dir := t.TempDir()
	saved := filepath.Join(dir, "saved")
	succeeds(t, operator(t, h, "backup", saved))

	// Everything changes.
	late := account.NewRequestID(time.Now())
	must(admin.Suspend(t.Context(), late, "jeff"))(t)
	must(admin.Edit(t.Context(), anew, account.Edit{Username: "jeff", Role: account.Admin, Password: account.Secret("changed since then")}))(t)
	must(admin.Delete(t.Context(), anew, account.Delete{Username: "ana"}))(t)
	create(t, admin, "late", account.Admin)
	h.Stop()

	out := succeeds(t, operator(t, h, "restore", "--yes", saved))
	_, kept, found := strings.Cut(strings.TrimSuffix(out.Stdout, "\n"), "What the store held before is in ")
	if !strings.Contains(out.Stdout, "Restored 3 accounts as of ") || !found {
		t.Errorf("it printed %q", out.Stdout)
	}
	h.Start()
	admin = h.Admin()
	if a := show(t, admin, "ana"); a.Enabled {
		t.Errorf("ana is %+v", a)
	}
	if a := show(t, admin, "jeff"); !a.Enabled || a.Role != account.User {
		t.Errorf("jeff is %+v", a)
	}
	matches := func(username, password string) bool {
		ok, err := admin.CheckPassword(t.Context(), account.Password{Username: username, Password: account.Secret(password)})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !matches("jeff", secret) || matches("jeff", "changed since then") {
		t.Error("jeff's password is not the one from then")
	}
	_, err := admin.Show(t.Context(), "late")
	wantKind(t, "an account from after the backup", err, account.KindNotFound, "")
	// What was done under this id is not done any more, and is done now.
	must(admin.Suspend(t.Context(), late, "jeff"))(t)
	if a := show(t, admin, "jeff"); a.Enabled {
		t.Error("a change from after the backup was answered as done")
	}
	h.Stop()

	lines := eventsOf(h, audit.Restore)
	if len(lines) != 2 || lines[0].Outcome != "outcome_unknown" || lines[1].Outcome != audit.OK || lines[1].Count != 3 ||
		!strings.Contains(lines[1].Detail, saved) || lines[1].Caller == nil || lines[1].Caller.UID == nil || int(*lines[1].Caller.UID) != os.Getuid() {
		t.Errorf("the audit log says %+v", lines)
	}
	// What it replaced comes back, and another home takes it too.
	succeeds(t, operator(t, h, "restore", "--yes", "--no-copy", kept))
	fresh := hosttest.New(t)
	succeeds(t, operator(t, fresh, "restore", "--yes", kept))
	if _, err := os.Stat(filepath.Join(fresh.Home, "backups")); err == nil {
		t.Error("what an empty store held was kept")
	}
	for _, h := range []*hosttest.Host{h, fresh} {
		h.Start()
		show(t, h.Admin(), "late")
		if all, err := filepath.Glob(filepath.Join(h.Home, "*accounts.db*")); err != nil || len(all) != 1 {
			t.Errorf("the home has %q (%v)", all, err)
		}
		h.Stop()
	}
}

func restoresNothing(t *testing.T) {
	h := hosttest.Start(t)
	create(t, h.Admin(), "jeff", account.User)
	dir := t.TempDir()
	saved := filepath.Join(dir, "saved")
	succeeds(t, operator(t, h, "backup", saved))
	create(t, h.Admin(), "late", account.User)
	refuses(t, operator(t, h, "restore", "--yes", saved), 1, "is held by process")
	h.Stop()

	whole, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	refuses(t, operator(t, h, "restore", "--yes", write("cut", whole[:len(whole)/2])), 2, "cut short")
	refuses(t, operator(t, h, "restore", "--yes", write("altered", bytes.Replace(whole, []byte("jeff"), []byte("jefe"), 1))), 2, "altered")
	refuses(t, operator(t, h, "restore", "--yes", write("other", []byte("hello\n"))), 2, "not a backup")
	refuses(t, operator(t, h, "restore", "--yes", filepath.Join(dir, "none")), 2, "no such file")
	refuses(t, operator(t, h, "restore", saved), 2, "--yes")
	// One that is whole, and that no Service wrote.
	refuses(t, operator(t, h, "restore", "--yes", write("forged", forged(t, whole))), 2, "not acceptable")
	h.Start()
	show(t, h.Admin(), "late")
}

// forged renames an account to what no account can be named, and corrects the
// sum.
func forged(t *testing.T, whole []byte) []byte {
	t.Helper()
	r, err := backup.NewReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, r.Header())
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if e.Name == "jeff" {
			e.Name = "je ff"
		}
		if err != nil || w.Put(e) != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(r.Summary().Accounts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// restoresOldOrNew kills the plugin, or the command, at some moment of a restore,
// again and again, and finds the accounts from before or those of the backup,
// all of them.
func restoresOldOrNew(t *testing.T) {
	const many = 5000
	h := hosttest.Start(t)
	h.Stop()
	seed := hosttest.Build(t, "./host/testdata/seed")
	if out, err := exec.Command(seed, filepath.Join(h.Home, "accounts.db"), hosttest.Administrator, fmt.Sprint(many)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h.Start()
	big := filepath.Join(t.TempDir(), "big")
	succeeds(t, operator(t, h, "backup", big))
	h.Stop()

	small := hosttest.Start(t)
	create(t, small.Admin(), "old", account.User)
	small.Stop()
	store := filepath.Join(small.Home, "accounts.db")
	before, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for round := range 8 {
		if err := os.WriteFile(store, before, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := small.Command("restore", "--yes", "--no-copy", big)
		killed, said := killDuring(t, small, cmd, round)
		code := cmd.ProcessState.ExitCode()

		small.Start()
		admin := small.Admin()
		accounts := 0
		for batch, err := range admin.List(t.Context(), management.AccountFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			accounts += len(batch)
		}
		_, err := admin.Show(t.Context(), "old")
		admin.Close()
		is := "neither"
		switch {
		case accounts == 2 && err == nil:
			is = "old"
		case accounts == many+1 && account.KindOf(err) == account.KindNotFound:
			is = "new"
		}
		outcomes[is]++
		if is == "neither" || code == 0 && is != "new" || code > 0 && is != "old" && code != 12 {
			t.Errorf("round %d: %s was killed, the command ended with %d, and the store has %d accounts: %s", round, killed, code, accounts, is)
		}
		if is == "old" && killed == "the plugin" && !strings.Contains(said, "did not answer: it ended (signal: killed); the store is as it was") {
			t.Errorf("round %d: the command said %q", round, said)
		}
		small.Stop()
		if all, err := filepath.Glob(filepath.Join(small.Home, "*accounts.db*")); err != nil || len(all) != 1 {
			t.Errorf("the home has %q (%v)", all, err)
		}
	}
	if outcomes["old"] == 0 || outcomes["new"] == 0 {
		t.Errorf("the outcomes are %v; the test shows too little", outcomes)
	}
}

// killDuring runs a restore and kills its plugin (or, in odd rounds, the command)
// when the new file has come to a size that grows with the rounds; in the first
// nothing is killed. It returns what was, and what the command said of it.
func killDuring(t *testing.T, h *hosttest.Host, cmd *exec.Cmd, round int) (victim, said string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	built := filepath.Join(h.Home, ".accounts.db.restoring")
	for {
		select {
		case <-ended:
			if strings.Contains(stderr.String(), "DATA RACE") {
				t.Errorf("the race detector reports:\n%s", stderr.String())
			}
			return "nothing", stderr.String()
		default:
		}
		info, err := os.Stat(built)
		if err != nil || round == 0 || info.Size() < int64(round-1)<<19 {
			continue
		}
		victim, pid := "the command", cmd.Process.Pid
		if round%2 == 0 {
			children := childrenOf(pid)
			if len(children) == 0 {
				continue
			}
			victim, pid = "the plugin", children[0]
		}
		syscall.Kill(pid, syscall.SIGKILL)
		<-ended
		return victim, stderr.String()
	}
}

// childrenOf returns the processes that a process has started.
func childrenOf(pid int) (children []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err == nil {
				children = append(children, child)
			}
		}
	}
	slices.Sort(children)
	return children
}
