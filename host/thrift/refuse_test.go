package thrift_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

const (
	noServer     = "this host has no data server behind it: the setting upstream.address is empty"
	insufficient = "Insufficient Permission"
	noName       = insufficient + ": the environment's name '---' has no letter, digit or _"
	unverifiable = "Cannot verify permissions without an AccessToken and environment"
)

// answer is what a call must come to: an exception of the interface by its name,
// or a TApplicationException.
type answer struct {
	exception string // "": a TApplicationException of type kind
	kind      int32
	text      string
}

func (a answer) check(t *testing.T, err error) {
	t.Helper()
	if a.exception != "" {
		declared(t, err, a.exception, a.text)
	} else {
		application(t, err, a.kind, a.text)
	}
}

func TestCall(t *testing.T) {
	p := open(t)
	let := answer{kind: apache.INTERNAL_ERROR, text: noServer} // as far as this host can
	no := answer{kind: apache.INTERNAL_ERROR, text: insufficient}
	permission := answer{"PermissionException", 0, insufficient}
	for _, c := range []struct {
		name, method      string
		environment       *string
		multiplexed, bare answer
	}{
		{"Read", "time", in("r"), let, let},
		{"Read/Written", "time", in("w"), let, let},
		{"Read/Cleaned", "time", in("-r!"), let, let},
		{"Read/Default", "time", in(""), let, let},
		{"Read/Case", "time", in("R"), permission, no},
		{"Read/Refused", "time", in("closed"), permission, no},
		{"Read/EmptyName", "time", in("---"), answer{"PermissionException", 0, noName}, answer{kind: apache.INTERNAL_ERROR, text: noName}},
		{"Read/NoEnvironment", "time", nil, answer{kind: apache.INTERNAL_ERROR, text: unverifiable}, answer{kind: apache.INTERNAL_ERROR, text: unverifiable}},
		{"Read/NoEnvironment/Parse", "browseKeyTimestr", nil, answer{"ParseException", 0, unverifiable}, answer{kind: apache.INTERNAL_ERROR, text: unverifiable}},
		{"Adds", "findOrAddKeyValue", in("w"), let, let},
		{"Adds/Refused", "findOrAddKeyValue", in("r"), permission, no},      // as the original has it, it would do
		{"Unchecked/Refused", "reviewRecord", in("closed"), permission, no}, // as the original has it
		{"Unchecked/Refused", "describeRecordTimestr", in("closed"), permission, no},
		{"Write", "addKeyValueRecord", in("w"), let, let},
		{"Write/OnlyRead", "addKeyValueRecord", in("r"), permission, no},
		{"Write/Void", "clearRecord", in("w"), let, let},
		{"Write/Void/OnlyRead", "clearRecord", in("r"), permission, no},
		{"Write/Void/EmptyName", "clearRecord", in("---"), answer{"PermissionException", 0, noName}, answer{kind: apache.INTERNAL_ERROR, text: noName}},
		{"Stage", "stage", in("r"), let, let},
		{"Stage/Default", "stage", nil, let, let},
		{"Stage/Refused", "stage", in("closed"), permission, no},
		{"Commit", "commit", in("closed"), let, let}, // the relay demands more
		{"Abort", "abort", in("closed"), let, let},
		{"Abort/EmptyName", "abort", in("---"), answer{kind: apache.INTERNAL_ERROR, text: noName}, answer{kind: apache.INTERNAL_ERROR, text: noName}},
		{"Open", "getServerVersion", nil, let, let},
		{"OtherService", "calculate:sumKey", in("r"), let, answer{kind: apache.UNKNOWN_METHOD, text: "Invalid method name: 'sumKey'"}},
		{"OtherService/Refused", "calculate:sumKey", in("closed"), permission, answer{kind: apache.UNKNOWN_METHOD, text: "Invalid method name: 'sumKey'"}},
		{"UnknownMethod", "audit", in("r"), answer{kind: apache.UNKNOWN_METHOD, text: "Invalid method name: 'audit'"}, answer{kind: apache.UNKNOWN_METHOD, text: "Invalid method name: 'audit'"}},
	} {
		for name, style := range styles {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				d, token := p.login(t, style, "ann")
				want := c.multiplexed
				if style == driver.Bare {
					want = c.bare
				}
				for range 2 { // the connection lives on
					_, err := d.Call(c.method, driver.Call{Token: token, Environment: c.environment})
					want.check(t, err)
				}
			})
		}
	}
}

// An administrator needs no grants, but a name that is one.
func TestCall_Administrator(t *testing.T) {
	p := open(t)
	d, token := p.login(t, driver.Multiplexed, "root")
	_, err := d.Call("clearRecord", driver.Call{Token: token, Environment: in("anywhere")})
	application(t, err, apache.INTERNAL_ERROR, noServer)
	_, err = d.Call("clearRecord", driver.Call{Token: token, Environment: in("---")})
	declared(t, err, "PermissionException", noName)
}

