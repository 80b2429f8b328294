package relay_test

import (
	"io"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Rule 9: what the upstream says is neither logged nor told if a secret is in it.
func TestWords(t *testing.T) {
	const leftOut = "(left out, for a secret is in it)"
	for outcome, refusal := range map[string]upstream.Answer{
		"Refused": upstream.Exception(1, "the password "+upstream.Password+" is wrong"),
		"Failed":  upstream.Failure(6, "no user with "+upstream.Password),
	} {
		t.Run("Login/"+outcome, func(t *testing.T) {
			w := newWorld(t)
			w.server.Next("login", refusal)
			w.login("ann", "default:READ").wantsKind(account.KindUnavailable, "ping", read)
			if s := w.log.String(); strings.Contains(s, upstream.Password) || !strings.Contains(s, leftOut) {
				t.Errorf("the log has the password, or does not say that a text was left out:\n%s", s)
			}
		})
	}
	security := func(text func(token []byte) string) upstream.Answer {
		return func(c *upstream.Call, to io.Writer) error {
			return upstream.Exception(c.Method.Security, text(c.Token))(c, to)
		}
	}
	for outcome, a := range map[string]upstream.Answer{
		"Token":    security(func(token []byte) string { return "what is " + string(token) + "?" }),
		"Password": security(func([]byte) string { return "not " + upstream.Password }),
	} {
		t.Run("Call/"+outcome, func(t *testing.T) {
			w := newWorld(t)
			k := w.login("ann", "default:READ")
			w.server.Next("ping", a)
			if err := k.wantsKind(account.KindUnavailable, "ping", read); err == nil || !strings.Contains(err.Error(), leftOut) {
				t.Errorf("the refusal is %v", err)
			}
		})
	}
	t.Run("DefaultEnvironment", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:READ")
		w.server.Next("getServerEnvironment", func(c *upstream.Call, to io.Writer) error {
			name := []byte(upstream.Password)
			return upstream.Result(append(append([]byte{0x0b, 0, 0, 0, 0, 0, byte(len(name))}, name...), 0))(c, to)
		})
		if err := k.wantsKind(account.KindUnavailable, "ping", call{}); err == nil || !strings.Contains(err.Error(), leftOut) {
			t.Errorf("the refusal is %v", err)
		}
		if s := w.log.String(); strings.Contains(s, upstream.Password) {
			t.Errorf("the log has the password:\n%s", s)
		}
	})
	t.Run("Others", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:READ")
		w.server.Next("ping", security(func([]byte) string { return "no\x1b[2J" }))
		if err := k.wantsKind(account.KindUnavailable, "ping", read); err == nil || !strings.HasSuffix(err.Error(), `for its security: no\u001b[2J`) {
			t.Errorf("the refusal is %v", err)
		}
	})
}
