package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each document is a session of somebody who types what it shows. Its blocks
// are taken in order, by the language that their fence names:
//
//	console        commands and what they print, on a terminal; a status other
//	               than 0 must be shown by "echo $?" as the next command
//	console stays  the last command keeps running until the document ends, in a
//	               terminal of its own; then Ctrl-C stops it
//	json COMMAND   what COMMAND prints, laid out for people
//	yaml           a settings file that the host accepts
//	sh FILE        the whole of a file in docs/examples
//	ini FILE       likewise
//	yaml FILE      likewise
//
// A block that fits none of these fails, as does a document without blocks.
var documents = []string{"../README.md", "backends.md", "clients.md", "guide.md", "operating.md", "settings.md"}

func TestDocuments(t *testing.T) {
	for _, path := range documents {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			blocks, err := readBlocks(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(blocks) == 0 {
				t.Fatalf("%s has no examples", path)
			}
			r := newReader(t, path)
			defer r.stop()
			for _, b := range blocks {
				if err := r.follow(b); err != nil {
					t.Fatalf("%s:%v", path, err)
				}
			}
		})
	}
}

// reader follows one document.
type reader struct {
	t         *testing.T
	path      string // of the document
	directory string // everything is in here
	state     string // file: the shell's directory, variables and last status
	secrets   map[string]string
	typed     string // the new password that was typed last
	staying   []*terminal
}

