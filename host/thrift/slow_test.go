package thrift_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift"
)

// Who lets a message drip loses the connection, whether it has shown a token or
// not.
func TestMessageWithin(t *testing.T) {
	t.Parallel()
	const n = 20
	p := open(t, func(o *thrift.Options) { o.MessageWithin, o.FirstByte = 3*time.Second, patience })
	other, token := p.login(t, driver.Bare, "ann")
	call := request(t, "core:time", driver.Call{Token: token, Environment: in("r")})
	drip := request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("r"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", 15_000)}}})
	var all []net.Conn
	for i := range n {
		c := p.raw(t)
		if i%2 > 0 {
			c.exchange(t, call)
		}
		if _, err := c.Write(drip[:1]); err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Conn)
	}
	begun := time.Now()
	for drop := drip[1:]; p.Connections() > 1; drop = drop[1:] {
		if len(drop) == 1 || time.Since(begun) > patience {
			t.Fatalf("%d connections are open after %v", p.Connections(), time.Since(begun))
		}
		for _, c := range all {
			c.Write(drop[:1]) // which fails on those that are closed
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := other.Logout(token, ""); err != nil {
		t.Errorf("another connection, which rests for longer: %v", err)
	}
	if log := p.log.String(); !strings.Contains(log, "it was too slow") {
		t.Errorf("the log says\n%s", log)
	}
}

// Who takes no answers loses the connection, and keeps nobody else waiting.
func TestWriteWithin(t *testing.T) {
	short := func(o *thrift.Options) { o.WriteWithin = 3 * time.Second }
	// send sends calls without an end, until the connection is closed.
	send := func(t *testing.T, w wire, call []byte) {
		t.Helper()
		for end := time.Now().Add(patience); ; {
			if _, err := w.Write(call); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the connection is still open")
				}
				return
			}
			if time.Now().After(end) {
				t.Fatal("the connection takes calls without end")
			}
		}
	}
	t.Run("Short", func(t *testing.T) { // answers of the host's own
		transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
			p := open(t, append(change, short)...)
			by.login(t, p)
			w := by.wire(t, p)
			w.socket.SetReadBuffer(1 << 10)
			// The answer has the name in it.
			send(t, w, request(t, "core:"+strings.Repeat("n", 1000), driver.Call{}))
			await(t, "its place is free", func() bool { return p.Connections() == 1 })
			if log := p.log.String(); !strings.Contains(log, "it was too slow") {
				t.Errorf("the log says\n%s", log)
			}
		})
	})
	t.Run("Long", func(t *testing.T) { // an answer that is passed on as it comes
		transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
			p, server := openBefore(t, append(change, short)...)
			d, token := by.login(t, p)
			server.Next("getServerEnvironment", upstream.Huge(256<<20))
			w := by.wire(t, p)
			w.send(t, request(t, "core:getServerEnvironment", driver.Call{Token: token, Environment: in("r")}))
			await(t, "the data server is asked", func() bool { return len(server.Calls("getServerEnvironment")) == 1 })
			if _, err := d.Call("time", driver.Call{Token: token, Environment: in("r")}); err != nil {
				t.Errorf("another connection of the session: %v", err)
			}
			await(t, "its place is free", func() bool { return p.Connections() == 1 })
			await(t, "the connection to the data server is free", func() bool { return p.relay.Figures().InUse == 0 })
		})
	})
}
