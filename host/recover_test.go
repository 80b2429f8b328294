package host_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// regained is the password that a recovery sets.
const regained = "regained by the operator"

// operator runs a command of the home's owner, without credentials.
func operator(t *testing.T, h *hosttest.Host, args ...string) hosttest.Outcome {
	t.Helper()
	out := h.RunCommand(h.Command(args...), "")
	if strings.Contains(out.Stderr, "DATA RACE") {
		t.Errorf("the race detector reports:\n%s", out.Stderr)
	}
	return out
}

// succeeds fails the test unless the command does.
func succeeds(t *testing.T, o hosttest.Outcome) hosttest.Outcome {
	t.Helper()
	if o.Code != 0 {
		t.Fatalf("exit code %d: %s", o.Code, o.Stderr)
	}
	return o
}

// refuses checks a command's exit code and complaint.
func refuses(t *testing.T, o hosttest.Outcome, code int, complaint string) {
	t.Helper()
	if o.Code != code || !strings.Contains(o.Stderr, complaint) {
		t.Errorf("exit code %d, %q; want %d, %q", o.Code, o.Stderr, code, complaint)
	}
}

// eventsOf returns the audit log's lines of one kind.
func eventsOf(h *hosttest.Host, event audit.Event) (all []audit.Entry) {
	for _, e := range h.Audit() {
		if e.Event == event {
			all = append(all, e)
		}
	}
	return all
}

func recoveries(t *testing.T, h *hosttest.Host) (all []audit.Entry) {
	t.Helper()
	for _, e := range eventsOf(h, audit.Change) {
		if e.Verb == account.VerbRecover {
			all = append(all, e)
		}
	}
	return all
}

func TestRecover(t *testing.T) {
	t.Parallel()
	t.Run("ASuspendedUSER", func(t *testing.T) { t.Parallel(); recoversASuspendedUSER(t) })
	t.Run("NotWhileTheHostRuns", func(t *testing.T) { t.Parallel(); recoversOnlyOffline(t) })
	t.Run("LostLine", func(t *testing.T) { t.Parallel(); recoversWithALostLine(t) })
	t.Run("InitialPassword", func(t *testing.T) { t.Parallel(); recoversTheFirst(t) })
	t.Run("Refused", func(t *testing.T) { t.Parallel(); recoversNobody(t) })
	t.Run("AsRoot", func(t *testing.T) { t.Parallel(); recoversAsRoot(t) })
}

func recoversASuspendedUSER(t *testing.T) {
	h := hosttest.Start(t)
	admin := h.Admin()
	create(t, admin, "jeff", account.User)
	must(admin.Suspend(t.Context(), anew, "jeff"))(t)
	h.Stop()
	out := succeeds(t, operator(t, h, "recover", "jeff", "--set-password", regained))
	if out.Stdout != "'jeff' is an enabled ADMIN with the new password\n" || out.Stderr != "" {
		t.Errorf("it printed %q and %q", out.Stdout, out.Stderr)
	}
	h.Start()
	jeff := h.As("jeff", regained)
	if a := show(t, jeff, "jeff"); a.Role != account.Admin || !a.Enabled {
		t.Errorf("the account is %+v", a)
	}
	lines := recoveries(t, h)
	if len(lines) != 1 {
		t.Fatalf("%d lines say so, want one: %+v", len(lines), lines)
	}
	if e := lines[0]; e.Outcome != audit.OK || e.Target != "jeff" || e.Recovered || e.Changed == nil || !*e.Changed || e.RequestID == "" ||
		e.Caller == nil || e.Caller.UID == nil || int(*e.Caller.UID) != os.Getuid() || e.Caller.PID == 0 || e.Caller.Username != "" {
		t.Errorf("the line says %+v", e)
	}
	h.Stop()
	if data, err := os.ReadFile(h.AuditLog()); err != nil || bytes.Contains(data, []byte(regained)) {
		t.Errorf("the password is in the audit log (%v)", err)
	}
}

func recoversOnlyOffline(t *testing.T) {
	h := hosttest.Start(t)
	refuses(t, operator(t, h, "recover", "admin", "--set-password", regained), 1, "is held by process")
	h.Admin()
	if lines := recoveries(t, h); len(lines) != 0 {
		t.Errorf("the audit log says %+v", lines)
	}
}

