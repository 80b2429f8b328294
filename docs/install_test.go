package docs_test

import "testing"

// TestInstall installs as somebody who is not root would, runs a host from
// there, and takes it all away again.
func TestInstall(t *testing.T) {
	t.Parallel()
	r := newReader(t, "make install")
	defer r.stop()
	r.must(step{command: "git clone concourse-users && cd concourse-users\n", shown: "…\n"})
	if code, err := r.run(step{command: "make install\n", shown: "make build first\n…\n"}); code == 0 || err != nil {
		t.Errorf("before a build: exit status %d, %v", code, err)
	}
	const list = `(cd "$TO" && find . ! -type d ! -name '*.1' | LC_ALL=C sort)` + "\n"
	for _, s := range []step{
		{command: "make build\n", shown: "…\n"},
		{command: `export TO="$HOME/my own" PATH="$HOME/my own/bin":$PATH` + "\n"},
		{command: `mkdir -p "$TO/bin" && chmod 700 "$TO/bin" && umask 077` + "\n"},
		{command: `make install PREFIX="$TO"` + "\n", shown: "…\n"},
		{command: `stat -c '%A %N' "$TO/"{bin,bin/concourse,lib/concourse,share/man/man1}` + "\n", shown: `drwx------ …
lrwxrwxrwx '…/my own/bin/concourse' -> '../lib/concourse/concourse'
drwxr-xr-x …
drwxr-xr-x …
`},
		{command: list, shown: "./bin/concourse\n./lib/concourse/concourse\n./lib/concourse/plugins/concourse-users-bolt\n./lib/concourse/plugins/concourse-users-etcd\n"},
		{command: `diff -r docs/man "$TO/share/man/man1"` + "\n"},
		{command: "concourse config | grep -E 'plugin.(path|directory)'\n", shown: "plugin.path  concourse-users-bolt  default\nplugin.directory  …/my own/lib/concourse/plugins  default\n"},
	} {
		r.must(s)
	}
	if err := r.stay(step{command: "concourse start\n", shown: "…\nConcourse is ready; …\n"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []step{
		{command: "concourse plugin status | grep Executable\n", shown: "Executable:   …/my own/lib/concourse/plugins/concourse-users-bolt\n"},
		// An upgrade is another install, also while the host runs.
		{command: `make install PREFIX="$TO"` + "\n", shown: "…\n"},
		{command: "concourse plugin reload | head -n 1\n", shown: "State:        running\n"},
		{command: `touch "$TO/lib/concourse/plugins/of-others" "$TO/share/man/man1/of-others.1"` + "\n"},
		{command: `make uninstall PREFIX="$TO"` + "\n", shown: "…\n"},
		{command: `cd "$TO" && find . ! -type d | LC_ALL=C sort` + "\n", shown: "./lib/concourse/plugins/of-others\n./share/man/man1/of-others.1\n"},
	} {
		r.must(s)
	}
	t.Run("Staged", func(t *testing.T) {
		for _, s := range []step{
			{command: `cd && cd work/concourse-users && make install DESTDIR="$PWD/stage" && find stage -name 'concourse*' ! -name '*.1' | LC_ALL=C sort` + "\n", shown: `…
stage/usr/local/bin/concourse
stage/usr/local/lib/concourse
stage/usr/local/lib/concourse/concourse
stage/usr/local/lib/concourse/plugins/concourse-users-bolt
stage/usr/local/lib/concourse/plugins/concourse-users-etcd
`},
			{command: `make uninstall DESTDIR="$PWD/stage" && make uninstall DESTDIR="$PWD/stage" && find stage ! -type d -o -name 'concourse*'` + "\n", shown: "rm…\nrm…\nrm…\nrm…\n"},
		} {
			r.must(s)
		}
	})
}
