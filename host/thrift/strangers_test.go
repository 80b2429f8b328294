package thrift_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// from connects from an address of this machine's own, and says whether the
// connection was let in.
func (p *port) from(t *testing.T, address string) (c raw, in bool) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	n, err := dialer.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	n.SetDeadline(time.Now().Add(patience))
	c = raw{n, message.NewReader(n, 1<<30)}
	// Whoever is let in is told that there is no such method.
	if _, err := n.Write(request(t, "core:nonsense", driver.Call{})); err != nil {
		return c, false
	}
	_, err = c.Reader.Read()
	return c, err == nil
}

// admitted returns how many of n new connections from an address are let in.
func (p *port) admitted(t *testing.T, address string, n int) (in []raw) {
	t.Helper()
	for range n {
		if c, ok := p.from(t, address); ok {
			in = append(in, c)
		}
	}
	return in
}

// One stranger's address does not keep others out, and neither do several.
func TestStrangers(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxConnections, o.FirstByte = 16, patience })
	var each []int
	var first []raw
	for i := 1; i <= 4; i++ {
		in := p.admitted(t, fmt.Sprintf("127.0.0.%d", i), 20)
		each = append(each, len(in))
		if i == 1 {
			first = in
		}
	}
	if got := fmt.Sprint(each); got != "[8 4 2 1]" {
		t.Fatalf("of 16 places four addresses have got %s, want a half of what is free each", got)
	}
	if log := p.log.String(); strings.Count(log, "too many connections of one address") != 1 || !strings.Contains(log, "source=127.0.0.1/32") {
		t.Errorf("the log says\n%s", log)
	}
	if in := p.admitted(t, "127.0.0.5", 1); len(in) != 1 {
		t.Error("a fifth address is kept out")
	}
	for _, c := range first {
		c.Close()
	}
	await(t, "they have left", func() bool { return p.Connections() == 8 })
	if in := p.admitted(t, "127.0.0.1", 20); len(in) != 4 {
		t.Errorf("when they have left, %d are let in, want 4", len(in))
	}
}

// Who has logged in counts no more, so that programs that share an address may
// take every place; and counts again when the session is over.
func TestStrangers_Login(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxConnections, o.FirstByte = 4, patience })
	_, token := p.login(t, driver.Bare, "ann")
	show := request(t, "core:time", driver.Call{Token: token, Environment: in("r")})
	one, two := p.admitted(t, "127.0.0.1", 4), 2
	if len(one) != two {
		t.Fatalf("%d strangers are let in, want %d", len(one), two)
	}
	one[0].exchange(t, show)
	one = append(one, p.admitted(t, "127.0.0.1", 4)...)
	if p.Connections() != 3 {
		t.Fatalf("%d connections, one of which is a stranger's", p.Connections())
	}
	one[1].exchange(t, show)
	one = append(one, p.admitted(t, "127.0.0.1", 4)...)
	if p.Connections() != 4 {
		t.Fatalf("%d connections, three of which have shown a token", p.Connections())
	}

	one[2].Close()
	await(t, "there is room", func() bool { return p.Connections() == 3 })
	p.table.Revoke("ann")
	one[0].exchange(t, show) // and is told
	await(t, "all rest", func() bool { return p.Resting() == 3 })
	if more := p.admitted(t, "127.0.0.1", 1); len(more) != 0 {
		t.Error("whose session is over is no stranger")
	}
}

// A connection whose sessions have ended keeps its place while there is room for
// others: its driver is told when it calls again, and logs in again.
func TestStrangers_Hurried(t *testing.T) {
	t.Parallel()
	const firstByte = 4 * time.Second
	p := open(t, func(o *thrift.Options) { o.MaxConnections, o.FirstByte = 4, firstByte })
	living, livingToken := p.login(t, driver.Bare, "bob")
	revoked := map[string]*driver.Driver{}
	tokens := map[string][]byte{}
	for _, name := range []string{"early", "late", "never"} {
		revoked[name], tokens[name] = p.login(t, driver.Bare, "ann")
	}
	again := func(name string) {
		t.Helper()
		_, err := revoked[name].Call("time", driver.Call{Token: tokens[name], Environment: in("r")})
		declared(t, err, "SecurityException", "Invalid access token")
		if tokens[name], err = revoked[name].Login("ann", right, ""); err != nil {
			t.Errorf("another login on the connection: %v", err)
		}
	}
	await(t, "all rest", func() bool { return p.Resting() == 4 })
	p.table.Revoke("ann")
	time.Sleep(firstByte + time.Second)
	if n := p.Connections(); n != 4 {
		t.Fatalf("%d connections are left though nobody needs a place", n)
	}
	again("early")

	if _, in := p.from(t, "127.0.0.1"); in {
		t.Fatal("one too many is let in")
	}
	again("late")
	if err := revoked["never"].AwaitClosed(); err != nil {
		t.Errorf("a silent one whose place others need: %v", err)
	}
	await(t, "its place is free", func() bool { return p.Connections() == 3 })
	time.Sleep(firstByte + time.Second)
	for name, d := range map[string]*driver.Driver{"early": revoked["early"], "late": revoked["late"]} {
		if _, err := d.Call("time", driver.Call{Token: tokens[name], Environment: in("r")}); err != nil && !strings.Contains(err.Error(), "no data server") {
			t.Errorf("%s, which has logged in again and may rest: %v", name, err)
		}
	}
	if _, in := p.from(t, "127.0.0.1"); !in {
		t.Error("nobody is let in to the place that is free")
	}
	if err := living.Logout(livingToken, ""); err != nil {
		t.Errorf("one whose session lives: %v", err)
	}
}

func TestSourceOf(t *testing.T) {
	for address, want := range map[string]string{
		"10.1.2.3":             "10.1.2.3/32",
		"::ffff:10.1.2.3":      "10.1.2.3/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		a, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(address, "1"))
		if err != nil {
			t.Fatal(err)
		}
		if got := thrift.SourceOf(a).String(); got != want {
			t.Errorf("the source of %s is %s, want %s", address, got, want)
		}
	}
}