// recoversWithALostLine stops the log between commit and line, and finds the
// line at the next start, once.
func recoversWithALostLine(t *testing.T) {
	h := hosttest.Start(t)
	h.Stop()
	cmd := h.Command("recover", "admin")
	var stderr bytes.Buffer
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	questions, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	asked := make([]byte, len("New password for admin: "))
	if _, err := questions.Read(asked); err != nil {
		t.Fatal(err)
	}
	h.StopAuditLogOf(cmd.Process.Pid, 100)
	stdin.Write([]byte(regained + "\n"))
	stdin.Close()
	stderr.ReadFrom(questions)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "'admin' was recovered, but the audit log") {
		t.Errorf("%v: %s", err, stderr.String())
	}
	for range 2 {
		h.Start()
		h.As("admin", regained)
		lines := recoveries(t, h)
		if len(lines) != 1 || !lines[0].Recovered || lines[0].CommittedAt.IsZero() || lines[0].Target != "admin" ||
			lines[0].Caller != nil || lines[0].Detail != "by the operator" {
			t.Errorf("the audit log says %+v", lines)
		}
		h.Stop()
	}
}

func recoversTheFirst(t *testing.T) {
	h := hosttest.Start(t)
	create(t, h.Admin(), "jeff", account.User)
	h.Stop()
	at, err := home.At(h.Home)
	if err != nil {
		t.Fatal(err)
	}
	if err := at.WriteInitialPassword(hosttest.Administrator, account.Secret(hosttest.Password)); err != nil {
		t.Fatal(err)
	}
	succeeds(t, operator(t, h, "recover", "jeff", "--set-password", regained))
	if _, err := os.Stat(at.InitialPassword()); err != nil {
		t.Errorf("the file of another's password is gone: %v", err)
	}
	succeeds(t, operator(t, h, "recover", hosttest.Administrator, "--set-password", regained))
	if _, err := os.Stat(at.InitialPassword()); err == nil {
		t.Error("the file still tells a password that is none")
	}
}

func recoversNobody(t *testing.T) {
	h := hosttest.New(t)
	refuses(t, operator(t, h, "recover", "admin", "--set-password", regained), 5, "the store has no accounts yet")
	refuses(t, operator(t, h, "recover", "admin", "--set-password", regained, "--home", filepath.Join(h.Home, "none")), 5, "no home")
	if _, err := os.Stat(filepath.Join(h.Home, "none")); err == nil {
		t.Error("a home was made")
	}
	h.Start()
	h.Stop()
	refuses(t, operator(t, h, "recover", "amin", "--set-password", regained), 5, "'amin' does not exist; the only ADMIN is admin")
	refuses(t, operator(t, h, "recover", "amin", "--no-input"), 5, "the only ADMIN is admin")
	refuses(t, operator(t, h, "recover", "admin", "--no-input"), 2, "--set-password-file")
	refuses(t, operator(t, h, "recover", "admin", "--set-password", "short"), 2, "characters")
	for _, e := range recoveries(t, h) {
		if e.Outcome == audit.OK {
			t.Errorf("the audit log says %+v", e)
		}
	}
	h.Start()
	h.Admin()
}

// recoversAsRoot leaves nothing in another user's home that is root's, and lets
// nobody in but its owner and root.
func recoversAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who cannot become another cannot show it
	}
	const owner, stranger = 65534, 65533
	h := hosttest.New(t)
	// Everybody may read the executables.
	for _, dir := range []string{hosttest.Bin(t), filepath.Join(hosttest.Bin(t), "plugins")} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(h.Home, owner, owner); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(h.Home, "concourse.yaml"), owner, owner); err != nil {
		t.Fatal(err)
	}
	as := func(uid uint32, cmd *exec.Cmd) *exec.Cmd {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		cmd.Env = append(cmd.Env, "CONCOURSE_INIT_ROOT_PASSWORD="+hosttest.Password)
		return cmd
	}
	// The owner's host makes the store.
	host := as(owner, h.Command("start"))
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(h.Home, "saved")
	hosttest.Await(t, "the owner's host can be backed up", func() bool {
		return h.RunCommand(as(owner, h.Command("backup", saved)), "").Code == 0
	})
	host.Process.Signal(syscall.SIGTERM)
	if err := host.Wait(); err != nil {
		t.Fatal(err)
	}

	refuses(t, h.RunCommand(as(stranger, h.Command("recover", "admin", "--set-password", regained)), ""), 4, "owner of the home")
	secret := filepath.Join(t.TempDir(), "secret") // which only root may read
	if err := os.WriteFile(secret, []byte(regained+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := succeeds(t, operator(t, h, "recover", "admin", "--set-password-file", secret))
	if !strings.Contains(out.Stderr, "(uid 65534), who owns the home") {
		t.Errorf("it does not say as whom it went on: %q", out.Stderr)
	}
	succeeds(t, operator(t, h, "restore", "--yes", saved))
	filepath.WalkDir(h.Home, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
			return nil
		}
		if info, err := d.Info(); err == nil && info.Sys().(*syscall.Stat_t).Uid != owner {
			t.Errorf("%s belongs to uid %d", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		return nil
	})
	if lines := recoveries(t, h); len(lines) != 1 || lines[0].Caller.UID == nil || *lines[0].Caller.UID != 0 {
		t.Errorf("the audit log says %+v, and root did it", lines)
	}
}
