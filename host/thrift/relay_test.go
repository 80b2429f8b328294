package thrift_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	apache "github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// openBefore opens a client port before a data server.
func openBefore(t *testing.T, change ...func(*thrift.Options)) (*port, *upstream.Server) {
	t.Helper()
	server := upstream.Start(t, upstream.Options{DefaultEnvironment: "plain"})
	r := relay.New(relay.Options{
		Address: server.Address(), Username: upstream.Username, Password: account.Secret(upstream.Password), Environment: "plain",
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("close the relay: %v", err)
		}
	})
	change = append(change, func(o *thrift.Options) { o.Relay, o.Gate.SessionEnded = r, r.SessionEnded })
	return open(t, change...), server
}

// raw is a connection on which messages are compared byte for byte.
type raw struct {
	net.Conn
	*message.Reader
}

func (p *port) raw(t *testing.T) raw {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return raw{c, message.NewReader(c, 1<<30)}
}

func (c raw) exchange(t *testing.T, request []byte) *message.Message {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	m, err := c.Reader.Read()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every method that may be passed on is, byte for byte but for the token.
func TestRelay_EveryMethod(t *testing.T) {
	p, server := openBefore(t)
	_, token := p.login(t, driver.Bare, "root")
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			c, n := p.raw(t), 0
			methods.Each(func(m *methods.Method) {
				if m.Access == methods.Token || m.Name == "login" || m.Name == "invokeManagement" || style == driver.Bare && m.Service != "core" {
					return
				}
				n++
				sent, err := driver.Options{Style: style}.Request(m.Service+":"+m.Name, int32(n), driver.Call{Token: token, Environment: in("e-1"), Descending: n%2 > 0})
				if err != nil {
					t.Fatal(err)
				}
				server.Forget()
				reply := c.exchange(t, sent)
				if reply.Kind != apache.REPLY || string(reply.Name) != m.Name || reply.SeqID != int32(n) {
					t.Fatalf("%s: %+v", m.Name, reply)
				}
				calls := server.Calls(m.Name)
				if len(calls) != 1 {
					t.Fatalf("%s: it came to the data server %d times", m.Name, len(calls))
				}
				want := bytes.Replace(sent, token, calls[0].Token, 1)
				if !bytes.Equal(calls[0].Bytes, want) || m.Token != 0 && bytes.Equal(calls[0].Token, token) {
					t.Errorf("%s: the data server got\n%q, want\n%q", m.Name, calls[0].Bytes, want)
				}
			})
			if n < 300 {
				t.Errorf("%d methods", n)
			}
		})
	}
}

// Answers come byte for byte, whatever they are, long ones too.
func TestRelay_Answers(t *testing.T) {
	p, server := openBefore(t)
	_, token := p.login(t, driver.Bare, "ann")
	c := p.raw(t)
	sent := request(t, "core:addKeyValueRecord", driver.Call{Token: token, Environment: in("w")})
	const reply, exception = "\x80\x01\x00\x02", "\x80\x01\x00\x03"
	const head = "\x00\x00\x00\x11addKeyValueRecord\x00\x00\x00\x01"
	for name, want := range map[string]string{
		"Value":       reply + head + "\x02\x00\x00\x01\x00",
		"Nothing":     reply + head + "\x00",
		"Transaction": reply + head + "\x0c\x00\x02\x00\x00",
		"Argument":    reply + head + "\x0c\x00\x03\x0b\x00\x01\x00\x00\x00\x02no\x00\x00",
		"Unheard":     reply + head + "\x0f\x00\x63\x0b\x00\x00\x00\x01\x00\x00\x00\x01x\x00",
		"Failure":     exception + head + "\x0b\x00\x01\x00\x00\x00\x02no\x08\x00\x02\x00\x00\x00\x06\x00",
		"Long":        reply + head + "\x0b\x00\x00\x00\x10\x00\x00" + strings.Repeat("v", 1<<20) + "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			server.Next("addKeyValueRecord", upstream.Raw([]byte(want)))
			if got := c.exchange(t, sent); string(got.Bytes) != want {
				t.Errorf("%d bytes, %.200q, want %.200q", len(got.Bytes), got.Bytes, want)
			}
		})
	}
}

// A client's transaction names its own token, and the data server's what that
// gave out.
func TestRelay_Transaction(t *testing.T) {
	p, server := openBefore(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d, token := p.login(t, style, "ann")
			for _, end := range []string{"commit", "abort"} {
				server.Forget()
				tx, err := d.Stage(token, "w")
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(tx.Token, token) {
					t.Error("the transaction does not name the client's token")
				}
				rows := p.rows()
				if open := rows[len(rows)-1].OpenTransactions; len(open) != 1 {
					t.Errorf("open transactions: %v", open)
				}
				if _, err := d.Call("clearRecord", driver.Call{Token: token, Transaction: &tx, Environment: in("w")}); err != nil {
					t.Error(err)
				}
				if end == "abort" {
					err = d.Abort(token, tx, "w")
				} else if committed, failed := d.Commit(token, tx, "w"); failed != nil || !committed {
					t.Errorf("committed %v, %v", committed, failed)
				}
				if err != nil {
					t.Error(err)
				}
				calls := server.Calls("clearRecord", end)
				if len(calls) != 2 {
					t.Fatalf("%d calls", len(calls))
				}
				for _, c := range calls {
					if bytes.Equal(c.TransactionToken, token) || !bytes.Equal(c.TransactionToken, c.Token) || c.Timestamp != tx.Timestamp {
						t.Errorf("%s came with another transaction", c.Name)
					}
				}
				if n := len(server.Transactions()); n != 0 {
					t.Errorf("%d transactions are open", n)
				}
			}
		})
	}
}

