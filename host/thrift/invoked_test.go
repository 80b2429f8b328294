package thrift_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

const toolNotInvokable = "The requested method invocation is either invalid or not eligble for client-side invocation"

// Types of a TObject.
const (
	integerObject = 4
	stringObject  = 7
	tagObject     = 8
	nullObject    = 9
)

// object is a TObject.
func object(of int32, data string) driver.Struct { return driver.Struct{1: data, 2: of} }

// The forms in which a driver may give text.
func scalarText(text string) driver.Struct {
	return driver.Struct{1: int32(1), 2: object(stringObject, text)}
}
func objectText(text string) driver.Struct {
	return driver.Struct{1: int32(5), 6: object(stringObject, text)}
}
func binaryText(text string) driver.Struct { return driver.Struct{1: int32(7), 8: text} }

// invocation is a call of invokeManagement.
func invocation(token []byte, method string, parameters ...any) driver.Call {
	return args(token, driver.Arg{ID: 2, Value: method}, driver.Arg{ID: 3, Value: driver.List(parameters)})
}

func TestInvokeManagement(t *testing.T) {
	b := openBoth(t)
	create := order{Verb: account.VerbCreate, By: "root", Username: "new", Password: "\xffpass word", Role: account.User}
	grant := order{Verb: account.VerbGrant, By: "root", Username: "ann", Permission: account.Write, Environment: "e1"}
	grantDefault := grant
	grantDefault.Environment = "plain"
	for _, c := range []struct {
		name, method string
		parameters   []any
		want         order
	}{
		{"Create/AsJava", "createUser", []any{binaryText("new"), binaryText("\xffpass word"), objectText("USER")}, create},
		{"Create/Scalar", "createUser", []any{scalarText("new"), scalarText("\xffpass word"), scalarText("user")}, create},
		{"Create/Tag", "createUser", []any{binaryText("new"), binaryText("\xffpass word"), driver.Struct{1: int32(1), 2: object(tagObject, "USER")}}, create},
		{"Create/NoType", "createUser", []any{binaryText("new"), binaryText("\xffpass word"), driver.Struct{1: int32(5), 6: driver.Struct{1: "USER"}}}, create},
		{"Create/MoreFields", "createUser", []any{binaryText("new"), binaryText("\xffpass word"),
			driver.Struct{1: int32(7), 4: driver.List{scalarText("no"), scalarText("no")}, 8: "USER", 9: true}}, create},
		{"Grant/AsJava", "grant", []any{binaryText("ann"), scalarText("WRITE"), scalarText("e-1")}, grant},
		{"Grant/Binary", "grant", []any{binaryText("ann"), binaryText("write"), binaryText("e1")}, grant},
		{"Grant/Default", "grant", []any{binaryText("ann"), objectText("Write"), objectText("")}, grantDefault},
	} {
		for name, style := range styles {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				d, token := b.login(t, style, "root")
				result, err := d.Call("invokeManagement", invocation(token, c.method, c.parameters...))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(driver.Struct{1: int32(1), 2: object(nullObject, "")}, result); diff != "" {
					t.Errorf("the result is not the null one: %s", diff)
				}
				if diff := cmp.Diff([]order{c.want}, b.keeper.asked()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// What nobody may invoke so, or not with these parameters, looks all the same.
func TestInvokeManagement_NotInvokable(t *testing.T) {
	b := openBoth(t)
	d, token := b.login(t, driver.Multiplexed, "root")
	name, password, role := binaryText("new"), binaryText("pass word"), scalarText("USER")
	for _, c := range []struct {
		name, method string
		parameters   []any
	}{
		{"OfManagement", "deleteUser", []any{name}},
		{"OfManagement/Enable", "enableUser", []any{name, password, role}},
		{"OfCore", "clearRecord", []any{name, password, role}},
		{"Login", "login", []any{name, password}},
		{"Case", "createuser", []any{name, password, role}},
		{"NoMethod", "", []any{name, password, role}},
		{"NoParameters", "createUser", nil},
		{"TooFew", "createUser", []any{name, password}},
		{"OneTooMany", "createUser", []any{name, password, role, binaryText("more")}},
		{"TooMany", "createUser", []any{name, password, role, name, name, name, name}},
		{"TooFew/Grant", "grant", []any{name, scalarText("READ")}},
		{"OneTooMany/Grant", "grant", []any{name, scalarText("READ"), scalarText("e"), scalarText("f")}},
		{"Integer", "createUser", []any{driver.Struct{1: int32(1), 2: object(integerObject, "\x00\x00\x00\x07")}, password, role}},
		{"Null", "createUser", []any{name, driver.Struct{1: int32(1), 2: object(nullObject, "")}, role}},
		{"List", "createUser", []any{name, password, driver.Struct{1: int32(3), 4: driver.List{scalarText("USER")}}}},
		{"Map", "createUser", []any{driver.Struct{1: int32(2), 3: driver.Map{{Key: object(stringObject, "a"), Value: scalarText("b")}}}, password, role}},
		{"OtherField", "createUser", []any{driver.Struct{1: int32(7), 6: object(stringObject, "new")}, password, role}},
		{"NoKind", "createUser", []any{driver.Struct{8: "new"}, password, role}},
		{"Nothing", "createUser", []any{driver.Struct{}, password, role}},
		{"NoStructs", "createUser", []any{"new", "pass word", "USER"}},
		{"TooLong", "createUser", []any{binaryText(strings.Repeat("n", 40_000)), binaryText(strings.Repeat("p", 40_000)), role}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := d.Call("invokeManagement", invocation(token, c.method, c.parameters...))
			declared(t, err, "ManagementException", toolNotInvokable)
		})
	}
	for _, a := range [][]driver.Arg{{{ID: 2}}, {{ID: 3}}, {{ID: 2}, {ID: 3}}} {
		_, err := d.Call("invokeManagement", args(token, a...))
		declared(t, err, "ManagementException", toolNotInvokable)
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
}

func TestInvokeManagement_Malformed(t *testing.T) {
	b := openBoth(t)
	d, token := b.login(t, driver.Multiplexed, "root")
	whole := request(t, "core:invokeManagement", invocation(token, "grant", binaryText("ann"), scalarText("READ"), scalarText("e")))
	begun := string(whole[:len(whole)-1]) // without its end
	for name, c := range map[string]struct{ message, text string }{
		"TokenTwice":      {begun + "\x0c\x00\x04\x00\x00", "a field is there twice"},
		"MethodTwice":     {begun + "\x0b\x00\x02\x00\x00\x00\x00\x00", "a field is there twice"},
		"ParametersTwice": {begun + "\x0f\x00\x03\x0b\x00\x00\x00\x00\x00", "a field is there twice"},
		"MethodType":      {strings.Replace(string(whole), "\x0b\x00\x02\x00\x00\x00\x05grant", "\x08\x00\x02gran", 1), "a field is not of its type"},
		"ParametersType":  {strings.Replace(string(whole), "\x0f\x00\x03", "\x0e\x00\x03", 1), "a field is not of its type"}, // a set
	} {
		t.Run(name, func(t *testing.T) {
			if err := d.Send([]byte(c.message)); err != nil {
				t.Fatal(err)
			}
			reply, err := d.Receive()
			want := driver.Struct{1: "the message of invokeManagement is malformed: " + c.text, 2: int32(apache.PROTOCOL_ERROR)}
			if err != nil || reply.Kind != apache.EXCEPTION || !cmp.Equal(reply.Fields, want) {
				t.Errorf("%+v, %v, want %v", reply, err, want)
			}
		})
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
}

// Every refusal is a ManagementException, but for a token that is dead.
func TestInvokeManagement_Refused(t *testing.T) {
	b := openBoth(t)
	id := account.NewRequestID(time.Now())
	create := func(name, password, role string) []any {
		return []any{binaryText(name), binaryText(password), scalarText(role)}
	}
	grant := func(name, permission, environment string) []any {
		return []any{binaryText(name), scalarText(permission), scalarText(environment)}
	}
	policy := account.Invalid("password", "the password is too easy to guess")
	policy.Reason = account.ReasonPasswordPolicy
	for _, c := range []struct {
		name, method string
		parameters   []any
		refusal      error // nil: it does not come to the plugin
		text         string
	}{
		{"Exists", "createUser", create("ann", right, "USER"), account.AlreadyExists("ann"), "User already exists"},
		{"BadName", "createUser", create("an n", right, "USER"), nil, toolBadName},
		{"BadPassword", "createUser", create("new", "ab", "USER"), policy, toolBadPassword},
		{"WeakPassword", "createUser", create("new", "abcd", "USER"), policy, "the password is too easy to guess"},
		{"Service", "createUser", create("new", right, "SERVICE"), nil, "Cannot assign the SERVICE role to a user account"},
		{"NoRole", "createUser", create("new", right, "king"), nil, toolNoRole + "KING"},
		{"NoPermission", "grant", grant("ann", "own", "e"), nil, toolNoPermission + "OWN"},
		{"NoEnvironment", "grant", grant("ann", "READ", "---"), nil, "the environment's name '---' has no letter, digit or _"},
		{"NoSuchUser", "grant", grant("nobody", "READ", "e"), account.NotFound("nobody"), toolNoSuchUser},
		{"Unavailable", "grant", grant("ann", "READ", "e"), account.Unavailable("the plugin does not answer"), "the plugin does not answer"},
		{"OutcomeUnknown", "grant", grant("ann", "READ", "e"), account.OutcomeUnknown(id), "it is unknown whether the change was made: look at the user before you ask again"},
		{"Internal", "grant", grant("ann", "READ", "e"), errors.New("broken"), "internal error; the log of the server says more"},
	} {
		for name, style := range styles {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				b.keeper.answers(func(order) (account.Change, error) { return account.Change{}, c.refusal })
				d, token := b.login(t, style, "root")
				_, err := d.Call("invokeManagement", invocation(token, c.method, c.parameters...))
				declared(t, err, "ManagementException", c.text)
				if asked := b.keeper.asked(); (len(asked) > 0) != (c.refusal != nil) {
					t.Errorf("the plugin was asked for %+v", asked)
				}
				if err := d.Logout(token, ""); err != nil {
					t.Errorf("the session has ended: %v", err)
				}
			})
		}
	}
}

func TestInvokeManagement_Callers(t *testing.T) {
	b := openBoth(t)
	call := func(token []byte) driver.Call {
		return invocation(token, "grant", binaryText("ann"), scalarText("WRITE"), scalarText("closed"))
	}
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			user, token := b.login(t, style, "ann")
			_, err := user.Call("invokeManagement", call(token))
			declared(t, err, "ManagementException", toolUnauthorized)
			for _, dead := range [][]byte{nil, {}, token[:31], bytes.Repeat([]byte{7}, 32)} {
				_, err := user.Call("invokeManagement", call(dead))
				declared(t, err, "SecurityException", "Invalid access token")
			}
			if err := user.Logout(token, ""); err != nil {
				t.Fatal(err)
			}
			_, err = user.Call("invokeManagement", call(token))
			declared(t, err, "SecurityException", "Invalid access token")

			_, token = b.login(t, style, "root")
			shown := b.dial(t, style) // a client's token is good on any connection
			if _, err := shown.Call("invokeManagement", call(token)); err != nil {
				t.Error(err)
			}
			b.keeper.asked()
		})
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %+v", asked)
	}
}

// A connection that showed a live token is trusted, whatever its account may do.
func TestInvokeManagement_Trusted(t *testing.T) {
	t.Parallel()
	b := openBoth(t, func(o *thrift.Options) { o.FirstByte = 2 * time.Second })
	_, token := b.login(t, driver.Bare, "ann")
	d := b.dial(t, driver.Bare)
	_, err := d.Call("invokeManagement", invocation(token, "grant"))
	declared(t, err, "ManagementException", toolUnauthorized)
	stranger := b.dial(t, driver.Bare)
	if err := stranger.AwaitClosed(); err != nil { // later than d would have been
		t.Error(err)
	}
	if err := d.Logout(token, ""); err != nil {
		t.Errorf("a silent connection with a live token: %v", err)
	}
}
