package thrift_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

// closedBy sends bytes on a new connection, which must be closed upon them
// without a word.
func closedBy(t *testing.T, p *port, sent []byte) {
	t.Helper()
	d := p.dial(t, driver.Bare)
	d.Send(sent) // the other side may have closed before the last byte
	if err := d.AwaitClosed(); err != nil {
		t.Error(err)
	}
	d.Close()
}

func request(t *testing.T, name string, c driver.Call) []byte {
	t.Helper()
	r, err := driver.Options{}.Request(name, 1, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is no call ends its connection, touches no other, and comes into the log
// once.
func TestGarbage(t *testing.T) {
	p := open(t)
	living, token := p.login(t, driver.Multiplexed, "bob")
	oneway := request(t, "core:time", driver.Call{Token: token})
	oneway[3] = 4
	reply := request(t, "core:time", driver.Call{Token: token})
	reply[3] = 2
	for name, sent := range map[string][]byte{
		"HTTP":    []byte("GET / HTTP/1.1\r\nHost: here\r\n\r\n"),
		"TLS":     {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"Version": {0x80, 2, 0, 1, 0, 0, 0, 0},
		"Oneway":  oneway, "Reply": reply,
		"UnknownService": request(t, "nonsense:time", driver.Call{}),
		"NoService":      request(t, ":time", driver.Call{}),
		"LongName":       {0x80, 1, 0, 1, 0x7f, 0xff, 0xff, 0xff},
		"LongValue":      {0x80, 1, 0, 1, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 11, 0, 1, 0x7f, 0xff, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) { closedBy(t, p, sent) })
	}
	if err := living.Logout(token, ""); err != nil {
		t.Errorf("another connection: %v", err)
	}
	if log := p.log.String(); strings.Count(log, "a client's connection was closed") != 1 {
		t.Errorf("the log says\n%s", log)
	}
}

// The log says in words whose settings are at odds about TLS.
func TestTLSAtOdds(t *testing.T) {
	call := request(t, "core:time", driver.Call{})
	framed := append([]byte{0, 0, 0, byte(len(call))}, call...)
	hello := []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}
	_, withTLS := certified(t)
	for name, c := range map[string]struct {
		tls  bool
		sent []byte
		want string
	}{
		"Plain":       {true, call, "it speaks without TLS"},
		"PlainFramed": {true, framed, "it speaks without TLS"},
		"HTTP":        {true, []byte("GET / HTTP/1.1\r\n\r\n"), "it speaks without TLS"},
		"BadTLS":      {true, []byte{0x16, 0x30, 1, 2, 0}, "first record does not look like a TLS handshake"},
		"TLS":         {false, hello, "it speaks TLS, and client.tls.certificate is not set"},
		"NoThrift":    {false, []byte("GET / HTTP/1.1\r\n\r\n"), "not a message of Thrift's binary protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, func(o *thrift.Options) {
				if o.TLSSetting = "client.tls.certificate"; c.tls {
					withTLS(o)
				}
			})
			client := p.raw(t)
			if _, err := client.Write(c.sent); err != nil {
				t.Fatal(err)
			}
			await(t, "the log has a line", func() bool { return strings.Contains(p.log.String(), "a client's connection was closed") })
			if log := p.log.String(); !strings.Contains(log, c.want) {
				t.Errorf("the log says\n%s, want %q", log, c.want)
			}
		})
	}
}

func TestFirstByte(t *testing.T) {
	t.Parallel()
	p := open(t, func(o *thrift.Options) { o.FirstByte = 2 * time.Second })
	trusted, token := p.login(t, driver.Bare, "bob")
	silent := p.dial(t, driver.Bare)
	if err := silent.AwaitClosed(); err != nil {
		t.Errorf("a silent connection: %v", err)
	}
	failed := p.dial(t, driver.Bare)
	if _, err := failed.Login("bob", "wrong", ""); err == nil {
		t.Fatal("a wrong password is right")
	}
	if err := failed.AwaitClosed(); err != nil {
		t.Errorf("a connection without a login: %v", err)
	}
	if err := trusted.Logout(token, ""); err != nil {
		t.Errorf("a connection with a login, which may be silent: %v", err)
	}
	if log := p.log.String(); !strings.Contains(log, "it said nothing within 2s") {
		t.Errorf("the log says\n%s", log)
	}
}

