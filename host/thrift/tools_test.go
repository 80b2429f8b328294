package thrift_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What tools are told of a refused call.
const (
	toolUnauthorized = "Unauthorized"
	toolNoSuchUser   = "The specified user does not exist"
	toolBadName      = "Username must not be empty, or contain any whitespace."
	toolBadPassword  = "Password must not be empty, or have fewer than 3 characters."
	toolNoRole       = "No enum constant com.cinchapi.concourse.security.Role."
	toolNoPermission = "No enum constant com.cinchapi.concourse.security.Permission."
)

// called checks that a call without a result was answered well.
func called(t *testing.T, value any, err error) {
	t.Helper()
	if value != nil || err != nil {
		t.Errorf("%v, %v", value, err)
	}
}

func TestTools_Change(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	for _, c := range []struct {
		name, method string
		args         []driver.Arg
		want         order
	}{
		{"Create", "createUser", []driver.Arg{{ID: 1, Value: "new"}, {ID: 2, Value: "pass word"}, {ID: 3, Value: "USER"}},
			order{Verb: account.VerbCreate, Username: "new", Password: "pass word", Role: account.User}},
		{"Create/AnyCase", "createUser", []driver.Arg{{ID: 1, Value: "new"}, {ID: 2, Value: "\xff\x00\x01"}, {ID: 3, Value: "aDmIn"}},
			order{Verb: account.VerbCreate, Username: "new", Password: "\xff\x00\x01", Role: account.Admin}},
		{"Create/NoPassword", "createUser", []driver.Arg{{ID: 1, Value: "new"}, {ID: 2}, {ID: 3, Value: "user"}}, // the plugin refuses it
			order{Verb: account.VerbCreate, Username: "new", Role: account.User}},
		{"Password", "setUserPassword", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "pass word"}},
			order{Verb: account.VerbPassword, Username: "ann", Password: "pass word"}},
		{"Role", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "admin"}},
			order{Verb: account.VerbEdit, Username: "ann", Role: account.Admin}},
		{"Enable", "enableUser", []driver.Arg{{ID: 1, Value: "sue"}}, order{Verb: account.VerbEnable, Username: "sue"}},
		{"Disable", "disableUser", []driver.Arg{{ID: 1, Value: "ann"}}, order{Verb: account.VerbSuspend, Username: "ann"}},
		{"Delete", "deleteUser", []driver.Arg{{ID: 1, Value: "ann"}}, order{Verb: account.VerbDelete, Username: "ann", IfExists: true}},
		{"Grant", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "Write"}, {ID: 3, Value: "e"}},
			order{Verb: account.VerbGrant, Username: "ann", Permission: account.Write, Environment: "e"}},
		{"Grant/Cleaned", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "READ"}, {ID: 3, Value: "e-1 é"}},
			order{Verb: account.VerbGrant, Username: "ann", Permission: account.Read, Environment: "e1"}},
		{"Grant/Default", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "read"}, {ID: 3, Value: ""}},
			order{Verb: account.VerbGrant, Username: "ann", Permission: account.Read, Environment: "plain"}},
		{"Grant/NoEnvironment", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "read"}, {ID: 3}},
			order{Verb: account.VerbGrant, Username: "ann", Permission: account.Read, Environment: "plain"}},
		{"Revoke", "revoke", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 3, Value: "-e-"}},
			order{Verb: account.VerbRevoke, Username: "ann", Environment: "e"}},
		{"Revoke/Default", "revoke", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 3, Value: ""}},
			order{Verb: account.VerbRevoke, Username: "ann", Environment: "plain"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.By = "root"
			for _, descending := range []bool{false, true} {
				value, err := d.Call(c.method, driver.Call{Token: token, Args: c.args, Descending: descending})
				called(t, value, err)
				if diff := cmp.Diff([]order{c.want}, b.keeper.asked()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// What the host itself refuses never comes to the plugin.
func TestTools_Malformed(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	for _, c := range []struct {
		name, method string
		args         []driver.Arg
		text         string
	}{
		{"Role/Service", "createUser", []driver.Arg{{ID: 1, Value: "new"}, {ID: 3, Value: "service"}}, "Cannot assign the SERVICE role to a user account"},
		{"SetRole/Service", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "Service"}}, "Cannot assign the SERVICE role to a user account"},
		{"Role/Unknown", "createUser", []driver.Arg{{ID: 1, Value: "new"}, {ID: 3, Value: "king"}}, toolNoRole + "KING"},
		{"SetRole/Unknown", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "king"}}, toolNoRole + "KING"},
		{"SetRole/Absent", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2}}, toolNoRole},
		{"SetRole/Hostile", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "\x1b[2J\n"}}, toolNoRole + `\u001b[2J\u000a`},
		{"SetRole/Long", "setUserRole", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: strings.Repeat("k", 70_000)}}, toolNoRole + strings.Repeat("K", 64) + "…"},
		{"Permission/Unknown", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "own"}}, toolNoPermission + "OWN"},
		{"Permission/Absent", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2}}, toolNoPermission},
		{"Grant/Environment", "grant", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: "READ"}, {ID: 3, Value: "---"}}, "the environment's name '---' has no letter, digit or _"},
		{"Revoke/Environment", "revoke", []driver.Arg{{ID: 1, Value: "ann"}, {ID: 3, Value: "---"}}, "the environment's name '---' has no letter, digit or _"},
		{"Create/NoName", "createUser", []driver.Arg{{ID: 1, Value: ""}, {ID: 3, Value: "user"}}, toolBadName},
		{"Create/AbsentName", "createUser", []driver.Arg{{ID: 1}, {ID: 3, Value: "user"}}, toolBadName},
		{"Create/WhiteSpace", "createUser", []driver.Arg{{ID: 1, Value: "an n"}, {ID: 3, Value: "user"}}, toolBadName},
		{"Create/NoUTF8", "createUser", []driver.Arg{{ID: 1, Value: "\xff"}, {ID: 3, Value: "user"}}, "a username must be valid UTF-8"},
		{"Delete/WhiteSpace", "deleteUser", []driver.Arg{{ID: 1, Value: "\t"}}, toolBadName},
		{"Disable/LongName", "disableUser", []driver.Arg{{ID: 1, Value: strings.Repeat("n", 5000)}},
			fmt.Sprintf("a username may have at most %d bytes, this one has 5000", account.MaxUsername)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := d.Call(c.method, args(token, c.args...))
			declared(t, err, "ManagementException", c.text)
			if asked := b.keeper.asked(); len(asked) > 0 {
				t.Errorf("the plugin was asked for %+v", asked)
			}
		})
	}
	live(t, d, token)
}

