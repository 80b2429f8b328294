package thrift_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
)

// Trust in a connection ends with the sessions that it showed: from then on it is
// a stranger's, which may not be silent, and not say much.
func TestTrust_EndsWithSessions(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, p *port, d *driver.Driver, token []byte){
		"Logout": func(t *testing.T, _ *port, d *driver.Driver, token []byte) {
			if err := d.Logout(token, ""); err != nil {
				t.Fatal(err)
			}
		},
		"Revoked": func(t *testing.T, p *port, d *driver.Driver, token []byte) {
			p.table.Revoke("ann")
			_, err := d.Call("time", driver.Call{Token: token, Environment: in("r")}) // for which it waited before
			declared(t, err, "SecurityException", "Invalid access token")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, func(o *thrift.Options) { o.FirstByte = 2 * time.Second })
			long := func(token []byte) []byte {
				return request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("r"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", 20_000)}}})
			}
			silent, first := p.login(t, driver.Multiplexed, "ann")
			end(t, p, silent, first)
			if err := silent.AwaitClosed(); err != nil {
				t.Errorf("a connection that stays silent: %v", err)
			}
			talking, second := p.login(t, driver.Multiplexed, "ann")
			end(t, p, talking, second)
			talking.Send(long(second)) // the other side may have closed before the last byte
			if err := talking.AwaitClosed(); err != nil {
				t.Errorf("a connection that says much: %v", err)
			}
			again, third := p.login(t, driver.Multiplexed, "ann")
			end(t, p, again, third)
			fourth, err := again.Login("ann", right, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Send(long(fourth)); err != nil {
				t.Fatal(err)
			}
			if reply, err := again.Receive(); err != nil || reply.Name != "clearKeyRecord" {
				t.Errorf("a connection that has logged in again: %+v, %v", reply, err)
			}
		})
	}
}
