package message_test

import (
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// again gives the same message again and again, one at a time, as a client that
// waits for its answers sends them.
type again struct {
	whole []byte
	at    int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.whole[a.at:])
	if a.at += n; a.at == len(a.whole) {
		a.at = 0
	}
	return n, nil
}

// BenchmarkRead reads requests of either size.
func BenchmarkRead(b *testing.B) {
	call := driver.Call{Token: token, Environment: &environment}
	small, err := driver.Options{}.Request("getKeyRecord", 1, call)
	if err != nil {
		b.Fatal(err)
	}
	call.Args = []driver.Arg{{ID: 1, Value: strings.Repeat("x", mib)}}
	large, err := driver.Options{}.Request("insertJson", 1, call)
	if err != nil {
		b.Fatal(err)
	}
	w := newWriter(true) // as many values as fit, each looked at by itself
	w.WriteMessageBegin(ctx, "core:get", thrift.REPLY, 1)
	w.WriteFieldBegin(ctx, "", thrift.LIST, 0)
	w.WriteListBegin(ctx, thrift.STRING, mib/8)
	for range mib / 8 {
		w.WriteString(ctx, "text")
	}
	w.WriteFieldStop(ctx)
	for _, c := range []struct {
		name  string
		whole []byte
	}{{"small", small}, {"size=1MiB", large}, {"size=1MiB,values=131072", w.buffer.Bytes()}} {
		b.Run(c.name, func(b *testing.B) {
			r := message.NewReader(&again{whole: c.whole}, 2*mib)
			b.SetBytes(int64(len(c.whole)))
			b.ReportAllocs()
			for b.Loop() {
				if m, err := r.Read(); err != nil || len(m.Bytes) != len(c.whole) {
					b.Fatal(m, err)
				}
			}
		})
	}
}

// A small request costs no allocation.
func TestReadAllocatesNothing(t *testing.T) {
	small := simple(true, "core:ping", thrift.CALL, 1, "text")
	r := message.NewReader(&again{whole: small}, mib)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
