package relay_test

import (
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestIsOwn(t *testing.T) {
	w := newWorld(t)
	w.login("ann", "default:READ").do("ping", read)
	own := w.server.Calls("login")[0].SeqID
	for _, c := range []struct {
		username string
		seqID    int32
		want     bool
	}{
		{upstream.Username, own, true},
		{upstream.Username, 0, false},
		{upstream.Username, 1, false},
		{upstream.Username, own - 1, false},
		{"ann", own, false},
	} {
		if got := w.IsOwn([]byte(c.username), c.seqID); got != c.want {
			t.Errorf("a login of %s with the id %d: %t, want %t", c.username, c.seqID, got, c.want)
		}
	}
}

// A host that has found itself behind its upstream's address passes nothing on
// to it, not even what takes no login.
func TestItself(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	w.server.Always("login", upstream.Failure(thrift.INTERNAL_ERROR, relay.Itself))
	for _, method := range []string{"ping", "getServerVersion"} {
		if err := k.wantsKind(account.KindUnavailable, method, read); err != nil && !strings.Contains(err.Error(), "upstream.address leads back to the host itself") {
			t.Errorf("%s is refused: %v", method, err)
		}
		if n := len(w.server.Calls(method)); n != 0 {
			t.Errorf("%s was made %d times", method, n)
		}
	}
	if w.log.count("[ERROR] the setting upstream.address leads back to this host") != 1 {
		t.Errorf("the log has\n%s", w.log)
	}
	w.server.Always("login", nil)
	hosttest.Await(t, "the call is answered", func() bool {
		_, err := k.call("ping", read)
		return err == nil
	})
	k.do("getServerVersion", call{})
}