// Arguments that are there twice or of other types are no call.
func TestTools_MalformedMessage(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	whole, err := driver.Options{Management: true}.Request("createUser", 5, args(token, driver.Arg{ID: 3, Value: "USER"}))
	if err != nil {
		t.Fatal(err)
	}
	begun := whole[:len(whole)-1] // without its end
	for _, c := range []struct {
		name, message, text string
	}{
		{"NameTwice", string(begun) + "\x0b\x00\x01\x00\x00\x00\x01n\x00", "a field is there twice"},
		{"PasswordTwice", string(begun) + "\x0b\x00\x02\x00\x00\x00\x01p\x00", "a field is there twice"},
		{"RoleTwice", string(begun) + "\x0b\x00\x03\x00\x00\x00\x01r\x00", "a field is there twice"},
		{"TokenTwice", string(begun) + "\x0c\x00\x04\x00\x00", "a field is there twice"},
		{"NameType", strings.Replace(string(whole), "\x0b\x00\x01\x00\x00\x00\x04name", "\x08\x00\x01name", 1), "a field is not of its type"},
		{"RoleType", strings.Replace(string(whole), "\x0b\x00\x03\x00\x00\x00\x04USER", "\x08\x00\x03USER", 1), "a field is not of its type"},
		{"TokenType", strings.Replace(string(whole), "\x0c\x00\x04\x0b\x00\x01\x00\x00\x00\x20"+string(token)+"\x00", "\x0b\x00\x04\x00\x00\x00\x20"+string(token), 1), "a field is not of its type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.message == string(whole) {
				t.Fatal("the message is whole")
			}
			if err := d.Send([]byte(c.message)); err != nil {
				t.Fatal(err)
			}
			reply, err := d.Receive()
			want := driver.Struct{1: "the message of createUser is malformed: " + c.text, 2: int32(apache.PROTOCOL_ERROR)}
			if err != nil || reply.Kind != apache.EXCEPTION || reply.SeqID != 5 || !cmp.Equal(reply.Fields, want) {
				t.Errorf("%+v, %v, want %v", reply, err, want)
			}
		})
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
	live(t, d, token)
}

