package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// patience bounds the wait for a command to print, ask or end.
const patience = 60 * time.Second

// terminal is a command on a pseudo-terminal of its own: it prompts, hides and
// prints as it does for a person.
type terminal struct {
	command *exec.Cmd
	tty     *os.File
	more    chan struct{} // one place: more was printed
	ended   chan struct{} // closed when nobody holds the terminal any more
	asked   int           // how far what was printed has been searched for questions

	mu      sync.Mutex
	printed []byte
}

func openTerminal(command *exec.Cmd) (*terminal, error) {
	tty, err := pty.StartWithSize(command, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		return nil, err
	}
	t := &terminal{command: command, tty: tty, more: make(chan struct{}, 1), ended: make(chan struct{})}
	go t.collect()
	return t, nil
}

func (t *terminal) collect() {
	defer close(t.ended)
	b := make([]byte, 4096)
	for {
		n, err := t.tty.Read(b)
		t.mu.Lock()
		t.printed = append(t.printed, b[:n]...)
		t.mu.Unlock()
		select {
		case t.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// text is what stands there of what was printed so far, in lines as a document
// has them.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return overwritten.ReplaceAllString(strings.ReplaceAll(string(t.printed), "\r\n", "\n"), "")
}

// overwritten is what a line had before it was begun anew, such as how far a
// long run was.
var overwritten = regexp.MustCompile(`(?m)^.*\r`)

// until waits until what is printed satisfies done, or nothing more can come.
func (t *terminal) until(done func() (bool, error)) error {
	deadline := time.After(patience)
	for {
		if is, err := done(); is || err != nil {
			return err
		}
		select {
		case <-t.more:
		case <-t.ended:
			_, err := done()
			return err
		case <-deadline:
			return fmt.Errorf("nothing more after %s; this was printed:\n%s", patience, indent(t.text()))
		}
	}
}

// end waits for the command, which has let go of the terminal, and returns its
// exit code.
func (t *terminal) end() int {
	defer t.tty.Close()
	_ = t.command.Wait()
	return t.command.ProcessState.ExitCode()
}

// kill is for commands that did not do what was expected of them.
func (t *terminal) kill() {
	_ = unix.Kill(-t.command.Process.Pid, unix.SIGKILL)
	<-t.ended
	t.end()
}

// interrupt types Ctrl-C and waits for the end.
func (t *terminal) interrupt() error {
	if _, err := t.tty.WriteString("\x03"); err != nil {
		return err
	}
	if err := t.until(func() (bool, error) { return false, nil }); err != nil {
		t.kill()
		return err
	}
	t.end()
	return nil
}

// The questions that the command line asks. The name in the first group is the
// account that it is about.
var (
	asksPassword    = regexp.MustCompile(`^password for \[(.+)\]: $`)
	asksNewPassword = regexp.MustCompile(`^(?:Password|New password) for (.+?)( \[keep\])?: $`)
	asksAgain       = regexp.MustCompile(`^Re-enter password: $`)
	asksVisibly     = regexp.MustCompile(`^(?:Username \[admin\]|Name for new user|User to [a-z]+|Role for .+|Permission for .+): $|^(?:Which|To which|From which) .+\? $|^Delete .+\? \[y/N\] $`)
)

// question returns a question that stands unanswered at the end of the text.
func (t *terminal) question() string {
	text := t.text()
	last := text[max(strings.LastIndexByte(text, '\n')+1, min(t.asked, len(text))):]
	for _, q := range []*regexp.Regexp{asksPassword, asksNewPassword, asksAgain, asksVisibly} {
		if q.MatchString(last) {
			t.asked = len(text)
			return last
		}
	}
	return ""
}

// hides waits until the terminal no longer echoes what is typed.
func (t *terminal) hides() error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		modes, err := unix.IoctlGetTermios(int(t.tty.Fd()), getTermios)
		if err != nil {
			return err
		}
		if modes.Lflag&unix.ECHO == 0 {
			return nil
		}
	}
	return fmt.Errorf("what is typed after %q is not hidden", t.text())
}

func (t *terminal) typeLine(text string) error {
	_, err := t.tty.WriteString(text + "\n")
	return err
}
