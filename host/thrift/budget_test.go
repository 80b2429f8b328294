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
	_, token := p.login(t, driver.Multiplexed, "ann")
	long := request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("w"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", 900<<10)}}})
	trusted := func() *driver.Driver {
		d, _ := p.login(t, driver.Multiplexed, "ann")
		return d
	}
	var held []*driver.Driver
	for range 4 {
		d := trusted()
		if err := d.Send(long); err != nil {
			t.Fatal(err)
		}
		held = append(held, d)
	}
	await(t, "the data server has the calls", func() bool { return len(server.Calls("clearKeyRecord")) == 4 })
	short := trusted()
	for range 3 {
		late := trusted()
		late.Send(long) // the other side may have closed before the last byte
		if err := late.AwaitClosed(); err != nil {
			t.Errorf("a message for which there is no room: %v", err)
		}
		if _, err := short.Call("clearRecord", driver.Call{Token: token, Environment: in("w")}); err != nil {
			t.Errorf("a short message: %v", err)
		}
	}
	if log := p.log.String(); strings.Count(log, "long messages hold as much memory as they may") != 1 {
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
		if err := short.Send(long); err != nil {
			t.Fatal(err)
		}
		if reply, err := short.Receive(); err != nil || reply.Name != "clearKeyRecord" {
			t.Fatalf("after the others were answered: %+v, %v", reply, err)
		}
	}
}

// What came of a message is given back when its connection breaks off.
func TestMessagesMemory_BrokenOff(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxMessage = 1 << 20 })
	d, token := p.login(t, driver.Multiplexed, "ann")
	long := request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("w"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", 900<<10)}}})
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
