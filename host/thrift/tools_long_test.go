package thrift_test

import (
	"strings"
	"testing"

	apache "github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// A call that is longer than the plugin's connection would take does not come to
// it: nobody would know whether the change took effect, and it would end its
// target's sessions.
func TestTools_LongCall(t *testing.T) {
	b := openBoth(t)
	d, token := b.as(t, "root")
	client, shown := b.login(t, driver.Bare, "ann")
	long := strings.Repeat("p", 5<<20)
	for method, c := range map[string]driver.Call{
		"setUserPassword": args(token, driver.Arg{ID: 1, Value: "ann"}, driver.Arg{ID: 2, Value: long}),
		"createUser":      args(token, driver.Arg{ID: 1, Value: "new"}, driver.Arg{ID: 2, Value: long}, driver.Arg{ID: 3, Value: "USER"}),
		"deleteUser":      args(token, driver.Arg{ID: 1, Value: long}),
		"dump":            args(token, driver.Arg{ID: 1, Value: long}),
		"login":           args(nil, driver.Arg{ID: 1, Value: "root"}, driver.Arg{ID: 2, Value: long}),
	} {
		_, err := d.Call(method, c)
		application(t, err, apache.PROTOCOL_ERROR, "the call is longer than may be")
	}
	if asked := b.keeper.asked(); len(asked) > 0 {
		t.Errorf("the plugin was asked for %d changes", len(asked))
	}
	live(t, d, token)
	if err := client.Logout(shown, ""); err != nil {
		t.Errorf("the target's session: %v", err)
	}
}
