package management_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// nobody is the uid and gid of a stranger.
const nobody = 65534

// strangerEnv makes this test's executable a client of the socket that it names.
const strangerEnv = "TEST_STRANGER_AT"

func TestMain(m *testing.M) {
	if path := os.Getenv(strangerEnv); path != "" {
		json.NewEncoder(os.Stdout).Encode(visit(path))
		return
	}
	os.Exit(m.Run())
}

// visited is what a stranger came to.
type visited struct {
	Dial                      string
	Login                     string
	Row                       string // the address of its session
	Sessions, Status, Reload  string // what it got from Operator
	SessionsOf, StatusOf, UID int
	Familiar, Strange         string // what a message of 200 KiB got, with a session and without
}

// visit does all that one may try at a host's socket.
func visit(path string) (v visited) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	v.UID = os.Getuid()
	c, err := management.Dial(ctx, path, management.DialOptions{})
	v.Dial = saidOf(err)
	if err != nil {
		return v
	}
	defer c.Close()
	_, err = c.Login(ctx, "root", account.Secret("secret"))
	v.Login = saidOf(err)
	for rows, err := range c.Sessions(ctx, management.SessionListing{}) {
		if err == nil && len(rows) > 0 {
			v.Row = rows[len(rows)-1].RemoteAddress
		}
	}
	for rows, err := range c.OperatorSessions(ctx, management.SessionListing{}) {
		v.Sessions = saidOf(err)
		v.SessionsOf += len(rows)
	}
	status, err := c.PluginStatus(ctx)
	v.Status, v.StatusOf = saidOf(err), status.PID
	_, err = c.PluginReload(ctx)
	v.Reload = saidOf(err)
	v.Familiar = sayMuch(ctx, c)
	if c, err = management.Dial(ctx, path, management.DialOptions{}); err != nil {
		v.Strange = err.Error()
		return v
	}
	defer c.Close()
	v.Strange = sayMuch(ctx, c)
	return v
}

func sayMuch(ctx context.Context, c *management.Client) string {
	_, err := c.DisconnectUser(ctx, strings.Repeat("x", 200<<10))
	return saidOf(err)
}

// saidOf is an error's kind and reason, in one word.
func saidOf(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSuffix(account.KindOf(err).String()+"/"+string(account.ReasonOf(err)), "/")
}

// sendStranger lets a process of another user visit the socket. It takes root.
func sendStranger(t *testing.T, path string) (v visited) {
	t.Helper()
	// Where everybody may reach both: go test's own directory is private.
	if err := os.Chmod(filepath.Dir(path), 0o711); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copyOfSelf(t))
	cmd.Env = []string{strangerEnv + "=" + path, "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if v.UID != nobody {
		t.Fatalf("the stranger runs as uid %d", v.UID)
	}
	return v
}

func copyOfSelf(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	dir, err := os.MkdirTemp("", "stranger")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "stranger")
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// asRoot reports whether a test may run a process of another user, and says so
// where it cannot: it then shows less.
func asRoot(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("not root: no process of another user knocks at the socket")
		return false
	}
	return true
}

var selfAddress = "uid:" + strconv.Itoa(os.Geteuid())
