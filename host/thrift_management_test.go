package host_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/shared/account"
)

// tool is a tool of the original that has logged in at a host's management port.
type tool struct {
	*driver.Driver
	token []byte
}

func startTool(t *testing.T, h *hosttest.Host, username, password string) tool {
	t.Helper()
	d := driver.Dial(t, h.ManagementAddress(), driver.Options{Management: true})
	token, err := d.Login(username, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return tool{d, token}
}

// call calls a method with arguments by their ids.
func (c tool) call(method string, arguments driver.Struct) (any, error) {
	request := driver.Call{Token: c.token}
	for id, value := range arguments {
		request.Args = append(request.Args, driver.Arg{ID: id, Value: value})
	}
	return c.Call(method, request)
}

// do calls a method that must succeed.
func (c tool) do(t *testing.T, method string, arguments driver.Struct) any {
	t.Helper()
	value, err := c.call(method, arguments)
	if err != nil {
		t.Fatalf("%s %v: %v", method, arguments, err)
	}
	return value
}

// wantException fails the test if an error is no such exception of the interface.
func wantException(t *testing.T, err error, name, text string) {
	t.Helper()
	if e, ok := errors.AsType[*driver.Exception](err); !ok || e.Name != name || e.Message != text {
		t.Errorf("%v, want %s: %s", err, name, text)
	}
}

// shown is what the command line shows of an account.
type shown struct {
	Role    account.Role
	Enabled bool
	Grants  map[string][]string
}

func showOnCommandLine(t *testing.T, h *hosttest.Host, username string) (s shown) {
	t.Helper()
	out := h.Run("", "users", "show", username, "--format", "json")
	if err := json.Unmarshal([]byte(out.Stdout), &s); err != nil || out.Code != 0 {
		t.Fatalf("show %s: %+v, %v", username, out, err)
	}
	return s
}

// TestManagementPort shows a tool of the original and the command line at one
// host: what the one changes the other sees, and one audit log tells of both.
func TestManagementPort(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "client.address: localhost:0", "management.port: 0")
	if host, _, _ := net.SplitHostPort(h.ManagementAddress()); host != "localhost" {
		t.Errorf("tools reach it at %s", h.ManagementAddress())
	}
	root := startTool(t, h, hosttest.Administrator, hosttest.Password)
	sees := func(what string, want shown) {
		t.Helper()
		if diff := cmp.Diff(want, showOnCommandLine(t, h, "jeff")); diff != "" {
			t.Errorf("%s, the command line shows otherwise: %s", what, diff)
		}
	}

	root.do(t, "createUser", driver.Struct{1: "jeff", 2: secret, 3: "user"})
	sees("created", shown{account.User, true, map[string][]string{}})
	root.do(t, "grant", driver.Struct{1: "jeff", 2: "write", 3: "e-1"})
	root.do(t, "grant", driver.Struct{1: "jeff", 2: "READ", 3: "e1"})
	root.do(t, "grant", driver.Struct{1: "jeff", 2: "READ", 3: ""})
	sees("granted", shown{account.User, true, map[string][]string{"e1": {"READ", "WRITE"}, "default": {"READ"}}})

	client := driver.Dial(t, h.ClientAddress(), driver.Options{})
	token, err := client.Login("jeff", secret, "e1")
	if err != nil {
		t.Fatal(err)
	}
	list := root.do(t, "listAllUserSessions", nil).(string)
	if !regexp.MustCompile(`^1\. admin logged in since .+ [AP]M\n2\. jeff logged in since .+ [AP]M\n$`).MatchString(list) {
		t.Errorf("the sessions are\n%s", list)
	}
	root.do(t, "disableUser", driver.Struct{1: "jeff"})
	wantException(t, client.Logout(token, ""), "SecurityException", "Invalid access token")
	_, err = client.Login("jeff", secret, "e1")
	wantException(t, err, "SecurityException", "Cannot issue a token for a user whose access has been disabled")
	sees("disabled", shown{account.User, false, map[string][]string{"e1": {"READ", "WRITE"}, "default": {"READ"}}})
	root.do(t, "enableUser", driver.Struct{1: "jeff"})
	root.do(t, "setUserPassword", driver.Struct{1: "jeff", 2: "another " + secret})
	root.do(t, "revoke", driver.Struct{1: "jeff", 3: "e1"})
	root.do(t, "setUserRole", driver.Struct{1: "jeff", 2: "Admin"})
	sees("promoted", shown{account.Admin, true, map[string][]string{"default": {"READ"}}})

	jeff := startTool(t, h, "jeff", "another "+secret)
	h.Run("", "users", "create", "kim", "--set-role", "USER", "--set-password", secret)
	for name, want := range map[string]bool{"kim": true, "jeff": true, "lou": false} {
		if got := jeff.do(t, "hasUser", driver.Struct{1: name}); got != want {
			t.Errorf("hasUser(%q) is %v", name, got)
		}
	}
	h.KillPlugin()
	jeff.do(t, "deleteUser", driver.Struct{1: "kim"}) // by the next plugin
	jeff.do(t, "deleteUser", driver.Struct{1: "kim"}) // which is no error
	if out := h.Run("", "users", "show", "kim"); out.Code != 5 {
		t.Errorf("a deleted user: %+v", out)
	}
	if out := h.Run("", "users", "suspend", "jeff"); out.Code != 0 {
		t.Fatalf("suspend: %+v", out)
	}
	_, err = jeff.call("deleteUser", driver.Struct{1: "admin"})
	wantException(t, err, "SecurityException", "Invalid access token")

	rows := sessionsOf(t, h, hosttest.Administrator)
	i := slices.IndexFunc(rows, func(r account.Session) bool { return r.Client == "thrift management" })
	if i < 0 || rows[i].Listener != account.ManagementListener {
		t.Fatalf("the tool is not among the sessions: %+v", rows)
	}
	audited(t, h, rows[i].RemoteAddress)
	root.Close()
	hosttest.Await(t, "the tool's session has ended", func() bool { return len(sessionsOf(t, h, hosttest.Administrator)) == 0 })
	h.Stop() // with a tool that is still connected
	if err := jeff.AwaitClosed(); err != nil {
		t.Errorf("its connection: %v", err)
	}
}

