package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// Whatever ends a watch, the terminal is as it was, and being told to end is no
// error.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	for name, end := range map[string]func(*watched){
		"Q":         func(w *watched) { w.press("q") },
		"Escape":    func(w *watched) { w.press("\x1b") },
		"ControlC":  func(w *watched) { w.press("\x03") },
		"InHelp":    func(w *watched) { w.press("?\x03") },
		"InFilter":  func(w *watched) { w.press("/q\x03") },
		"Terminate": func(w *watched) { w.cmd.Process.Signal(syscall.SIGTERM) },
		"Hangup":    func(w *watched) { w.cmd.Process.Signal(syscall.SIGHUP) },
		"Interrupt": func(w *watched) { w.cmd.Process.Signal(syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, as(h, "sessions", "--watch"))
			w.shows(`0 sessions of .*\n  none`)
			end(w)
			w.quits(0, `\A\s*\z`)
		})
	}
}

func TestWatchAsOperator(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	h.Admin()
	w := watch(t, invocation{args: []string{"sessions", "--watch", "--interval", "100ms"}, env: []string{"CONCOURSE_HOME=" + h.Home, "NO_COLOR=1"}})
	w.shows(`1 session of .*\n> admin `)
	w.press("d")
	w.shows(`Disconnecting takes an account: 'concourse users sessions --watch'`)
	h.StopPlugin() // which is no concern of the operator's
	w.press("r")
	w.shows(`by connected, reversed .*\n> admin `)
	w.press("q")
	w.quits(0, `\A\s*\z`)
	if found := regexp.MustCompile(`\x1b\[[0-9;]*m`).FindString(w.text()); strings.Trim(found, "\x1b[0m") != "" {
		t.Errorf("in spite of NO_COLOR it shows %q", found)
	}
}

// A host that starts again is logged in to again, with the password that was
// typed once.
func TestWatchOfAHostThatRestarts(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	w := watch(t, asking(h, "users", "sessions", "--watch", "--interval", "200ms"))
	w.types("Username [admin]: ", "\r")
	w.types("password for [admin]: ", hosttest.Password+"\r")
	w.shows(`1 session of .*\n> admin `)
	h.Kill()
	w.shows(`Host unavailable, retrying: .*\n> admin `)
	h.Start()
	w.shows(`(?m)1 session of .*\n.*\n\n.*\n> admin .*this s`)
	w.press("q")
	w.quits(0, `Username`)
	if strings.Contains(w.text(), hosttest.Password) {
		t.Error("the password shows")
	}
}

// A session that was ended stays so.
func TestWatch_ErrDisconnected(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	w := watch(t, as(h, "users", "sessions", "--watch", "--interval", "100ms"))
	w.shows(`2 sessions of `)
	if _, err := c.DisconnectUser(t.Context(), "admin"); err != nil {
		t.Fatal(err)
	}
	w.quits(3, `ERROR: `)
}

// Ctrl-Z gives the terminal to the shell, and fg takes it back.
func TestWatchStopped(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	in := as(h, "sessions", "--watch")
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, in)
	cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"), "PS1=shell> ", "TERM=xterm")
	cmd.Path, cmd.Args = bash, []string{"bash", "--norc", "--noprofile", "-i"}
	size := pty.Winsize{Rows: 20, Cols: 100}
	w := &watched{screen: showOn(t, cmd, size), sizes: []resized{{0, size}}}
	w.shows(`shell>`)
	w.press("concourse sessions --watch\r")
	w.shows(`0 sessions of `)
	w.press("\x1a")
	w.shows(`Stopped.*shell>`)
	w.expectEcho(false) // bash edits lines itself, and had it off before
	w.press("fg\r")
	w.shows(`\A\S+  0 sessions of `)
	w.press("q")
	w.shows(`shell>`)
	w.press("exit\r")
	_ = w.cmd.Wait()
}

// On a roll of paper a watch prints lines.
func TestWatchOnADumbTerminal(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	in := as(h, "sessions", "--watch", "--interval", "100ms")
	in.env = append(in.env, "TERM=dumb")
	s := open(t, in)
	s.awaitThat(regexp.MustCompile(`\A20\S+Z\nnone\n\n20\S+Z\nnone\n\n`).MatchString, "two listings")
	if strings.Contains(s.text(), "\x1b") {
		t.Errorf("it moves the cursor: %q", s.text())
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// What others named themselves does not move the cursor, and what does not fit
// is not there.
func TestWatchOfUntrustedText(t *testing.T) {
	t.Parallel()
	f := serve(t, &fakeHost{sessions: sendSessionRows})
	w := watch(t, f.as("users", "sessions", "--watch"))
	w.shows(`> root .*\n  bob `)
	w.resize(300, 20)
	lines := w.shows(`> root .* in Sessions +- .*\n  bob `)
	if text := strings.Join(lines, "\n"); !strings.Contains(text, `concourse 1\u009b2J`) {
		t.Errorf("the screen shows\n%s", text)
	}
	w.press("/")
	w.shows(`Filter:`)
	w.press("\x1b[200~\x07account=\x9bbob\n\x1b[201~") // pasted
	w.shows(`Filter: account=bob`)
	w.press("\x03")
	w.quits(0, `\A\s*\z`)
}
