package upstream_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// dial returns a function that makes a call of raw fields and returns its answer,
// nil if there was none.
func dial(t *testing.T, s *upstream.Server) func(name string, fields ...[]byte) *message.Message {
	t.Helper()
	n, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	r := message.NewReader(n, 1<<20)
	return func(name string, fields ...[]byte) *message.Message {
		t.Helper()
		b := thrift.NewTMemoryBuffer()
		p := thrift.NewTBinaryProtocolConf(b, nil)
		p.WriteMessageBegin(context.Background(), name, thrift.CALL, 7)
		b.Write(bytes.Join(fields, nil))
		b.WriteByte(thrift.STOP)
		n.Write(b.Bytes())
		m, err := r.Read()
		if err != nil {
			return nil
		}
		if m.SeqID != 7 {
			t.Errorf("%s: the answer has the sequence id %d", name, m.SeqID)
		}
		return m
	}
}

func field(kind byte, id int16, value []byte) []byte {
	return append([]byte{kind, byte(id >> 8), byte(id)}, value...)
}

func text(id int16, s string) []byte {
	return field(thrift.STRING, id, append([]byte{0, 0, 0, byte(len(s))}, s...))
}

func accessToken(id int16, token []byte) []byte {
	return field(thrift.STRUCT, id, message.AppendAccessToken(nil, token))
}

func login(t *testing.T, call func(string, ...[]byte) *message.Message, password string) []byte {
	t.Helper()
	m := call("login", text(1, upstream.Username), text(2, password), text(3, ""))
	f, err := m.Field(0, thrift.STRUCT)
	if err != nil || f == nil {
		return nil
	}
	token, err := message.AccessToken(m.Value(f))
	if err != nil || len(token) != 32 {
		t.Fatalf("login gave %d bytes, %v", len(token), err)
	}
	return bytes.Clone(token)
}

func TestServer(t *testing.T) {
	s := upstream.Start(t, upstream.Options{})
	call := dial(t, s)
	if login(t, call, "wrong") != nil {
		t.Fatal("a wrong password was taken")
	}
	token := login(t, call, upstream.Password)
	if token == nil || s.Tokens() != 1 {
		t.Fatal("the right password was not taken")
	}
	m := call("stage", accessToken(1, token), text(2, "a-b"))
	staged, timestamp, err := message.TransactionToken(m.Value(&m.Fields[0]))
	if err != nil || !bytes.Equal(staged, token) || s.Transactions()[0].Environment != "ab" {
		t.Fatalf("stage answered another token, or began in %v: %v", s.Transactions(), err)
	}
	transaction := field(thrift.STRUCT, 2, message.AppendTransactionToken(nil, token, timestamp))
	if m := call("core:commit", accessToken(1, token), transaction, text(3, "ab")); m.Kind != thrift.REPLY || len(s.Transactions()) != 0 {
		t.Error("commit did not commit")
	}
	if m := call("commit", accessToken(1, token), transaction, text(3, "ab")); m.Kind != thrift.EXCEPTION {
		t.Error("a second commit is no failure")
	}
	if m := call("nonsense"); m.Kind != thrift.EXCEPTION || !strings.Contains(string(m.Bytes), "Invalid method name: 'nonsense'") {
		t.Errorf("an unknown method is answered %q", m.Bytes)
	}
	if m := call("getServerEnvironment", accessToken(1, token), text(3, "")); !strings.HasSuffix(string(m.Bytes), "default\x00") {
		t.Errorf("no environment means %q", m.Bytes)
	}
	if got := s.Calls("commit"); len(got) != 2 || got[0].Name != "core:commit" || got[0].Timestamp != timestamp || !bytes.Equal(got[0].TransactionToken, token) {
		t.Errorf("recorded %+v", got)
	}
	s.ExpireTokens()
	if m := call("ping", accessToken(1, token), text(3, "")); m.Fields[0].ID != 1 || !strings.Contains(string(m.Bytes), "Invalid access token") {
		t.Errorf("an expired token is answered %q", m.Bytes)
	}
	s.Kill()
	if m := call("ping"); m != nil || s.Connections() != 0 {
		t.Error("a dead server answered")
	}
	if err := s.Revive(); err != nil {
		t.Fatal(err)
	}
	if login(t, dial(t, s), upstream.Password) == nil {
		t.Error("a revived server takes no login")
	}
}

