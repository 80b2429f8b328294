package relay_test

import (
	"io"
	"net"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// BenchmarkCall measures what a relayed call takes beside its floor: the same call
// straight to the upstream.
func BenchmarkCall(b *testing.B) {
	relayed := func(b *testing.B, w *world, k *client) func() {
		method, encoded := request("selectKeyRecord", k.token[:], call{environment: "default"})
		r := message.NewReader(&again{message: encoded}, 1<<20)
		return func() {
			m, err := r.Read()
			if err != nil {
				b.Fatal(err)
			}
			token, _ := m.Field(method.Token, thrift.STRUCT)
			c := relay.Call{Session: k.Session, Method: method, Message: m, Token: token, Environment: "default", Reply: io.Discard}
			if err := w.Relay.Relay(b.Context(), &c); err != nil {
				b.Fatal(err)
			}
		}
	}
	direct := func(b *testing.B, w *world, token []byte) func() {
		n, err := net.Dial("tcp", w.server.Address())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { n.Close() })
		_, encoded := request("selectKeyRecord", token, call{environment: "default"})
		r := message.NewReader(n, 1<<20)
		return func() {
			if _, err := n.Write(encoded); err != nil {
				b.Fatal(err)
			}
			if _, err := r.Read(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for name, parallel := range map[string]int{"alone": 0, "crowd=32": 16} {
		b.Run(name+"/direct", func(b *testing.B) {
			w := newQuietWorld(b)
			k := w.login("ann", "default:READ")
			staged := k.stage("default")
			token := w.server.Transactions()[0].Token
			spread(b, parallel, func() func() { return direct(b, w, token) })
			k.do("abort", call{environment: "default", transaction: staged})
		})
		b.Run(name+"/relayed", func(b *testing.B) {
			w := newQuietWorld(b)
			k := w.login("ann", "default:READ")
			spread(b, parallel, func() func() { return relayed(b, w, k) })
		})
	}
}

// spread runs the call alone, or by so many for each processor at once.
func spread(b *testing.B, parallel int, caller func() func()) {
	b.ReportAllocs()
	if parallel == 0 {
		do := caller()
		for b.Loop() {
			do()
		}
		return
	}
	b.SetParallelism(parallel)
	b.RunParallel(func(p *testing.PB) {
		do := caller()
		for p.Next() {
			do()
		}
	})
}

// again is a client that sends the same message again and again.
type again struct {
	message []byte
	at      int
}

func (a *again) Read(p []byte) (int, error) {
	if a.at == len(a.message) {
		a.at = 0
	}
	n := copy(p, a.message[a.at:])
	a.at += n
	return n, nil
}