// newReader gives a document a directory and a home of its own.
func newReader(t *testing.T, document string) *reader {
	t.Helper()
	// Not t.TempDir: the path of a socket in it must stay short.
	directory, err := os.MkdirTemp("", "doc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	docs, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(directory, "work")
	if err := os.MkdirAll(filepath.Join(work, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(work, "docs", "examples"), os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile("../shared/credentials/testdata/access.sample")
	if err == nil {
		err = os.Mkdir(filepath.Join(work, "concourse-server"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(work, "concourse-server", ".access"), original, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, path: document, directory: directory, state: filepath.Join(directory, "state"), secrets: map[string]string{}}
	var first strings.Builder
	path := []string{writeFront(t, directory), built, os.Getenv("PATH")}
	if document == authors {
		r.goFor(&first)
	} else {
		path = append([]string{writeStandIns(t, directory)}, path...)
	}
	for name, value := range map[string]string{
		"PATH":           strings.Join(path, ":"),
		"HOME":           directory,
		"TMPDIR":         directory,
		"LANG":           "C.UTF-8",
		"TERM":           "dumb",
		"TZ":             "UTC",
		"GORACE":         "atexit_sleep_ms=10", // not a second at the end of each command
		"CONCOURSE_HOME": filepath.Join(directory, "home"),
		"DOCS":           docs,
		"BUILT":          built,
	} {
		fmt.Fprintf(&first, "export %s='%s'\n", name, value)
	}
	if document == documents[0] { // whose reader starts what make has built
		first.WriteString("export CONCOURSE_CLIENT_ADDRESS=localhost:0\n")
	}
	fmt.Fprintf(&first, "cd '%s'\n", work)
	if err := os.WriteFile(r.state, []byte(first.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// authors is the document whose reader has Go, and this repository in a clone.
const authors = "backends.md"

// goFor gives its reader what Go keeps in a home, and the clone.
func (r *reader) goFor(variables *strings.Builder) {
	r.t.Helper()
	names := []string{"GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOSUMDB"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		r.t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fmt.Fprintf(variables, "export %s='%s'\n", names[i], value)
	}
	clone, err := filepath.Abs("..")
	if err == nil {
		err = os.Symlink(clone, filepath.Join(r.directory, "concourse-users"))
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// follow does what a block shows.
func (r *reader) follow(b block) error {
	switch {
	case b.language == "console" && (b.words == "" || b.words == "stays"):
		return r.transcript(b)
	case b.language == "json" && b.words != "":
		return r.compareJSON(b)
	case b.language == "yaml" && b.words == "":
		return loadYAML(b)
	case (b.language == "sh" || b.language == "ini" || b.language == "yaml") && b.words != "":
		return compareFile(b)
	}
	return fmt.Errorf("%d: nothing tests a block that begins with ```%s %s", b.line, b.language, b.words)
}

func (r *reader) transcript(b block) error {
	steps, err := b.steps()
	if err != nil {
		return err
	}
	for i, s := range steps {
		if b.words == "stays" && i == len(steps)-1 {
			return r.stay(s)
		}
		code, err := r.run(s)
		if err == nil && code != 0 && (i == len(steps)-1 || steps[i+1].command != "echo $?\n") {
			err = fmt.Errorf("exit status %d, which the document does not show by \"echo $?\"", code)
		}
		if err != nil {
			return fmt.Errorf("%d: %s%w", s.line, s.command, err)
		}
	}
	return nil
}

// run carries out a command, answers what it asks, and compares what it prints.
func (r *reader) run(s step) (code int, err error) {
	t, err := openTerminal(r.shell(s.command, true))
	if err != nil {
		return 0, err
	}
	answers := strings.Split(s.shown, "\n")
	if err := t.until(func() (bool, error) {
		if q := t.question(); q != "" && !feeds.MatchString(s.command) {
			return false, r.answer(t, q, &answers)
		}
		return false, nil
	}); err != nil {
		t.kill()
		return 0, err
	}
	return t.end(), compare(s.shown, t.text())
}

// feeds matches a command whose standard input is not the terminal: its
// questions are answered already.
var feeds = regexp.MustCompile(`\| *concourse|<`)

// stay starts a command, waits until it has printed what is shown, and leaves
// it running.
func (r *reader) stay(s step) error {
	t, err := openTerminal(r.shell(s.command, false))
	if err != nil {
		return fmt.Errorf("%d: %w", s.line, err)
	}
	shown := false
	err = t.until(func() (bool, error) {
		shown = compareBeginning(s.shown, t.text()) == nil
		return shown, nil
	})
	if err == nil && !shown {
		err = compareBeginning(s.shown, t.text())
		t.end()
	} else if err != nil {
		t.kill()
	}
	if err != nil {
		return fmt.Errorf("%d: %s%w", s.line, s.command, err)
	}
	r.staying = append(r.staying, t)
	return nil
}

// shell runs a command as the next one that somebody types into a shell:
// variables, directory and $? are as the last one left them.
func (r *reader) shell(command string, remember bool) *exec.Cmd {
	script := ". " + r.state + "\n" + command
	if remember {
		script = `trap 'status=$?; { export -p; umask -p; printf "cd %q\n(exit %d)\n" "$PWD" $status; } >"` + r.state + `"' EXIT` + "\n" + script
	}
	c := exec.Command("bash", "-c", script)
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	return c
}

// output is for commands that only print: it returns what they do.
func (r *reader) output(command string) ([]byte, error) {
	out, err := r.shell(command, false).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return out, err
}

// answer types what the document shows after a question, or the secret that
// belongs to one that hides it.
func (r *reader) answer(t *terminal, question string, shown *[]string) error {
	i := slices.IndexFunc(*shown, func(line string) bool { return strings.HasPrefix(line, strings.TrimSpace(question)) })
	if i < 0 {
		return fmt.Errorf("it asks %q, which the document does not show; before that it printed:\n%s", question, indent(t.text()))
	}
	answer := strings.TrimSpace(strings.TrimPrefix((*shown)[i], strings.TrimSpace(question)))
	*shown = (*shown)[i+1:]
	if asksVisibly.MatchString(question) {
		if answer == "^C" {
			_, err := t.tty.WriteString("\x03")
			return err
		}
		return t.typeLine(answer)
	}
	if answer != "" {
		return fmt.Errorf("the document shows %q after %q, which is hidden", answer, question)
	}
	if err := t.hides(); err != nil {
		return err
	}
	secret, err := r.secret(question)
	if err != nil {
		return err
	}
	return t.typeLine(secret)
}

// secret is what somebody has in mind who reads a question for a password: for
// "[keep]" nothing, a new one where a new one is asked for, and otherwise the
// one that was typed last for that account, or the host's file with the first.
func (r *reader) secret(question string) (string, error) {
	if asksAgain.MatchString(question) {
		return r.typed, nil
	}
	if m := asksNewPassword.FindStringSubmatch(question); m != nil {
		if m[2] != "" {
			return "", nil
		}
		r.typed = fmt.Sprintf("secret number %d of %s", len(r.secrets)+1, m[1])
		r.secrets[m[1]] = r.typed
		return r.typed, nil
	}
	name := asksPassword.FindStringSubmatch(question)[1]
	if s, ok := r.secrets[name]; ok {
		return s, nil
	}
	first, err := r.output(`head -n 1 "$CONCOURSE_HOME/initial-admin-password"`)
	if err != nil {
		return "", fmt.Errorf("nobody knows the password of %s: %w", name, err)
	}
	return strings.TrimSuffix(string(first), "\n"), nil
}

// stop types Ctrl-C to what stays. A host among it must have stopped in order,
// and none of it may have met a data race.
func (r *reader) stop() {
	for _, t := range slices.Backward(r.staying) {
		if err := t.interrupt(); err != nil {
			r.t.Errorf("%s: %v", r.path, err)
		}
		if strings.Contains(t.text(), "DATA RACE") {
			r.t.Errorf("%s: a data race:\n%s", r.path, indent(t.text()))
		}
		last, err := r.output(`tail -n 2 "$CONCOURSE_HOME/audit/audit.jsonl"`)
		if err != nil || !strings.Contains(string(last), `"event":"host_stopped","outcome":"ok"`) {
			r.t.Errorf("%s: the host did not stop in order: its audit log ends with\n%s%v", r.path, indent(string(last)), err)
		}
		if r.t.Failed() {
			r.t.Logf("%s: what stayed printed:\n%s", r.path, indent(t.text()))
		}
	}
}

// compareFile holds a block to the file that it shows.
func compareFile(b block) error {
	want, err := os.ReadFile(filepath.Join("examples", filepath.Base(b.words)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%d: there is no example %s", b.line, b.words)
	case err != nil:
		return err
	case string(want) != b.text:
		return fmt.Errorf("%d: the block is not the file %s", b.line, b.words)
	}
	return nil
}