func TestTools_Refused(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	id := account.NewRequestID(time.Now())
	policy := account.Invalid("password", "the password is too easy to guess")
	policy.Reason = account.ReasonPasswordPolicy
	for _, c := range []struct {
		name, method string
		args         []driver.Arg
		refusal      error
		text         string
	}{
		{"Exists", "createUser", []driver.Arg{{ID: 3, Value: "USER"}}, account.AlreadyExists("ann"), "User already exists"},
		{"ShortPassword", "createUser", []driver.Arg{{ID: 2, Value: "ab"}, {ID: 3, Value: "USER"}}, policy, toolBadPassword},
		{"BlankPassword", "setUserPassword", []driver.Arg{{ID: 2, Value: " \t  "}}, policy, toolBadPassword},
		{"NoPassword", "setUserPassword", []driver.Arg{{ID: 2}}, policy, toolBadPassword},
		{"WeakPassword", "setUserPassword", []driver.Arg{{ID: 2, Value: "password1"}}, policy, "the password is too easy to guess"},
		{"NoSuchUser", "enableUser", nil, account.NotFound("nobody"), toolNoSuchUser},
		{"NoSuchUser/Grant", "grant", []driver.Arg{{ID: 2, Value: "READ"}}, account.NotFound("nobody"), toolNoSuchUser},
		{"NoSuchUser/Revoke", "revoke", nil, account.NotFound("nobody"), toolNoSuchUser},
		{"LastAdmin", "setUserRole", []driver.Arg{{ID: 2, Value: "USER"}}, account.Refused(account.ReasonLastAdmin, "root", "no"),
			"The action cannot be performed because doing so would leave no other ADMIN users."},
		{"LastAdmin/Delete", "deleteUser", nil, account.Refused(account.ReasonLastAdmin, "root", "no"),
			"The action cannot be performed because doing so would leave no other ADMIN users."},
		{"SelfSuspension", "disableUser", []driver.Arg{{ID: 1, Value: "root"}}, account.Refused(account.ReasonSelfSuspend, "root", "'root' cannot suspend itself; another ADMIN can"),
			"'root' cannot suspend itself; another ADMIN can"},
		{"Unavailable", "enableUser", nil, account.Unavailable("the plugin does not answer"), "the plugin does not answer"},
		{"Unsupported", "enableUser", nil, account.Unsupported("change"), account.Unsupported("change").Error()},
		{"Conflict", "enableUser", nil, account.Conflict("others were faster"), "others were faster"},
		{"Throttled", "enableUser", nil, account.Throttled(3 * time.Second), "too many attempts; try again in 3s"},
		{"OutcomeUnknown", "enableUser", nil, account.OutcomeUnknown(id), "it is unknown whether the change was made: look at the user before you ask again"},
		{"Internal", "enableUser", nil, errors.New("the password is " + right), "internal error; the log of the server says more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.keeper.answers(func(order) (account.Change, error) { return account.Change{}, c.refusal })
			_, err := d.Call(c.method, args(token, c.args...))
			declared(t, err, "ManagementException", c.text)
			live(t, d, token)
		})
	}
	t.Run("RightsLost", func(t *testing.T) { // between the gate and the commit (rule 8)
		b.keeper.answers(func(order) (account.Change, error) { return account.Change{}, account.SessionEnded() })
		_, err := d.Call("enableUser", args(token))
		declared(t, err, "SecurityException", "Invalid access token")
		b.keeper.answers(func(order) (account.Change, error) {
			return account.Change{}, account.NotPermitted(account.ReasonNeedsAdmin, "'root' is not an administrator")
		})
		_, err = d.Call("enableUser", args(token))
		declared(t, err, "ManagementException", toolUnauthorized)
	})
}

func TestTools_HasUser(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	for name, want := range map[string]bool{"ann": true, "ａｎｎ": true, "sue": true, "nobody": false, "": false, "an n": false, "\xff": false} {
		if got, err := d.Call("hasUser", args(token, driver.Arg{ID: 1, Value: name})); got != want || err != nil {
			t.Errorf("hasUser(%q) = %v, %v", name, got, err)
		}
	}
	if got, err := d.Call("hasUser", args(token, driver.Arg{ID: 1})); got != false || err != nil {
		t.Errorf("hasUser without a name = %v, %v", got, err)
	}
}

