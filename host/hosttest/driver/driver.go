package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// Style is how a driver names methods and what it knows of their results.
type Style int

// The styles.
const (
	Multiplexed Style = iota // "core:login", numbered calls, every exception: as Java
	Bare                     // "login", every call numbered 0, no PermissionException: as Python
)

// Options say what a driver is like.
type Options struct {
	Style       Style
	Management  bool          // it speaks the management service, in whose names there is no service
	Unversioned bool          // its messages have the older header
	TLS         *tls.Config   // nil: plain TCP
	Timeout     time.Duration // of connecting, and of every read and write; 0: a minute
}

// Driver is one connection. It is one goroutine's at a time; Close may be called
// from any.
type Driver struct {
	o         Options
	socket    thrift.TTransport
	transport *thrift.TBufferedTransport
	protocol  thrift.TProtocol
	seqID     int32
}

// Dial connects, and closes the connection at the test's end.
func Dial(t testing.TB, address string, o Options) *Driver {
	t.Helper()
	d, err := Connect(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Connect connects. The caller closes the driver.
func Connect(address string, o Options) (*Driver, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	strict := true
	conf := &thrift.TConfiguration{
		ConnectTimeout: o.Timeout, SocketTimeout: o.Timeout, TLSConfig: o.TLS, TBinaryStrictRead: &strict,
	}
	d := &Driver{o: o, socket: thrift.NewTSocketConf(address, conf)}
	if o.TLS != nil {
		d.socket = thrift.NewTSSLSocketConf(address, conf)
	}
	if err := d.socket.Open(); err != nil {
		return nil, err
	}
	d.transport = thrift.NewTBufferedTransport(d.socket, 4096)
	d.protocol = thrift.NewTBinaryProtocolConf(d.transport, conf)
	return d, nil
}

// Close closes the connection.
func (d *Driver) Close() error { return d.socket.Close() }

// Send sends bytes as they are.
func (d *Driver) Send(p []byte) error {
	_, err := d.socket.Write(p)
	return err
}

// Read reads bytes as they come.
func (d *Driver) Read(p []byte) (int, error) { return d.transport.Read(p) }

// Reply is a message from the other side, as it stands.
type Reply struct {
	Name   string
	Kind   thrift.TMessageType
	SeqID  int32
	Fields Struct
}

// Receive reads one message, whose header must be of the strict form.
func (d *Driver) Receive() (Reply, error) {
	ctx := context.Background()
	name, kind, seqID, err := d.protocol.ReadMessageBegin(ctx)
	if err != nil {
		return Reply{}, err
	}
	fields, err := readStruct(ctx, d.protocol, 0)
	return Reply{name, kind, seqID, fields}, err
}

// AwaitClosed returns nil when the other side has closed the connection without
// another word.
func (d *Driver) AwaitClosed() error {
	var b [1]byte
	n, err := d.Read(b[:])
	switch {
	case n > 0:
		return fmt.Errorf("the other side said %#x where it should have closed", b[0])
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return nil
	case err == nil:
		return errors.New("the other side neither said anything nor closed")
	}
	return err
}
