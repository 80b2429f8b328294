package docs_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// image is what a Dockerfile comes to. It is made as Docker makes it, as far
// as the example needs that; whatever else an instruction asks for is refused.
type image struct {
	directory string // of everything here
	source    string // the first stage's working directory, by its name there
	stage     int    // how many FROM there were
	env       []string
	user      string
	volume    string
	health    []string
	start     []string // the entrypoint, then the command
}

func (m *image) root() string { return filepath.Join(m.directory, "root") }
func (m *image) work() string { return filepath.Join(m.directory, "work") }

// buildImage carries out a Dockerfile with the repository as its context.
func buildImage(path, directory string) (*image, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(directory, 0o755); err != nil {
		return nil, err
	}
	m := &image{directory: directory}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if err := m.carryOut(name, rest); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, i+1, line, err)
		}
	}
	return m, nil
}

func (m *image) carryOut(name, rest string) error {
	options, words := cutOptions(strings.Fields(rest))
	switch {
	case name == "FROM":
		m.stage++
		return m.from(words)
	case m.stage == 1 && name == "ARG" && rest == "VERSION=dev":
		return nil
	case m.stage == 1 && name == "WORKDIR" && len(words) == 1:
		m.source = words[0]
		return os.Mkdir(m.work(), 0o755)
	case m.stage == 1 && name == "COPY" && len(words) > 1 && len(options) == 0:
		return m.copyContext(words[:len(words)-1], words[len(words)-1])
	case m.stage == 1 && name == "RUN":
		c := exec.Command("sh", "-c", rest)
		c.Dir, c.Env = m.work(), append(os.Environ(), "VERSION=1.0.0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	case m.stage == 2 && name == "COPY" && len(words) == 2 && options["from"] == "build":
		return m.copyStage(words[0], words[1], options["chown"])
	case m.stage == 2 && name == "ENV" && len(words) == 1:
		m.env = append(m.env, words[0])
		return nil
	case m.stage == 2 && name == "USER" && (m.user == "" || m.user == rest):
		m.user = rest
		return nil
	case m.stage == 2 && name == "VOLUME":
		m.volume = rest
		return nil
	case m.stage == 2 && name == "STOPSIGNAL" && rest == "SIGTERM", m.stage == 2 && name == "EXPOSE" && rest == "1717":
		return nil
	case m.stage == 2 && name == "HEALTHCHECK" && words[0] == "CMD":
		return json.Unmarshal([]byte(strings.Join(words[1:], " ")), &m.health)
	case m.stage == 2 && (name == "ENTRYPOINT" || name == "CMD"):
		var more []string
		err := json.Unmarshal([]byte(rest), &more)
		m.start = append(m.start, more...)
		return err
	}
	return fmt.Errorf("nothing tests such an instruction here")
}

// from begins a stage: a build on the Go that go.mod asks for, then an empty
// root.
func (m *image) from(words []string) error {
	gomod, err := os.ReadFile("../go.mod")
	if err != nil {
		return err
	}
	_, version, _ := strings.Cut(string(gomod), "\ngo ")
	parts := strings.SplitN(strings.Fields(version)[0], ".", 3)
	switch want := "golang:" + parts[0] + "." + parts[1] + " AS build"; {
	case m.stage == 1 && strings.Join(words, " ") == want:
		return nil
	case m.stage == 2 && strings.Join(words, " ") == "scratch":
		return os.Mkdir(m.root(), 0o755)
	}
	return fmt.Errorf("the stages must be those that are tested")
}

// copyContext copies files and directories of the repository.
func (m *image) copyContext(from []string, to string) error {
	for _, name := range from {
		source, target := filepath.Join("..", name), filepath.Join(m.work(), to)
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = os.CopyFS(target, os.DirFS(source))
		} else if data, failed := os.ReadFile(source); failed != nil {
			err = failed
		} else {
			err = os.WriteFile(filepath.Join(target, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyStage copies what is in a directory of the first stage, modes included.
// In this root everything has one owner, who must be the image's user if any
// other than root is named.
func (m *image) copyStage(from, to, owner string) error {
	inside, ok := strings.CutPrefix(from, m.source+"/")
	if !ok {
		return fmt.Errorf("%s is not in %s", from, m.source)
	}
	if owner != "" && owner != cmp.Or(m.user, owner) {
		return fmt.Errorf("the owner is not the user %s", m.user)
	}
	m.user = cmp.Or(owner, m.user)
	target := filepath.Join(m.root(), to)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	out, err := exec.Command("cp", "-a", filepath.Join(m.work(), inside)+"/.", target).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// cutOptions tells --name=value from the words behind them.
func cutOptions(words []string) (options map[string]string, rest []string) {
	options = map[string]string{}
	for i, w := range words {
		name, value, ok := strings.Cut(strings.TrimPrefix(w, "--"), "=")
		if !ok || !strings.HasPrefix(w, "--") {
			return options, words[i:]
		}
		options[name] = value
	}
	return options, nil
}
