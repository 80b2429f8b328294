package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// screen is a terminal with a command on it.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File // held open, so that its modes outlive the command
	before *term.State

	mu    sync.Mutex
	shown bytes.Buffer
	news  chan struct{}
	done  chan struct{} // closed when all is read that there will be
}

func open(t *testing.T, in invocation) *screen {
	t.Helper()
	return show(t, command(t, in))
}

// openIn opens a shell, which has what the invocation needs.
func openIn(t *testing.T, in invocation, shell ...string) *screen {
	t.Helper()
	cmd := command(t, in)
	path, err := exec.LookPath(shell[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"), "PS1=shell> ", "TERM=dumb")
	cmd.Path, cmd.Args = path, shell
	return show(t, cmd)
}

func show(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	return showOn(t, cmd, pty.Winsize{})
}

// showOn shows the command on a terminal of that size.
func showOn(t *testing.T, cmd *exec.Cmd, size pty.Winsize) *screen {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &size); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, cmd: cmd, master: master, slave: slave, news: make(chan struct{}, 1), done: make(chan struct{})}
	if s.before, err = term.GetState(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			s.mu.Lock()
			s.shown.Write(b[:n])
			s.mu.Unlock()
			select {
			case s.news <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		slave.Close()
		master.Close()
		<-s.done
	})
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.shown.String(), "\r\n", "\n")
}

// forget clears the screen.
func (s *screen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown.Reset()
}

// expectEcho checks whether what is typed shows.
func (s *screen) expectEcho(want bool) {
	s.t.Helper()
	stty := exec.Command("stty", "-a")
	stty.Stdin = s.slave
	modes, err := stty.Output()
	if err != nil || slices.Contains(strings.Fields(string(modes)), "echo") != want {
		s.t.Errorf("what is typed should show: %v; the modes are (%v)\n%s", want, err, modes)
	}
}

// await waits until the screen ends with the text.
func (s *screen) await(text string) {
	s.t.Helper()
	s.awaitThat(func(shown string) bool { return strings.HasSuffix(shown, text) }, text)
}

func (s *screen) awaitThat(is func(shown string) bool, text string) {
	s.t.Helper()
	deadline := time.After(30 * time.Second)
	for !is(s.text()) {
		select {
		case <-s.news:
		case <-deadline:
			s.t.Fatalf("the screen shows %q, and should show %q", s.text(), text)
		}
	}
}

// awaitText waits until the text is anywhere on the screen.
func (s *screen) awaitText(text string) {
	s.t.Helper()
	s.awaitThat(func(shown string) bool { return strings.Contains(shown, text) }, text)
}

// types awaits the question and answers it.
func (s *screen) types(question, answer string) {
	s.t.Helper()
	s.await(question)
	if _, err := s.master.WriteString(answer); err != nil {
		s.t.Fatal(err)
	}
}

// ends awaits the exit and checks code and screen, and that the terminal is as
// it was. Progress, which a slow machine shows, is erased.
func (s *screen) ends(code int, shown string) {
	s.t.Helper()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	left := func(text string) string { return progressLine.ReplaceAllString(text, "") }
	s.awaitThat(func(text string) bool { return strings.HasSuffix(left(text), shown) }, shown)
	if text := left(s.text()); text != shown {
		s.t.Errorf("the screen shows\n%q\nwant\n%q", text, shown)
	}
	s.expectModes()
}

// expectModes checks that the terminal is as it was.
func (s *screen) expectModes() {
	s.t.Helper()
	after, err := term.GetState(int(s.slave.Fd()))
	if err != nil || *after != *s.before {
		s.t.Errorf("the terminal is left in another state (%v)", err)
	}
}
