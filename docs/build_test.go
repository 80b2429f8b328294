package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is the directory of the binaries under test: concourse, and the
// plugins in "plugins" beside it, as an installation has them.
var built string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		directory, err := os.MkdirTemp("", "docs")
		if err == nil {
			defer os.RemoveAll(directory)
			built = filepath.Join(directory, "bin")
			err = build()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// build makes the binaries once for all tests, as version 1.0.0, with the race
// detector in them.
func build() error {
	for to, packages := range map[string]string{"": "./cmd/concourse", "plugins": "./plugin/cmd/..."} {
		c := exec.Command("go", "build", "-race", "-ldflags", "-X "+module+"shared/version.Version=1.0.0", "-o", filepath.Join(built, to)+"/", packages)
		c.Dir = ".."
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", packages, err, out)
		}
	}
	return nil
}

// standIns are the two programs that a document's commands do not really run.
// Everything else is real: the Makefile and its recipes too.
var standIns = map[string]string{
	// What "git clone" gets is the part of this repository that an
	// administrator uses: the Makefile, the examples and the man pages, and what
	// the plugins are called.
	"git": `#!/bin/sh
case $1 in
clone)
  echo "Cloning into 'concourse-users'..."
  mkdir -p concourse-users/docs concourse-users/plugin && cp "$DOCS/../Makefile" concourse-users &&
    cp -R "$DOCS/examples" "$DOCS/man" concourse-users/docs && cp -R "$DOCS/../plugin/cmd" concourse-users/plugin ;;
*) exit 1 ;;
esac
`,
	// What "go build" makes is here already.
	"go": `#!/bin/sh
case "$*" in
"build "*" -o bin/ ./cmd/concourse") mkdir -p bin && cp "$BUILT/concourse" bin ;;
"build "*" -o bin/plugins/ ./plugin/cmd/...") mkdir -p bin && cp -R "$BUILT/plugins" bin ;;
*) exit 1 ;;
esac
`,
}

// front is the executable as its readers start it: the documents' hosts run at
// once on one machine, so each gets a port for clients of its own. What documents
// show of it is compared by its form.
const front = `#!/bin/sh
if [ "$1" = start ]; then
  CONCOURSE_CLIENT_ADDRESS=localhost:0
  export CONCOURSE_CLIENT_ADDRESS
fi
exec "$BUILT/concourse" "$@"
`

// writeFront puts it into a directory of its own.
func writeFront(t *testing.T, directory string) string {
	t.Helper()
	directory = filepath.Join(directory, "front")
	err := os.Mkdir(directory, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, "concourse"), []byte(front), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

// writeStandIns puts the stand-ins into a directory of their own.
func writeStandIns(t *testing.T, directory string) string {
	t.Helper()
	directory = filepath.Join(directory, "stand-ins")
	if err := os.Mkdir(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}
