package relay_test

import (
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Rule 3: a call that waits while its right is lost, or its session ends, does not
// go out when its turn has come.
func TestRelay_RightLostMeanwhile(t *testing.T) {
	ends := func(w *world) { w.table.Revoke("ann") }
	loses := func(left string) func(*world) {
		return func(w *world) { w.table.Apply(w.snapshot("ann", left)) }
	}
	for outcome, c := range map[string]struct {
		method string
		staged bool // it is made in a transaction that has written
		loses  func(*world)
		want   account.Kind
	}{
		"Write":       {"setKeyValueRecord", false, loses("default:READ other:WRITE"), account.KindNotPermitted},
		"Read":        {"selectKeyRecord", false, loses("other:WRITE"), account.KindNotPermitted},
		"Stage":       {"stage", false, loses("other:WRITE"), account.KindNotPermitted},
		"Ended":       {"setKeyValueRecord", false, ends, account.KindNotAuthenticated},
		"ReadEnded":   {"ping", false, ends, account.KindNotAuthenticated},
		"WriteInTx":   {"setKeyValueRecord", true, loses("default:READ"), account.KindNotPermitted},
		"ReadInTx":    {"selectKeyRecord", true, loses("default:READ"), account.KindNotPermitted},
		"CommitEnded": {"commit", true, ends, account.KindNotAuthenticated},
		"Commit":      {"commit", true, loses("default:READ"), account.KindNotPermitted},
		"AbortGoes":   {"abort", true, loses(""), 0},
		"KeepsOn":     {"setKeyValueRecord", true, loses("default:WRITE"), 0},
		"ReadKeepsOn": {"selectKeyRecord", false, loses("default:READ"), 0},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = 1, time.Minute })
			ann, bob := w.login("ann", "default:WRITE"), w.login("bob", "default:READ")
			ann.do("ping", read)
			bob.do("ping", read)
			in := read
			if c.staged {
				in.transaction = ann.stage("default")
				ann.do("setKeyValueRecord", in)
			}
			w.server.Forget()
			released, busy, waited := make(chan struct{}), make(chan error, 1), make(chan error, 1)
			w.server.Next("ping", upstream.Until(released, nil))
			bob.goCall(busy, "ping", read)
			hosttest.Await(t, "the connection is in use", func() bool { return len(w.server.Calls("ping")) == 1 })
			ann.goCall(waited, c.method, in)
			hosttest.Await(t, "the call waits for it", func() bool { return w.Waiting() == 1 })
			w.server.Forget()
			w.unheard(func() { c.loses(w) })
			close(released)
			if err := <-busy; err != nil {
				t.Error(err)
			}
			err := <-waited
			if account.KindOf(err) != c.want {
				t.Errorf("it is answered %v", err)
			}
			if n := len(w.server.Calls(c.method)); c.method != "abort" && n != 0 != (err == nil) {
				t.Errorf("it went upstream %d times", n)
			}
			if err != nil {
				hosttest.Await(t, "its transaction is aborted", func() bool { return len(w.server.Transactions()) == 0 && ann.shown() == "" })
			}
		})
	}
}