// A transaction that is not the session's own, there: in the form that the caller
// knows, and does not take for success.
func TestRelay_ForeignTransaction(t *testing.T) {
	p, _ := openBefore(t)
	const text = "the session has no such transaction open in this environment"
	failure := answer{kind: apache.INTERNAL_ERROR, text: text}
	transaction := answer{exception: "TransactionException"}
	other, token := p.login(t, driver.Bare, "root")
	foreign, err := other.Stage(token, "w")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method            string
		multiplexed, bare answer
	}{
		{"time", transaction, transaction},
		{"addKeyValueRecord", transaction, transaction},
		{"clearRecord", transaction, failure},
		{"commit", transaction, transaction},
		{"abort", failure, failure},
	} {
		for name, style := range styles {
			t.Run(c.method+"/"+name, func(t *testing.T) {
				want := c.multiplexed
				if style == driver.Bare {
					want = c.bare
				}
				d, token := p.login(t, style, "ann")
				own, err := d.Stage(token, "w")
				if err != nil {
					t.Fatal(err)
				}
				for _, bad := range []struct {
					tx          driver.Transaction
					environment string
				}{
					{foreign, "w"},                              // another session's
					{driver.Transaction{Token: token}, "w"},     // none
					{driver.Transaction{Token: []byte{1}}, "w"}, // not even a token
					{own, "plain"},                              // of another environment
					{driver.Transaction{Token: token, Timestamp: own.Timestamp + 1}, "w"}, // one that there is not
				} {
					_, err := d.Call(c.method, driver.Call{Token: token, Transaction: &bad.tx, Environment: in(bad.environment)})
					want.check(t, err)
				}
			})
		}
	}
}

// Who loses the right loses the transaction, and is told in a form that is no
// success.
func TestRelay_LostRight(t *testing.T) {
	p, server := openBefore(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d, token := p.login(t, style, "ann")
			tx, err := d.Stage(token, "w")
			if err != nil {
				t.Fatal(err)
			}
			known := p.users.accounts["ann"].Snapshot(2)
			known.Grants = account.Grants{"r": {account.Read}}
			p.table.Apply(known)
			_, err = d.Call("clearRecord", driver.Call{Token: token, Transaction: &tx, Environment: in("w")})
			if style == driver.Bare {
				application(t, err, apache.INTERNAL_ERROR, insufficient)
			} else {
				declared(t, err, "PermissionException", insufficient)
			}
			await(t, "the transaction is aborted", func() bool { return len(server.Transactions()) == 0 })
			p.table.Revoke("ann")
		})
	}
}

// The last connection of a session takes its transactions with it.
func TestRelay_Disconnected(t *testing.T) {
	p, server := openBefore(t)
	d, token := p.login(t, driver.Multiplexed, "ann")
	if _, err := d.Stage(token, "w"); err != nil {
		t.Fatal(err)
	}
	second := p.dial(t, driver.Multiplexed)
	tx, err := second.Stage(token, "w")
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	await(t, "one connection is left", func() bool { return p.Connections() == 1 })
	if _, err := second.Call("time", driver.Call{Token: token, Transaction: &tx, Environment: in("w")}); err != nil {
		t.Errorf("with a connection left: %v", err)
	}
	if n := len(server.Transactions()); n != 2 {
		t.Errorf("%d transactions are open with a connection left", n)
	}
	second.Close()
	await(t, "the transactions are aborted", func() bool { return len(server.Transactions()) == 0 })
	if _, err := p.dial(t, driver.Bare).Call("time", driver.Call{Token: token, Environment: in("w")}); err != nil {
		t.Errorf("the session is over: %v", err)
	}
}

func TestRelay_Failures(t *testing.T) {
	p, server := openBefore(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			d, token := p.login(t, style, "ann")
			call := driver.Call{Token: token, Environment: in("w")}
			clear := func() error {
				_, err := d.Call("clearRecord", call)
				return err
			}
			if err := clear(); err != nil {
				t.Fatal(err)
			}
			server.ExpireTokens()
			if err := clear(); err != nil {
				t.Errorf("after the data server's tokens have expired: %v", err)
			}
			server.Next("clearRecord", upstream.Exception(1, "Invalid access token"), upstream.Exception(1, "Invalid access token"))
			if e, ok := errors.AsType[apache.TApplicationException](clear()); !ok || e.TypeId() != apache.INTERNAL_ERROR {
				t.Errorf("a data server that knows no token of its own: %v", e)
			}
			server.Next("clearRecord", upstream.Exception(3, "Insufficient Permission"))
			if e, ok := errors.AsType[apache.TApplicationException](clear()); !ok || e.TypeId() != apache.INTERNAL_ERROR {
				t.Errorf("a data server that refuses the host: %v", e)
			}
			server.Next("clearRecord", upstream.CloseUnanswered)
			application(t, clear(), apache.INTERNAL_ERROR, "the data server's answer got lost; whether the call took effect is unknown")
			server.Kill()
			application(t, clear(), apache.INTERNAL_ERROR, "the data server cannot be reached; try again in a moment")
			if err := server.Revive(); err != nil {
				t.Fatal(err)
			}
			if err := clear(); err != nil {
				t.Errorf("after the data server came back: %v", err)
			}
			server.Next("getServerEnvironment", upstream.CloseAfter(1<<20, upstream.Huge(8<<20)))
			if _, err := d.Call("getServerEnvironment", call); err == nil {
				t.Error("an answer that broke off is whole")
			} else if _, ok := errors.AsType[apache.TApplicationException](err); ok {
				t.Errorf("an answer that broke off goes on with another: %v", err)
			}
			if err := d.AwaitClosed(); err != nil {
				t.Errorf("the connection, after an answer that broke off: %v", err)
			}
		})
	}
}
