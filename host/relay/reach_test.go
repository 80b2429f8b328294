package relay_test

import (
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

// An upstream that takes connections, and does not answer, is told of once, with
// the reason; that it is back, when it has answered.
func TestReach(t *testing.T) {
	for outcome, c := range map[string]struct {
		answer upstream.Answer
		why    string
	}{
		"Hangs":      {upstream.Hang, `error="there was none within 500ms"`},
		"Closed":     {upstream.CloseUnasked, `error="the connection was closed instead"`},
		"HTTP":       {upstream.Raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), `error="not a message of Thrift's binary protocol"`},
		"OtherCall":  {upstream.OtherSeqID, `error="the data server's answer is none to the call"`},
		"NoToken":    {upstream.Result([]byte("\x0c\x00\x00\x00\x00")), `error="the data server's answer is none to the call"`},
		"OtherTypes": {upstream.Result([]byte("\x02\x00\x00\x01\x00")), `error="the data server's answer is none to the call"`},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t, func(o *relay.Options) { o.AnswerTimeout = 500 * time.Millisecond })
			if outcome == "OtherCall" {
				w.leaves = true // a login that nobody knows of
			}
			k := w.login("ann", "default:READ")
			w.server.Always("login", c.answer)
			began := time.Now()
			for range 3 {
				k.wantsKind(account.KindUnavailable, "ping", read)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("three calls took %v", took)
			}
			said := "the data server does not answer as it should: address=" + w.server.Address() + " asked=login " + c.why + "\n"
			if w.log.count(said) != 1 || w.log.count("\n") != 1 {
				t.Errorf("the log has\n%s, want one line with %s", w.log, said)
			}
			w.server.Always("login", nil)
			hosttest.Await(t, "the call is answered", func() bool {
				_, err := k.call("ping", read)
				return err == nil
			})
			if w.log.count("the data server can be reached again: address="+w.server.Address()+"\n") != 1 {
				t.Errorf("the log has\n%s", w.log)
			}
		})
	}
}