// Every method's answer is one of its type, to a reader that does not know it.
func TestServer_EveryMethod(t *testing.T) {
	s := upstream.Start(t, upstream.Options{})
	call := dial(t, s)
	token := login(t, call, upstream.Password)
	n := 0
	methods.Each(func(m *methods.Method) {
		switch m.Name {
		case "login", "logout", "stage", "commit", "abort":
			return
		}
		n++
		answer := call(m.Service+":"+m.Name, accessToken(m.Token, token), text(m.Environment, "default"))
		if answer == nil || answer.Kind != thrift.REPLY || string(answer.Name) != m.Name || len(answer.Fields) == 1 == m.Void {
			t.Fatalf("%s answers %+v", m.Name, answer)
		}
		if m.Void {
			return
		}
		p := thrift.NewTBinaryProtocolConf(thrift.NewStreamTransportR(bytes.NewReader(answer.Value(&answer.Fields[0]))), nil)
		if err := thrift.SkipDefaultDepth(t.Context(), p, thrift.TType(answer.Fields[0].Type)); err != nil {
			t.Errorf("%s answers what Thrift's library does not read as %s: %v", m.Name, m.Returns, err)
		}
	})
	if n < 400 {
		t.Errorf("only %d methods were called", n)
	}
}

func TestAnswers(t *testing.T) {
	s := upstream.Start(t, upstream.Options{})
	for outcome, c := range map[string]struct {
		answer upstream.Answer
		none   bool
		want   string
	}{
		"Result":          {answer: upstream.Result([]byte{thrift.BOOL, 0, 0, 1, 0}), want: "\x02\x00\x00\x01\x00"},
		"Exception":       {answer: upstream.Exception(3, "so"), want: "\x0c\x00\x03\x0b\x00\x01\x00\x00\x00\x02so\x00\x00"},
		"Failure":         {answer: upstream.Failure(6, "so"), want: "so\x08\x00\x02\x00\x00\x00\x06\x00"},
		"Huge":            {answer: upstream.Huge(5), want: "\x00\x00\x00\x05abcde\x00"},
		"Slowly":          {answer: upstream.Slowly(1, 3, nil), want: "sample\x00"},
		"CloseUnasked":    {answer: upstream.CloseUnasked, none: true},
		"CloseUnanswered": {answer: upstream.CloseUnanswered, none: true},
		"CloseAfter":      {answer: upstream.CloseAfter(20, nil), none: true},
	} {
		t.Run(outcome, func(t *testing.T) {
			call := dial(t, s)
			s.Next("getServerVersion", c.answer)
			m := call("getServerVersion")
			if (m == nil) != c.none || m != nil && !strings.HasSuffix(string(m.Bytes), c.want) {
				t.Errorf("answered %+v, want %q", m, c.want)
			}
		})
	}
}

func TestMain_Process(t *testing.T) {
	in, stop := io.Pipe()
	out, printed := io.Pipe()
	exited := make(chan int)
	go func() { exited <- upstream.Main([]string{"-password", "other"}, in, printed, io.Discard) }()
	address := make([]byte, 64)
	n, err := out.Read(address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", strings.TrimSpace(string(address[:n])))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	stop.Close()
	if code := <-exited; code != 0 {
		t.Errorf("it exited with %d", code)
	}
	if code := upstream.Main([]string{"-nonsense"}, in, printed, io.Discard); code != 2 {
		t.Errorf("an unknown flag exits with %d", code)
	}
}
