package thrift_test

import (
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift"
)

// Long messages hold so much together, and one more closes its connection; short
// ones go on, and room comes back with the answers.
func TestMessagesMemory(t *testing.T) {
	p, server := openBefore(t, func(o *thrift.Options) { o.MaxMessage = 1 << 20 })
	released := make(chan struct{})
	server.Always("clearKeyRecord", upstream.Until(released, nil))
	var held []*driver.Driver
	for _, name := range []string{"ann", "ann", "root"} { // half of it, and half of the rest
		d, token := p.login(t, driver.Multiplexed, name)
		if err := d.Send(long(t, token, 900<<10)); err != nil {
			t.Fatal(err)
		}
		held = append(held, d)
	}
	await(t, "the data server has the calls", func() bool { return len(server.Calls("clearKeyRecord")) == 3 })
	short, token := p.login(t, driver.Multiplexed, "ann")
	for _, name := range []string{"ann", "root", "bob"} {
		late, lateToken := p.login(t, driver.Multiplexed, name)
		late.Send(long(t, lateToken, 900<<10)) // the other side may have closed before the last byte
		if err := late.AwaitClosed(); err != nil {
			t.Errorf("a message of %s for which there is no room: %v", name, err)
		}
		if _, err := short.Call("clearRecord", driver.Call{Token: token, Environment: in("w")}); err != nil {
			t.Errorf("a short message: %v", err)
		}
	}
	if log := p.log.String(); strings.Count(log, "long messages hold as much memory as is free besides") != 1 || !strings.Contains(log, "account=ann") {
		t.Errorf("the log says\n%s", log)
	}
	close(released)
	for _, d := range held {
		if reply, err := d.Receive(); err != nil || reply.Name != "clearKeyRecord" {
			t.Errorf("a message that there was room for: %+v, %v", reply, err)
		}
	}
	held[0].Close() // others rest, and hold nothing
	for range 8 {   // more than there is room for at once
		if err := short.Send(long(t, token, 900<<10)); err != nil {
			t.Fatal(err)
		}
		if reply, err := short.Receive(); err != nil || reply.Name != "clearKeyRecord" {
			t.Fatalf("after the others were answered: %+v, %v", reply, err)
		}
	}
}

// long returns a call that has about so many bytes.
func long(t *testing.T, token []byte, size int) []byte {
	t.Helper()
	return request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("w"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", size)}}})
}

// Over however many connections and sessions an account has messages begin that
// don't end, others' are taken, and those that it gives up leave room again.
func TestMessagesMemory_OneAccount(t *testing.T) {
	p, server := openBefore(t, func(o *thrift.Options) { o.MaxMessage = 1 << 20 })
	other, otherToken := p.login(t, driver.Bare, "root")
	call := func(size int) {
		t.Helper()
		if err := other.Send(long(t, otherToken, size)); err != nil {
			t.Fatal(err)
		}
		if reply, err := other.Receive(); err != nil || reply.Name != "clearKeyRecord" {
			t.Fatalf("another account's call of %d bytes: %+v, %v", size, reply, err)
		}
	}
	var all []*driver.Driver
	for n := range 6 {
		d, token := p.login(t, driver.Multiplexed, "ann")
		d.Send(long(t, token, 1<<20-4096)[:600<<10])
		if n < 2 {
			await(t, "the message holds its part", func() bool { return p.Held() == (n+1)<<20 })
		} else if err := d.AwaitClosed(); err != nil {
			t.Errorf("one message too many: %v", err)
		}
		all = append(all, d)
	}
	call(100 << 10)
	call(900 << 10)
	for _, d := range all {
		d.Close()
	}
	await(t, "they hold nothing", func() bool { return p.Held() == 0 })
	call(900 << 10)
	if n := len(server.Calls("clearKeyRecord")); n != 3 {
		t.Errorf("the data server got %d calls, want 3", n)
	}
}

// What came of a message is given back when its connection breaks off.
func TestMessagesMemory_BrokenOff(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxMessage = 1 << 20 })
	d, token := p.login(t, driver.Multiplexed, "ann")
	long := long(t, token, 900<<10)
	for range 12 {
		other, _ := p.login(t, driver.Multiplexed, "ann")
		if err := other.Send(long[:len(long)-1]); err != nil {
			t.Fatal(err)
		}
		other.Close()
		await(t, "the connection is gone", func() bool { return p.Connections() == 1 })
	}
	if err := d.Send(long); err != nil {
		t.Fatal(err)
	}
	if reply, err := d.Receive(); err != nil || reply.Name != "clearKeyRecord" {
		t.Errorf("%+v, %v", reply, err)
	}
}
