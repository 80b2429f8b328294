// Command recorder is a stand-in for a data server, as a process that may be
// killed: before it answers a call it has written to its standard output what the
// call was and what becomes of it, a line of JSON each. When it serves, it prints
// its address to its standard error; it ends with its standard input. Its one
// argument is the address to listen at.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

func main() {
	var mu sync.Mutex
	tell := func(c *upstream.Call, w io.Writer) error {
		var answer bytes.Buffer
		if err := upstream.Usual(c, &answer); err != nil {
			return err
		}
		told, err := json.Marshal(lineOf(c, answer.Bytes()))
		if err != nil {
			panic(err) // it is made of texts and numbers
		}
		mu.Lock()
		_, err = os.Stdout.Write(append(told, '\n'))
		mu.Unlock()
		if err != nil {
			return err
		}
		_, err = w.Write(answer.Bytes())
		return err
	}
	s, err := upstream.New(upstream.Options{Address: os.Args[1], Quiet: true, Answer: tell})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, s.Address())
	io.Copy(io.Discard, os.Stdin)
}

// line is what is told of a call.
type line struct {
	At          time.Time
	Method      string
	Number      int64  // its record; 0: it has none
	Username    string // of a login
	Token       []byte
	Environment string
	Timestamp   int64 // of the transaction that it names or stages
	Accepted    bool  // it is answered with what it asked for
}

func lineOf(c *upstream.Call, answer []byte) line {
	l := line{At: time.Now(), Method: c.Method.Name, Token: c.Token, Environment: c.Environment, Timestamp: c.Timestamp}
	m := read(c.Bytes)
	if c.Method.Name == "login" {
		l.Username = string(message.Text(value(m, 1, thrift.STRING)))
	}
	for _, a := range c.Method.Arguments {
		if a.Name == "record" {
			l.Number = int64(binary.BigEndian.Uint64(value(m, a.ID, thrift.I64)))
		}
	}
	m = read(answer)
	l.Accepted = m.Kind == thrift.REPLY && (len(m.Fields) == 0 || m.Fields[0].ID == 0)
	if c.Method.Name == "stage" && l.Accepted {
		_, l.Timestamp, _ = message.TransactionToken(value(m, 0, thrift.STRUCT))
	}
	return l
}

func read(b []byte) *message.Message {
	m, err := message.NewReader(bytes.NewReader(b), math.MaxInt32).Read()
	if err != nil {
		panic(err) // it was read before
	}
	return m
}

// value returns a field's value, which those who call send.
func value(m *message.Message, id int16, of thrift.TType) []byte {
	f, err := m.Field(id, of)
	if err != nil || f == nil {
		panic(fmt.Sprintf("no field %d: %v", id, err))
	}
	return m.Value(f)
}