func TestMaxMessage(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxMessage = 4 << 20 })
	message := func(token []byte, size int) []byte {
		return request(t, "core:clearKeyRecord", driver.Call{Token: token, Environment: in("r"), Args: []driver.Arg{{ID: 1, Value: strings.Repeat("k", size)}}})
	}
	const strangers = 16 << 10
	closedBy(t, p, message(nil, strangers))
	stranger := p.dial(t, driver.Multiplexed)
	if err := stranger.Send(message(nil, strangers-200)); err != nil {
		t.Fatal(err)
	}
	if reply, err := stranger.Receive(); err != nil || reply.SeqID != 1 {
		t.Fatalf("a stranger's message of nearly 16 KiB: %+v, %v", reply, err)
	}

	d, token := p.login(t, driver.Multiplexed, "ann")
	if err := d.Send(message(token, 3<<20)); err != nil {
		t.Fatal(err)
	}
	if reply, err := d.Receive(); err != nil || reply.SeqID != 1 {
		t.Fatalf("a long message after a login: %+v, %v", reply, err)
	}
	d.Send(message(token, 4<<20))
	if err := d.AwaitClosed(); err != nil {
		t.Errorf("a message that is too long: %v", err)
	}
}

func TestMaxConnections(t *testing.T) {
	p := open(t, func(o *thrift.Options) { o.MaxConnections = 3 })
	var held []*driver.Driver
	for range 3 {
		d, _ := p.login(t, driver.Bare, "bob")
		held = append(held, d)
	}
	for range 5 {
		if err := p.dial(t, driver.Bare).AwaitClosed(); err != nil {
			t.Errorf("one too many: %v", err)
		}
	}
	if n := p.Connections(); n != 3 {
		t.Errorf("%d connections", n)
	}
	if log := p.log.String(); strings.Count(log, "too many connections") != 1 {
		t.Errorf("the log says\n%s", log)
	}
	held[0].Close()
	await(t, "there is room", func() bool { return p.Connections() == 2 })
	p.login(t, driver.Bare, "bob")
}

// A call that comes in pieces, or two that come at once, are calls like others.
func TestPieces(t *testing.T) {
	p := open(t)
	d := p.dial(t, driver.Multiplexed)
	login := request(t, "core:login", driver.Call{Environment: in(""), Args: []driver.Arg{{ID: 1, Value: "ann"}, {ID: 2, Value: right}}})
	for i := range login {
		if err := d.Send(login[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Receive(); err != nil {
		t.Fatal(err)
	}
	second := bytes.Clone(login)
	binary.BigEndian.PutUint32(second[4+4+len("core:login"):], 2)
	if err := d.Send(append(bytes.Clone(login), second...)); err != nil {
		t.Fatal(err)
	}
	for want := int32(1); want <= 2; want++ {
		if reply, err := d.Receive(); err != nil || reply.SeqID != want || reply.Name != "login" {
			t.Errorf("%+v, %v", reply, err)
		}
	}
}

// Stop lets the call under way finish, and closes idle connections at once.
func TestStop(t *testing.T) {
	p := open(t)
	idle, _ := p.login(t, driver.Bare, "bob")
	asked, goOn := make(chan struct{}), make(chan struct{})
	p.users.authenticate = func(_ context.Context, c account.Credentials) (account.Login, error) {
		close(asked)
		<-goOn
		return p.users.check(c)
	}
	busy := p.dial(t, driver.Bare)
	answered := make(chan error, 1)
	go func() {
		_, err := busy.Login("ann", right, "")
		answered <- err
	}()
	<-asked
	over := make(chan struct{})
	go func() { p.Stop(patience); close(over) }()
	if err := idle.AwaitClosed(); err != nil {
		t.Errorf("an idle connection: %v", err)
	}
	<-p.stopped
	if c, err := net.Dial("tcp", p.address); err == nil {
		c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a new connection is served: %v", err)
		}
		c.Close()
	}
	select {
	case <-over:
		t.Error("Stop did not wait for the call")
	default:
	}
	close(goOn)
	if err := <-answered; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := busy.AwaitClosed(); err != nil {
		t.Errorf("its connection: %v", err)
	}
	<-over
}

func TestStop_OutOfPatience(t *testing.T) {
	p := open(t)
	asked := make(chan struct{})
	p.users.authenticate = func(ctx context.Context, c account.Credentials) (account.Login, error) {
		close(asked)
		<-ctx.Done()
		return account.Login{}, ctx.Err()
	}
	d := p.dial(t, driver.Bare)
	failed := make(chan error, 1)
	go func() {
		_, err := d.Login("ann", right, "")
		failed <- err
	}()
	<-asked
	p.Stop(time.Millisecond)
	if err := <-failed; err == nil {
		t.Error("a call that was cut off has an answer")
	}
}