// The lines are those that tools read since ever: the hours to 23, and AM or PM
// after them all the same.
func TestTools_ListSessions(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	b.login(t, driver.Bare, "ann")
	b.as(t, "jeff")
	list := func() string {
		t.Helper()
		text, err := d.Call("listAllUserSessions", args(token))
		if err != nil {
			t.Fatal(err)
		}
		return text.(string)
	}
	form := regexp.MustCompile(`^1\. root logged in since [A-Z][a-z]{2} \d{1,2}, \d{4} at \d{1,2}:\d\d:\d\d [AP]M
2\. ann logged in since .* [AP]M
3\. jeff logged in since .* [AP]M
$`)
	if text := list(); !form.MatchString(text) {
		t.Errorf("the sessions are\n%s", text)
	}
	for at, want := range map[string]string{
		"2026-11-23T10:48:31Z": "Nov 23, 2026 at 10:48:31 AM", "2026-11-03T22:15:03Z": "Nov 3, 2026 at 22:15:03 PM", "2026-01-01T00:00:09Z": "Jan 1, 2026 at 0:00:09 AM",
	} {
		b.keeper.rows = func(rows []account.Session) ([]account.Session, error) {
			utc, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Error(err)
			}
			local := time.Date(utc.Year(), utc.Month(), utc.Day(), utc.Hour(), utc.Minute(), utc.Second(), 0, time.Local)
			rows = rows[:1]
			rows[0].ConnectedSince = local.UTC()
			return rows, nil
		}
		if text := list(); text != "1. root logged in since "+want+"\n" {
			t.Errorf("a login at %s is told as %q", at, text)
		}
	}
	b.keeper.rows = func([]account.Session) ([]account.Session, error) { return nil, nil } // it withholds them
	if text := list(); text != "" {
		t.Errorf("no session is told as %q", text)
	}
	b.keeper.rows = func([]account.Session) ([]account.Session, error) {
		return nil, account.Unavailable("the plugin does not answer")
	}
	_, err := d.Call("listAllUserSessions", args(token))
	declared(t, err, "ManagementException", "the plugin does not answer")
}

func TestTools_ListSessions_TooMany(t *testing.T) {
	b := openBoth(t, func(o *thrift.Options) { o.MaxMessage = 1000 })
	d, token := b.as(t, "root")
	b.keeper.rows = func(rows []account.Session) ([]account.Session, error) {
		return slices.Repeat(rows[:1], 100), nil
	}
	_, err := d.Call("listAllUserSessions", args(token))
	declared(t, err, "ManagementException", "there are too many sessions for one answer; 'concourse users sessions' lists them all")
	live(t, d, token)
}

// Every other method of the service belongs to the data server.
func TestTools_NotOffered(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	for _, name := range []string{
		"dump", "getDumpList", "installPluginBundle", "listAllEnvironments", "listPluginBundles", "runningPluginsInfo",
		"uninstallPluginBundle", "repairData", "compactData",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Call(name, args(token))
			declared(t, err, "ManagementException", "this host does not offer "+name+"; it belongs to the data server")
			e, _ := errors.AsType[*driver.Exception](err)
			if m := methods.OfManagement(name); e == nil || e.Field != m.Management {
				t.Errorf("the exception is in another field than %d: %+v", m.Management, e)
			}
			_, err = d.Call(name, args(bytes.Repeat([]byte{7}, 32)))
			declared(t, err, "SecurityException", "Invalid access token")
		})
	}
	_, err := d.Call("find", args(token))
	application(t, err, apache.UNKNOWN_METHOD, "Invalid method name: 'find'")
	live(t, d, token)
}

// A panic costs one answer, and its value stays out of the log.
func TestTools_Panic(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	b.keeper.answers(func(o order) (account.Change, error) { panic("the password is " + o.Password) })
	_, err := d.Call("setUserPassword", args(token, driver.Arg{ID: 1, Value: "ann"}, driver.Arg{ID: 2, Value: right}))
	declared(t, err, "ManagementException", "it is unknown whether the change was made: look at the user before you ask again")
	live(t, d, token)
	if log := b.log.String(); strings.Contains(log, right) || !strings.Contains(log, "type=string") {
		t.Errorf("the log says\n%s", log)
	}
}
