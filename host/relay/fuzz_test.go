package relay_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// What stands for a token, and for a timestamp, in what is fuzzed.
var (
	tokenMark     = bytes.Repeat([]byte("T"), 32)
	timestampMark = []byte("MICROSEC")
)

// Whatever a hostile upstream answers to stage or to any other call: no panic, no
// token of the upstream's to the client, and no answer that is not to the call.
func FuzzAnswer(f *testing.F) {
	reply := func(name string, fields ...byte) []byte {
		b := append([]byte("\x80\x01\x00\x02\x00\x00\x00"), byte(len(name)))
		return append(append(append(b, name...), 0, 0, 0, 0), fields...)
	}
	staged := append([]byte{thrift.STRUCT, 0, 0}, message.AppendTransactionToken(nil, tokenMark, 7)...)
	other := append([]byte{thrift.STRUCT, 0, 4}, message.AppendAccessToken(nil, tokenMark)...)
	for _, stage := range []bool{true, false} {
		f.Add(stage, reply("stage", append(staged, 0)...))
		f.Add(stage, reply("stage", append(append(bytes.Clone(staged), other...), 0)...))
		f.Add(stage, reply("stage", append(append(bytes.Clone(other), staged...), 0)...))
		f.Add(stage, reply("ping", thrift.BOOL, 0, 0, 1, 0))
		f.Add(stage, reply("ping", append(append([]byte{thrift.STRING, 0, 0, 0, 0, 0, 32}, tokenMark...), 0)...))
		f.Add(stage, bytes.Replace(reply("ping", append(append([]byte{thrift.STRING, 0, 1, 0, 0, 0, 32}, tokenMark...), 0)...), []byte{2}, []byte{3}, 1))
		f.Add(stage, reply("ping", append([]byte("\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x14Invalid access token\x00"), 0)...))
	}
	w := newWorld(f)
	w.leaves = true // what a hostile upstream said was open
	k := w.login("ann", "default:WRITE")
	f.Fuzz(func(t *testing.T, stage bool, raw []byte) {
		w.TB = t
		defer func() { w.TB = f }()
		// The connection of the answer before may just be closing.
		for _, err := k.call("time", read); err != nil; _, err = k.call("time", read) {
			if err != relay.ErrUnknown {
				t.Fatal(err)
			}
		}
		calls := w.server.Calls("time")
		token := calls[len(calls)-1].Token
		w.server.Forget()
		name := "ping"
		if stage {
			name = "stage"
		}
		raw = bytes.ReplaceAll(raw, tokenMark, token)
		w.server.Next(name, upstream.CloseAfter(len(raw), upstream.Raw(raw)))
		answer, err := k.call(name, read)
		w.server.Forget()
		w.Disconnected(k.Session)
		switch {
		case bytes.Contains(answer, token):
			t.Errorf("the client was told the upstream's token: %q", answer)
		case err != nil && err != relay.ErrUnknown && account.KindOf(err) != account.KindUnavailable:
			t.Errorf("the call = %v", err)
		case err != nil && len(answer) > 0:
			t.Errorf("a call that was refused wrote %q", answer)
		case err == nil:
			m, err := message.NewReader(bytes.NewReader(answer), 1<<30).Read()
			if err != nil || string(m.Name) != name || m.SeqID != 0 {
				t.Errorf("the client was answered %q: %v", answer, err)
			}
		}
	})
}

// Whatever a hostile client sends that is a message at all: its own token does not
// go upstream in the place of one, nor as part of a transaction, and all else goes
// as it came.
func FuzzRequest(f *testing.F) {
	mark := &transaction{tokenMark, int64(binary.BigEndian.Uint64(timestampMark))}
	for _, name := range []string{"ping", "core:setKeyValueRecord", "calculate:sumKey", "stage", "commit", "abort", "getServerVersion"} {
		for _, c := range []call{{environment: "default"}, {environment: "default", transaction: mark}, {}} {
			_, encoded := request(name, tokenMark, c)
			f.Add(encoded)
			_, twice := request(name, tokenMark, call{environment: "default", transaction: mark, tail: encoded[max(len(encoded)-40, 0) : len(encoded)-1]})
			f.Add(twice)
		}
	}
	w := newWorld(f)
	w.leaves = true
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	f.Fuzz(func(t *testing.T, encoded []byte) {
		w.TB = t
		defer func() { w.TB = f }()
		if len(w.server.Transactions()) == 0 {
			staged = k.stage("default")
		}
		encoded = bytes.ReplaceAll(encoded, tokenMark, k.token[:])
		encoded = bytes.ReplaceAll(encoded, timestampMark, binary.BigEndian.AppendUint64(nil, uint64(staged.timestamp)))
		m, err := message.NewReader(bytes.NewReader(encoded), 1<<20).Read()
		if err != nil || m.Kind != thrift.CALL {
			return
		}
		method, _ := methods.Lookup(string(m.Name))
		if method == nil || method.Name == "login" || method.Name == "logout" || method.Name == "invokeManagement" {
			return
		}
		c := &relay.Call{Method: method, Message: m, Environment: "default", Reply: io.Discard}
		if method.Token != 0 {
			// As host/thrift and the gate take it: the token is the session's.
			if c.Token, err = m.Field(method.Token, thrift.STRUCT); err != nil || c.Token == nil {
				return
			}
			if data, err := message.AccessToken(m.Value(c.Token)); err != nil || !bytes.Equal(data, k.token[:]) {
				return
			}
			c.Session = k.Session
		}
		if method.Transaction != 0 {
			if c.Transaction, err = m.Field(method.Transaction, thrift.STRUCT); err != nil {
				return
			}
		}
		w.server.Forget()
		err = k.Relay.Relay(t.Context(), c)
		if err != nil && err != relay.ErrTransaction {
			t.Errorf("the call = %v", err)
		}
		for _, got := range w.server.Calls(method.Name) {
			sent, err := message.NewReader(bytes.NewReader(got.Bytes), 1<<20).Read()
			if err != nil || len(sent.Fields) != len(m.Fields) || string(sent.Name) != string(m.Name) || sent.SeqID != m.SeqID {
				t.Fatalf("%q went upstream as %q: %v", encoded, got.Bytes, err)
			}
			for i := range sent.Fields {
				was, is := &m.Fields[i], &sent.Fields[i]
				replaced := method.Token != 0 && (is.ID == method.Token || is.ID == method.Transaction)
				switch {
				case was.ID != is.ID || was.Type != is.Type:
					t.Errorf("a field is another: %q, %q", encoded, got.Bytes)
				case !replaced && !bytes.Equal(m.Value(was), sent.Value(is)):
					t.Errorf("field %d went as %q, was %q", is.ID, sent.Value(is), m.Value(was))
				case replaced && bytes.Contains(sent.Value(is), k.token[:]):
					t.Errorf("the client's token went upstream in field %d", is.ID)
				}
			}
		}
	})
}
