package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestContainers does what the operator's guide shows of containers: the image
// is made of the example's Dockerfile, and "docker" is a stand-in that runs it
// in namespaces, with a read-only root that has the image and nothing else.
func TestContainers(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Fatalf("this system lets uid %d make no namespaces, without which nothing here is like a container: %v\n%s"+
			"let it (as with sysctl kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1), or run the tests as root",
			os.Getuid(), err, out)
	}
	r := newReader(t, "operating.md")
	m, err := buildImage("examples/Dockerfile", r.imageDirectory())
	if err != nil {
		t.Fatal(err)
	}
	if home := "CONCOURSE_HOME=" + m.volume; !slices.Contains(m.env, home) {
		t.Errorf("the image's variables %v do not have %s, its volume", m.env, home)
	}
	r.offerDocker(m)

	shown := containerExamples(t)
	for _, command := range []string{"build", "run", "exec", "exec -i", "exec -it", "logs", "stop"} {
		if !slices.ContainsFunc(shown, func(s step) bool { return strings.Contains(s.command, "docker "+command+" ") }) {
			t.Errorf("the guide has no example of docker %s", command)
		}
	}
	for _, s := range shown {
		if code, err := r.run(s); err != nil || code != 0 {
			t.Fatalf("operating.md:%d: %sexit status %d: %v\n%s", s.line, s.command, code, err, r.printed("docker logs host"))
		}
	}

	t.Run("OneProcess", func(t *testing.T) {
		first := r.startContainer("other")
		plugin := children(t, first)
		if len(plugin) != 1 {
			t.Fatalf("the host's children are %v, want the plugin alone", plugin)
		}
		if err := syscall.Kill(plugin[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// What was killed is reaped, and another one is there.
		r.must(step{command: "until docker exec other concourse plugin status | grep -q 'Restarts: *1'; do sleep 0.1; done\n"})
		if now := children(t, first); len(now) != 1 || now[0] == plugin[0] {
			t.Errorf("the host's children are now %v, and were %v", now, plugin)
		}
		r.must(step{command: "docker exec other " + strings.Join(m.health, " ") + " >/dev/null\n"})
	})
	t.Run("DiesWithItsFirstProcess", func(t *testing.T) {
		if err := syscall.Kill(r.startContainer("killed"), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		r.must(step{command: "until [ -s $IMAGE/killed/status ]; do sleep 0.1; done; docker rm killed\n", shown: "killed\n"})
		r.startContainer("killed")
	})
	for _, name := range []string{"other", "killed"} {
		r.must(step{command: "docker stop --timeout 45 " + name + "; cat $IMAGE/" + name + "/status\n", shown: name + "\n0\n"})
	}
}

func (r *reader) imageDirectory() string { return filepath.Join(r.directory, "image") }

// offerDocker gives a document's commands a docker that has one image.
func (r *reader) offerDocker(m *image) {
	r.t.Helper()
	for name, lines := range map[string][]string{"env": m.env, "user": {m.user}, "start": m.start} {
		if err := os.WriteFile(filepath.Join(m.directory, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	script, err := filepath.Abs("testdata/docker")
	if err == nil {
		err = os.Symlink(script, filepath.Join(r.directory, "stand-ins", "docker"))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.must(step{command: "export IMAGE=" + m.directory + "\n"})
	r.t.Cleanup(func() {
		// Ends what a test that has failed left running.
		files, _ := filepath.Glob(filepath.Join(m.directory, "*", "pid"))
		for _, f := range files {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), "status")); errors.Is(err, fs.ErrNotExist) {
				if pid, err := strconv.Atoi(strings.TrimSpace(read(r.t, f))); err == nil {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	})
}

// startContainer starts one with a volume of its own, and returns the number
// that its first process has out here.
func (r *reader) startContainer(name string) int {
	r.t.Helper()
	r.must(step{
		command: fmt.Sprintf("docker run --detach --name %s --read-only --cap-drop ALL --security-opt no-new-privileges --volume %[1]s:/var/lib/concourse concourse\n", name),
		shown:   name + "\n",
	})
	r.must(step{command: "until docker exec " + name + " concourse plugin status; do sleep 0.1; done >/dev/null 2>&1\n"})
	outside, err := strconv.Atoi(strings.TrimSpace(read(r.t, filepath.Join(r.imageDirectory(), name, "pid"))))
	if err != nil {
		r.t.Fatal(err)
	}
	first := children(r.t, outside)
	if len(first) != 1 {
		r.t.Fatalf("the container %s has the first processes %v", name, first)
	}
	return first[0]
}

// children returns a process's children, those that wait to be reaped included.
func children(t *testing.T, of int) (all []int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", of))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		list, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended meanwhile
		}
		for _, word := range strings.Fields(string(list)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pid)
		}
	}
	return all
}

func (r *reader) printed(command string) string {
	out, err := r.output(command)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// containerExamples returns the transcript of the guide's section about
// containers, which is indented: no console block, since it takes a docker.
func containerExamples(t *testing.T) (all []step) {
	t.Helper()
	b := block{}
	within := false
	for i, line := range strings.Split(read(t, "operating.md"), "\n") {
		if strings.HasPrefix(line, "## ") {
			within = line == "## Containers"
		}
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case within && indented:
			if b.text == "" {
				b.line = i
			}
			b.text += text + "\n"
		case b.text != "":
			steps, err := b.steps()
			if err != nil {
				t.Fatalf("operating.md:%v", err)
			}
			all, b = append(all, steps...), block{}
		}
	}
	return all
}