// audited checks the lines of the changes that TestManagementPort made: those of
// the first tool came from one address, and those of the command line have a uid.
func audited(t *testing.T, h *hosttest.Host, address string) {
	t.Helper()
	var got []string
	for _, e := range changes(t, h)[1:] { // behind the first administrator
		if e.Caller == nil || e.Caller.Listener != account.ManagementListener || e.Caller.SessionID == "" || e.RequestID == "" {
			t.Errorf("%s says too little, or something else: %+v", e.Verb, e)
			continue
		}
		from := "elsewhere"
		switch {
		case e.Caller.UID != nil:
			from = "the command line"
		case e.Caller.RemoteAddress == address:
			from = "the tool"
		}
		got = append(got, fmt.Sprintf("%s %s %s by %s from %s", e.Verb, e.Target, e.Environment, e.Caller.Username, from))
	}
	want := []string{
		"create jeff  by admin from the tool", "grant jeff e1 by admin from the tool", "grant jeff e1 by admin from the tool",
		"grant jeff default by admin from the tool", "suspend jeff  by admin from the tool", "enable jeff  by admin from the tool",
		"password jeff  by admin from the tool", "revoke jeff e1 by admin from the tool", "edit jeff  by admin from the tool",
		"create kim  by admin from the command line", "delete kim  by jeff from elsewhere", "delete kim  by jeff from elsewhere",
		"suspend jeff  by admin from the command line",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestManagementPortRefuses shows what tools are told of what the plugin refuses.
func TestManagementPortRefuses(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "client.address: localhost:0", "management.port: 0")
	root := startTool(t, h, hosttest.Administrator, hosttest.Password)
	root.do(t, "createUser", driver.Struct{1: "jeff", 2: secret, 3: "USER"})
	const (
		noSuchUser  = "The specified user does not exist"
		badPassword = "Password must not be empty, or have fewer than 3 characters."
		lastAdmin   = "The action cannot be performed because doing so would leave no other ADMIN users."
	)
	for _, c := range []struct {
		method    string
		arguments driver.Struct
		text      string
	}{
		{"createUser", driver.Struct{1: "jeff", 2: secret, 3: "USER"}, "User already exists"},
		{"createUser", driver.Struct{1: "k im", 2: secret, 3: "USER"}, "Username must not be empty, or contain any whitespace."},
		{"createUser", driver.Struct{1: "kim", 2: "ab", 3: "USER"}, badPassword},
		{"createUser", driver.Struct{1: "kim", 2: "", 3: "USER"}, badPassword},
		{"createUser", driver.Struct{1: "kim", 2: secret, 3: "service"}, "Cannot assign the SERVICE role to a user account"},
		{"createUser", driver.Struct{1: "kim", 2: secret, 3: "king"}, "No enum constant com.cinchapi.concourse.security.Role.KING"},
		{"setUserPassword", driver.Struct{1: "jeff", 2: " \t \n"}, badPassword},
		{"setUserPassword", driver.Struct{1: "nobody", 2: secret}, noSuchUser},
		{"setUserRole", driver.Struct{1: "nobody", 2: "ADMIN"}, noSuchUser},
		{"enableUser", driver.Struct{1: "nobody"}, noSuchUser},
		{"disableUser", driver.Struct{1: "nobody"}, noSuchUser},
		{"grant", driver.Struct{1: "nobody", 2: "READ", 3: "e"}, noSuchUser},
		{"revoke", driver.Struct{1: "nobody", 3: "e"}, noSuchUser},
		{"grant", driver.Struct{1: "jeff", 2: "own", 3: "e"}, "No enum constant com.cinchapi.concourse.security.Permission.OWN"},
		{"grant", driver.Struct{1: "jeff", 2: "READ", 3: "---"}, "the environment's name '---' has no letter, digit or _"},
		{"setUserRole", driver.Struct{1: "admin", 2: "USER"}, lastAdmin},
		{"deleteUser", driver.Struct{1: "admin"}, lastAdmin},
		{"disableUser", driver.Struct{1: "admin"}, "'admin' cannot suspend itself; another ADMIN can"},
	} {
		_, err := root.call(c.method, c.arguments)
		wantException(t, err, "ManagementException", c.text)
	}
	if root.do(t, "hasUser", driver.Struct{1: "kim"}) != false {
		t.Error("a refused account exists")
	}
	if s := showOnCommandLine(t, h, "jeff"); s.Role != account.User || len(s.Grants) != 0 {
		t.Errorf("refused changes took effect: %+v", s)
	}
	d := driver.Dial(t, h.ManagementAddress(), driver.Options{Management: true})
	_, err := d.Login("jeff", secret, "")
	wantException(t, err, "SecurityException", "'jeff' is not an administrator; that takes the role ADMIN")
	_, err = d.Call("deleteUser", driver.Call{Token: root.token, Args: []driver.Arg{{ID: 1, Value: "jeff"}}})
	wantException(t, err, "SecurityException", "Invalid access token") // another connection's
	root.do(t, "hasUser", driver.Struct{1: "jeff"})
}

// TestInvokeManagement shows what a driver's administrator changes through the
// client port, and who did.
func TestInvokeManagement(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t, "client.address: localhost:0")
	d := driver.Dial(t, h.ClientAddress(), driver.Options{})
	token, err := d.Login(hosttest.Administrator, hosttest.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	binary := func(text string) driver.Struct { return driver.Struct{1: int32(7), 8: text} }
	text := func(text string) driver.Struct {
		return driver.Struct{1: int32(1), 2: driver.Struct{1: text, 2: int32(7)}}
	}
	invoke := func(token []byte, method string, parameters ...any) error {
		_, err := d.Call("invokeManagement", driver.Call{Token: token, Args: []driver.Arg{{ID: 2, Value: method}, {ID: 3, Value: driver.List(parameters)}}})
		return err
	}
	if err := invoke(token, "createUser", binary("jeff"), binary(secret), text("USER")); err != nil {
		t.Fatal(err)
	}
	if err := invoke(token, "grant", binary("jeff"), text("WRITE"), text("e")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shown{account.User, true, map[string][]string{"e": {"WRITE"}}}, showOnCommandLine(t, h, "jeff")); diff != "" {
		t.Error(diff)
	}
	wantException(t, invoke(token, "createUser", binary("jeff"), binary(secret), text("USER")), "ManagementException", "User already exists")
	jeff, err := d.Login("jeff", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	wantException(t, invoke(jeff, "grant", binary("jeff"), text("WRITE"), text("f")), "ManagementException", "Unauthorized")
	made := changes(t, h)[1:] // behind the first administrator
	if len(made) != 2 {
		t.Fatalf("%d changes: %+v", len(made), made)
	}
	for _, e := range made {
		if c := e.Caller; c == nil || c.Listener != account.ClientListener || c.Username != hosttest.Administrator || c.UID != nil ||
			!strings.HasPrefix(c.RemoteAddress, "127.0.0.1:") && !strings.HasPrefix(c.RemoteAddress, "[::1]:") {
			t.Errorf("the line says too little, or something else: %+v", e)
		}
	}
	for _, e := range h.Audit() {
		if e.Event == audit.Change && e.Environment == "f" && e.Outcome == audit.OK {
			t.Errorf("a user made a change: %+v", e)
		}
	}
}

// TestManagementPortAuto shows that tools find the port from that of clients.
func TestManagementPortAuto(t *testing.T) {
	t.Parallel()
	for try := 1; ; try++ {
		// Neither this port nor its companion, which is above 61,000, is one that the
		// kernel gives to connections, of which other tests have many.
		at := 12000 + rand.IntN(4000)
		h := hosttest.New(t, fmt.Sprintf("client.address: localhost:%d", at), "management.port: auto")
		if err := h.TryStart(); err != nil {
			if try < 5 && strings.Contains(err.Error(), "something else listens there already") {
				continue // which anything may
			}
			t.Fatal(err)
		}
		if want := fmt.Sprintf("localhost:%d", config.CompanionPort(at)); h.ManagementAddress() != want {
			t.Errorf("clients reach it at %s, and tools at %s, not %s", h.ClientAddress(), h.ManagementAddress(), want)
		}
		startTool(t, h, hosttest.Administrator, hosttest.Password)
		return
	}
}

// A port that is computed from none is refused before anything is started.
func TestManagementPortAuto_NoClients(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, "management.port: auto", "client.address: ''")
	out := h.RunCommand(h.Command("start", "--home", h.Home), "")
	const want = "management.port is computed from the client port, and client.address is empty; give a number"
	if out.Code != 2 || out.Stdout != "" || strings.Count(out.Stderr, "\n") > 2 || !strings.Contains(out.Stderr, want) {
		t.Errorf("%+v, want code 2 and %s", out, want)
	}
}
