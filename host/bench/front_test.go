package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// front is a host before a data server, as drivers meet it, and the data server
// itself.
type front struct {
	*hosttest.Host
	data string // the data server's address
}

// newFront starts both, with what else the settings say.
func newFront(b *testing.B, settings ...string) *front {
	b.Helper()
	f := &front{data: dataServer(b)}
	f.Host = plainly(hosttest.New(b, f.settings(settings...)...))
	f.Start()
	return f
}

func (f *front) settings(more ...string) []string {
	return append([]string{
		"client.address: localhost:0", "client.max_connections: 20000",
		"upstream.address: " + f.data, "upstream.username: " + upstream.Username, `upstream.password: "` + upstream.Password + `"`,
	}, more...)
}

// dataServer starts a data server that keeps nothing, and returns its address.
func dataServer(b *testing.B) (address string) {
	b.Helper()
	return serve(b, exec.Command(hosttest.BuildPlain(b, "./host/bench/testdata/answers")))
}

// serve starts a process that prints its address when it serves, and ends with its
// standard input.
func serve(b *testing.B, server *exec.Cmd) (address string) {
	b.Helper()
	server.Stderr = os.Stderr
	lifeline, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		lifeline.Close()
		server.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("%v ended before it served: %v", server.Args, err)
	}
	return strings.TrimSpace(line)
}

// relayed and direct return connections that make a call each time: through the
// host, and past it to the data server.
func (f *front) relayed(b *testing.B, n int, method string) []*line {
	b.Helper()
	return lines(b, f.ClientAddress(), n, f.request(b, f.ClientAddress(), hosttest.Administrator, hosttest.Password, method))
}

func (f *front) direct(b *testing.B, n int, method string) []*line {
	b.Helper()
	return lines(b, f.data, n, f.request(b, f.data, upstream.Username, upstream.Password, method))
}

// passed returns such connections through a process that passes bytes on.
func (f *front) passed(b *testing.B, n int, method string) []*line {
	b.Helper()
	address := serve(b, exec.Command(hosttest.BuildPlain(b, "./host/bench/testdata/passing"), f.data))
	return lines(b, address, n, f.request(b, f.data, upstream.Username, upstream.Password, method))
}

// request logs in at the address, and returns a call's message.
func (f *front) request(b *testing.B, address, username, password, method string) []byte {
	b.Helper()
	token, err := driver.Dial(b, address, driver.Options{}).Login(username, password, "default")
	if err != nil {
		b.Fatal(err)
	}
	request, err := requestOf(token, method)
	if err != nil {
		b.Fatal(err)
	}
	return request
}

func requestOf(token []byte, method string) ([]byte, error) {
	environment := "default"
	return driver.Options{}.Request(method, 1, driver.Call{Token: token, Environment: &environment})
}

// line is a connection on which the same call is made again and again. It does
// next to nothing besides, so that what is measured is what answers.
type line struct {
	net.Conn
	request []byte
	first   []byte // the beginning of the first answer, with which every other begins
	buffer  []byte // as long as the answer
}

func lines(b *testing.B, address string, n int, request []byte) (all []*line) {
	b.Helper()
	for range n {
		l, err := newLine(address, request)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { l.Close() })
		all = append(all, l)
	}
	return all
}

// newLine connects and makes the call, which shows how long the answer is.
func newLine(address string, request []byte) (*line, error) {
	n, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: n, request: request}
	if err := l.begin(); err != nil {
		n.Close()
		return nil, err
	}
	return l, nil
}

func (l *line) begin() error {
	if _, err := l.Write(l.request); err != nil {
		return err
	}
	m, err := message.NewReader(l, 16<<20).Read()
	if err != nil {
		return err
	}
	if m.Kind != thrift.REPLY || len(m.Fields) != 1 || m.Fields[0].ID != 0 {
		return fmt.Errorf("a refusal: %q", m.Bytes)
	}
	l.first, l.buffer = bytes.Clone(m.Bytes[:min(len(m.Bytes), 64)]), make([]byte, len(m.Bytes))
	return nil
}

func (l *line) call() error {
	if _, err := l.Write(l.request); err != nil {
		return err
	}
	if _, err := io.ReadFull(l, l.buffer); err != nil {
		return err
	}
	if !bytes.HasPrefix(l.buffer, l.first) {
		return fmt.Errorf("another answer: %q", l.buffer[:len(l.first)])
	}
	return nil
}
