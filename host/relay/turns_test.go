package relay_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/shared/account"
)

// One account's aborts that hang do not keep another's waiting.
func TestTurns(t *testing.T) {
	w := newWorld(t)
	bob := w.login("bob", "default:READ")
	his := bob.stage("default").timestamp
	var anns []*client
	for range 20 {
		k := w.login("ann", "default:READ")
		k.stage("default")
		anns = append(anns, k)
	}
	released := make(chan struct{})
	w.server.Always("abort", func(c *upstream.Call, to io.Writer) error {
		if c.Timestamp == his {
			return upstream.Usual(c, to)
		}
		return upstream.Until(released, nil)(c, to)
	})
	for _, k := range anns {
		w.Disconnected(k.Session)
	}
	hosttest.Await(t, "hers hang", func() bool { return len(w.server.Calls("abort")) == 2 })
	began := time.Now()
	w.table.Revoke("bob")
	hosttest.Await(t, "his is aborted", func() bool {
		for _, x := range w.server.Transactions() {
			if x.Timestamp == his {
				return false
			}
		}
		return true
	})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it was aborted after %v", took)
	}
	if n := len(w.server.Calls("abort")); n != 3 {
		t.Errorf("%d aborts were asked for, want 2 of hers and his", n)
	}
	close(released)
	hosttest.Await(t, "all are aborted", func() bool { return len(w.server.Transactions()) == 0 })
}

// What a session has given up and is not aborted yet counts as open: staging,
// closing the connection and staging again makes no heap of it.
func TestStage_TooManyToAbort(t *testing.T) {
	const most = 32
	full := func(t *testing.T, w *world, k *client) {
		t.Helper()
		for range most {
			k.stage("default")
		}
		w.Disconnected(k.Session)
		hosttest.Await(t, "they are being aborted", func() bool { return len(w.server.Calls("abort")) > 0 })
		err := k.wantsKind(account.KindUnavailable, "stage", read)
		if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("of which %d are about to be aborted", most)) {
			t.Errorf("the refusal is %v", err)
		}
		if n := len(w.server.Calls("stage")); n != most {
			t.Errorf("%d were staged, want %d", n, most)
		}
	}
	again := func(t *testing.T, k *client) {
		t.Helper()
		hosttest.Await(t, "it may stage again", func() bool {
			_, err := k.call("stage", read)
			return err == nil
		})
	}
	t.Run("Settled", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:READ")
		released := make(chan struct{})
		w.server.Always("abort", upstream.Until(released, nil))
		full(t, w, k)
		close(released)
		again(t, k)
	})
	t.Run("GivenUp", func(t *testing.T) {
		w := newWorld(t)
		w.leaves = true
		w.SetPatience(4 * time.Second)
		k := w.login("ann", "default:READ")
		w.server.Always("abort", upstream.CloseUnasked)
		full(t, w, k)
		again(t, k)
		w.server.Always("abort", nil)
	})
}
