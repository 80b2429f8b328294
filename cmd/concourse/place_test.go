package main_test

import (
	"os"
	"path/filepath"
	"testing"
)

// nobody is the uid of a stranger.
const nobody = 65534

// It takes root to make a socket that is another's; others see less here.
func TestSocketOwner(t *testing.T) {
	t.Parallel()
	f := serve(t, &fakeHost{sessions: sendSessionRows})
	socket := filepath.Join(f.home, "management.sock")
	refused := 0
	if os.Geteuid() != 0 {
		t.Log("not root: the socket stays this user's own")
	} else {
		if err := os.Chown(socket, nobody, -1); err != nil {
			t.Fatal(err)
		}
		refused = 4
	}
	listed := run(t, invocation{args: []string{"sessions", "--home", f.home, "--socket-owner", "nobody"}})
	refusal := "ERROR: The socket " + socket + " belongs to 'nobody' (uid 65534), which is neither root nor this user, so nothing was sent to it; " +
		"if that is the host's user, add --socket-owner nobody\n"
	for name, c := range map[string]struct {
		variable string
		args     []string
		code     int
	}{
		"ErrUnnamed":              {code: refused},
		"ErrAnother":              {args: []string{"--socket-owner", "root"}, code: refused},
		"ByOption":                {args: []string{"--socket-owner", "65534"}},
		"ByVariable":              {variable: "nobody"},
		"ErrOptionBeforeVariable": {variable: "nobody", args: []string{"--socket-owner", "root"}, code: refused},
		"OptionBeforeVariable":    {variable: "no such user", args: []string{"--socket-owner", "nobody"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := run(t, invocation{
				args: append([]string{"sessions"}, c.args...),
				env:  []string{"CONCOURSE_HOME=" + f.home, "CONCOURSE_SOCKET_OWNER=" + c.variable},
			})
			if c.code != 0 {
				o.expect(t, c.code, "", refusal)
				return
			}
			o.expect(t, 0, listed.stdout, "")
		})
	}
}