// The order of arguments on the wire means nothing, nor does the older header.
func TestCall_Forms(t *testing.T) {
	p := open(t)
	_, token := p.login(t, driver.Bare, "ann")
	d := driver.Dial(t, p.address, driver.Options{Style: driver.Bare, Unversioned: true})
	_, err := d.Call("clearRecord", driver.Call{Token: token, Environment: in("r"), Descending: true})
	application(t, err, apache.INTERNAL_ERROR, insufficient)
	_, err = d.Call("clearRecord", driver.Call{Token: token, Environment: in("w"), Descending: true})
	application(t, err, apache.INTERNAL_ERROR, noServer)
}

func TestCall_DeadToken(t *testing.T) {
	p := open(t)
	for _, c := range []struct {
		name string
		kill func(t *testing.T, d *driver.Driver, token []byte) []byte // returns what is shown
	}{
		{"Unknown", func(_ *testing.T, _ *driver.Driver, token []byte) []byte { return bytes.Repeat([]byte{7}, len(token)) }},
		{"Short", func(_ *testing.T, _ *driver.Driver, token []byte) []byte { return token[:31] }},
		{"Long", func(_ *testing.T, _ *driver.Driver, token []byte) []byte { return append(token, 0) }},
		{"Empty", func(*testing.T, *driver.Driver, []byte) []byte { return []byte{} }},
		{"Absent", func(*testing.T, *driver.Driver, []byte) []byte { return nil }},
		{"LoggedOut", func(t *testing.T, d *driver.Driver, token []byte) []byte {
			if err := d.Logout(token, ""); err != nil {
				t.Fatal(err)
			}
			return token
		}},
		{"Revoked", func(_ *testing.T, _ *driver.Driver, token []byte) []byte { p.table.Revoke("ann"); return token }},
		{"Expired", func(t *testing.T, _ *driver.Driver, token []byte) []byte {
			p.later.Store(int64(2 * time.Hour))
			t.Cleanup(func() { p.later.Store(0) })
			return token
		}},
	} {
		for name, style := range styles {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				d, token := p.login(t, style, "ann")
				shown := c.kill(t, d, token)
				for _, method := range []string{"time", "clearRecord", "stage", "commit", "abort", "reviewRecord"} {
					for _, environment := range []*string{in("r"), in("---"), nil} {
						_, err := d.Call(method, driver.Call{Token: shown, Environment: environment})
						declared(t, err, "SecurityException", "Invalid access token")
					}
				}
			})
		}
	}
}

// The Java driver answers a SecurityException by a login and the same call, for
// ever: a live token gets none, whatever is asked. Nor does any refusal look like
// success.
func TestCall_LiveTokenIsNeverUnauthenticated(t *testing.T) {
	p := open(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d, token := p.login(t, style, "bob")
			for _, environment := range []*string{in("closed"), in(""), in("---"), nil} {
				for _, transaction := range []*driver.Transaction{nil, {Token: token, Timestamp: 1}, {Token: []byte("none"), Timestamp: 1}} {
					methods.Each(func(m *methods.Method) {
						if m.Name == "login" || m.Name == "logout" || m.Name == "invokeManagement" {
							return
						}
						value, err := d.Call(m.Service+":"+m.Name, driver.Call{Token: token, Transaction: transaction, Environment: environment})
						if e, ok := errors.AsType[*driver.Exception](err); ok && (e.Name == "PermissionException" || e.Name == "ParseException") && style == driver.Multiplexed {
							return
						}
						if _, ok := errors.AsType[apache.TApplicationException](err); !ok {
							t.Errorf("%s: %v, %v", m.Name, value, err)
						}
					})
				}
			}
		})
	}
}

func TestCall_Malformed(t *testing.T) {
	p := open(t)
	d, token := p.login(t, driver.Multiplexed, "ann")
	request, err := driver.Options{}.Request("core:time", 5, driver.Call{Token: token, Environment: in("r")})
	if err != nil {
		t.Fatal(err)
	}
	open := request[:len(request)-1] // without its end
	for _, c := range []struct{ name, more, text string }{
		{"TokenTwice", "\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x00\x00\x00", "a field is there twice"},
		{"EnvironmentTwice", "\x0b\x00\x03\x00\x00\x00\x01w\x00", "a field is there twice"},
		{"EnvironmentType", "\x08\x00\x03\x00\x00\x00\x01\x00", "a field is"},
		{"TransactionType", "\x02\x00\x02\x01\x00", "a field is not of its type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := d.Send(append(bytes.Clone(open), c.more...)); err != nil {
				t.Fatal(err)
			}
			reply, err := d.Receive()
			text, _ := reply.Fields[1].(string)
			if err != nil || reply.Kind != apache.EXCEPTION || reply.SeqID != 5 || reply.Name != "time" || reply.Fields[2] != int32(apache.PROTOCOL_ERROR) || !strings.Contains(text, c.text) {
				t.Errorf("%+v, %v", reply, err)
			}
		})
	}
}
