package thrift_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// wire is a client whose socket can be taken hold of.
type wire struct {
	raw
	socket *net.TCPConn
}

// transport is what clients connect by.
type transport struct {
	tls *tls.Config // nil: plain TCP
}

// transports runs a test with TLS and without.
func transports(t *testing.T, test func(t *testing.T, by transport, change ...func(*thrift.Options))) {
	t.Helper()
	t.Run("Plain", func(t *testing.T) {
		t.Parallel()
		test(t, transport{})
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		f, withTLS := certified(t)
		test(t, transport{&tls.Config{RootCAs: f.trusted, ServerName: "127.0.0.1"}}, withTLS)
	})
}

// dial connects as a driver that numbers no calls.
func (by transport) dial(t *testing.T, p *port) *driver.Driver {
	t.Helper()
	return driver.Dial(t, p.address, driver.Options{Style: driver.Bare, TLS: by.tls})
}

// login connects, and logs ann in.
func (by transport) login(t *testing.T, p *port) (*driver.Driver, []byte) {
	t.Helper()
	d := by.dial(t, p)
	token, err := d.Login("ann", right, "")
	if err != nil {
		t.Fatal(err)
	}
	return d, token
}

func (by transport) wire(t *testing.T, p *port) wire {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w := wire{raw{Conn: c}, c.(*net.TCPConn)}
	if by.tls != nil {
		w.Conn = tls.Client(c, by.tls)
	}
	c.SetDeadline(time.Now().Add(patience))
	w.Reader = message.NewReader(w.Conn, 1<<30)
	return w
}

// send sends bytes, which must go out.
func (w wire) send(t *testing.T, sent []byte) {
	t.Helper()
	if _, err := w.Write(sent); err != nil {
		t.Fatal(err)
	}
}

// A session hears that its client has gone while its call hangs at the data
// server, however it went and whatever it had sent besides; the call goes on.
func TestRelay_ClientGone(t *testing.T) {
	ways := map[string]func(wire) error{
		"Close":  func(w wire) error { return w.Close() },
		"Cut":    func(w wire) error { return w.socket.Close() }, // without TLS's goodbye
		"Reset":  func(w wire) error { w.socket.SetLinger(0); return w.socket.Close() },
		"Killed": func(w wire) error { return w.socket.CloseWrite() }, // as it looks until something is sent to it
	}
	transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
		for name, vanish := range ways {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p, server := openBefore(t, change...)
				d, token := by.login(t, p)
				tx, err := d.Stage(token, "w")
				if err != nil {
					t.Fatal(err)
				}
				released := make(chan struct{})
				server.Next("clearRecord", upstream.Until(released, nil))
				call := request(t, "core:clearRecord", driver.Call{Token: token, Transaction: &tx, Environment: in("w")})
				w := by.wire(t, p)
				w.send(t, call)
				await(t, "the data server has the call", func() bool { return len(server.Calls("clearRecord")) == 1 })
				w.send(t, call) // which nobody takes for now
				d.Close()
				await(t, "the other connection is gone", func() bool { return p.Connections() == 1 })
				if n := len(server.Transactions()); n != 1 {
					t.Errorf("%d transactions are open", n)
				}

				if err := vanish(w); err != nil {
					t.Fatal(err)
				}
				await(t, "the session has no connection", func() bool { return p.rows()[0].Connections == 0 })
				await(t, "its transaction is aborted", func() bool { return len(server.Transactions()) == 0 })
				if c := p.rows()[0].CurrentCall; p.Connections() != 1 || c == nil || c.Method != "clearRecord" {
					t.Errorf("the call was given up, the session's is %v", c)
				}
				close(released)
				await(t, "the connection is gone", func() bool { return p.Connections() == 0 })
			})
		}
	})
}

// What a call begins when its client has gone ends with the connection, even if the
// answer could be sent.
func TestRelay_ClientGone_Stage(t *testing.T) {
	transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
		p, server := openBefore(t, change...)
		d, token := by.login(t, p)
		d.Close()
		await(t, "nobody is connected", func() bool { return p.Connections() == 0 })
		done, released := make(chan struct{}), make(chan struct{})
		server.Next("stage", upstream.Late(done, released))
		w := by.wire(t, p)
		w.send(t, request(t, "core:stage", driver.Call{Token: token, Environment: in("w")}))
		<-done
		w.socket.CloseWrite()
		await(t, "the session has no connection", func() bool { return p.rows()[0].Connections == 0 })
		close(released)
		if _, err := w.Reader.Read(); err != nil {
			t.Errorf("the answer: %v", err)
		}
		await(t, "the transaction is aborted", func() bool { return len(server.Transactions()) == 0 })
		await(t, "the connection is gone", func() bool { return p.Connections() == 0 })
	})
}

// A client that sends its next call before it has the answer has not gone.
func TestRelay_Pipelined(t *testing.T) {
	transports(t, func(t *testing.T, by transport, change ...func(*thrift.Options)) {
		p, server := openBefore(t, change...)
		d, token := by.login(t, p)
		tx, err := d.Stage(token, "w")
		if err != nil {
			t.Fatal(err)
		}
		released := make(chan struct{})
		server.Next("clearRecord", upstream.Until(released, nil))
		w := by.wire(t, p)
		w.send(t, request(t, "core:clearRecord", driver.Call{Token: token, Transaction: &tx, Environment: in("w")}))
		await(t, "the data server has the call", func() bool { return len(server.Calls("clearRecord")) == 1 })
		d.Close()
		w.send(t, request(t, "core:commit", driver.Call{Token: token, Transaction: &tx, Environment: in("w")}))
		await(t, "the other connection is gone", func() bool { return p.Connections() == 1 })
		time.Sleep(3 * time.Second) // it is looked at more than once
		if n := p.rows()[0].Connections; n != 1 || len(server.Transactions()) != 1 {
			t.Errorf("the session counts %d connections; %d transactions are open", n, len(server.Transactions()))
		}
		close(released)
		for _, want := range []string{"clearRecord", "commit"} {
			m, err := w.Reader.Read()
			if err != nil || string(m.Name) != want {
				t.Fatalf("%+v, %v, want the answer to %s", m, err, want)
			}
		}
		if n := len(server.Calls("abort")); n != 0 {
			t.Errorf("the transaction was aborted")
		}
	})
}
