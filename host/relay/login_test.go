package relay_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.login("ann", "default:READ"), w.login("bob", "default:READ")
	if len(w.server.Calls()) != 0 || w.server.Connections() != 0 {
		t.Error("sessions that have not called cost something upstream")
	}
	released := make(chan struct{})
	w.server.Next("login", upstream.Until(released, nil))
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if _, err := ann.call("ping", call{environment: "default"}); err != nil {
				t.Error(err)
			}
		})
	}
	hosttest.Await(t, "a login is under way", func() bool { return len(w.server.Calls("login")) == 1 })
	close(released)
	calls.Wait()
	bob.do("ping", call{environment: "default"})
	if n := len(w.server.Calls("login")); n != 2 || w.Figures().Logins != 2 {
		t.Errorf("%d logins for two sessions; %+v", n, w.Figures())
	}
	tokens := map[string]bool{}
	for _, c := range w.server.Calls("ping") {
		tokens[string(c.Token)] = true
	}
	if len(tokens) != 2 {
		t.Errorf("%d tokens were shown for two sessions", len(tokens))
	}
}

// Calls without a token take no login.
func TestLogin_NotNeeded(t *testing.T) {
	w := newWorld(t)
	w.login("ann", "").do("getServerVersion", call{})
	if n := len(w.server.Calls("login")); n != 0 {
		t.Errorf("%d logins", n)
	}
}

func TestRelogin(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	k.do("ping", call{environment: "default"})
	w.server.ExpireTokens()
	w.server.Forget()
	var calls sync.WaitGroup
	for range 10 {
		calls.Go(func() {
			if _, err := k.call("setKeyValueRecord", call{environment: "default"}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := len(w.server.Calls("login")); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	if n := len(w.server.Calls("setKeyValueRecord")); n < 11 || n > 20 {
		t.Errorf("%d calls were made, want each once more at most", n)
	}
}

// A call that ends does not wait for the login that it began, which the next one
// has the good of.
func TestLogin_CallEnds(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	released := make(chan struct{})
	w.server.Next("login", upstream.Until(released, nil))
	for range 2 { // the one that began it, and one that joined
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		k.goCall(result, "ping", call{environment: "default", ctx: ctx})
		hosttest.Await(t, "the login is under way", func() bool { return len(w.server.Calls("login")) == 1 })
		cancel()
		if err := <-result; account.KindOf(err) != account.KindUnavailable {
			t.Errorf("ping = %v, want that it is unavailable", err)
		}
	}
	close(released)
	k.do("ping", read)
	if n := len(w.server.Calls("login")); n != 1 || len(w.server.Calls("ping")) != 1 {
		t.Errorf("%d logins and %d pings, want 1 of both", n, len(w.server.Calls("ping")))
	}
}

// One repeat, and no more.
func TestRelogin_Once(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	w.server.Always("setKeyValueRecord", upstream.Exception(1, "Invalid access token"))
	k.wantsKind(account.KindUnavailable, "setKeyValueRecord", call{environment: "default"})
	if calls, logins := len(w.server.Calls("setKeyValueRecord")), len(w.server.Calls("login")); calls != 2 || logins != 2 {
		t.Errorf("%d calls and %d logins, want 2 of both", calls, logins)
	}
	w.leaves = true // the stand-in still knows the first token, which it called unknown
}

func TestLogin_ErrRefused(t *testing.T) {
	w := newWorld(t)
	w.server.SetPassword("another")
	clients := []*client{w.login("ann", "default:READ"), w.login("bob", "default:READ")}
	for i := range 20 {
		err := clients[i%2].wantsKind(account.KindUnavailable, "ping", call{environment: "default"})
		if !strings.Contains(err.Error(), "upstream.password") {
			t.Errorf("the refusal does not help: %v", err)
		}
	}
	if n := len(w.server.Calls("login")); n > 3 || w.log.count("refuses the host's account") > 3 {
		t.Errorf("%d logins were tried, of 20 calls:\n%s", n, w.log)
	}
	if !strings.Contains(w.log.String(), "Invalid username/password combination.") {
		t.Errorf("the log does not say why:\n%s", w.log)
	}
	w.server.SetPassword(upstream.Password)
	hosttest.Await(t, "the account is tried again", func() bool {
		_, err := clients[0].call("ping", call{environment: "default"})
		return err == nil
	})
	clients[1].do("ping", call{environment: "default"})
}

// A login that hangs after a refusal keeps the others out for a moment only, and
// not with the words of the refusal.
func TestLogin_HangsAfterRefusal(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.login("ann", "default:READ"), w.login("bob", "default:READ")
	w.server.Next("login", upstream.Exception(1, "Not yet"), upstream.Hang)
	ann.wantsKind(account.KindUnavailable, "ping", read)
	var hung chan error
	tried := func() bool { return len(w.server.Calls("login")) == 2 }
	for !tried() {
		hung = make(chan error, 1)
		ann.goCall(hung, "ping", read)
		hosttest.Await(t, "it is tried, or too early", func() bool { return tried() || len(hung) == 1 })
	}
	if err := bob.wantsKind(account.KindUnavailable, "ping", read); err != nil && !strings.Contains(err.Error(), "is being asked again") {
		t.Errorf("meanwhile another is refused: %v", err)
	}
	if err := <-hung; account.KindOf(err) != account.KindUnavailable {
		t.Errorf("the call whose login hung = %v", err)
	}
	bob.do("ping", read)
	ann.do("ping", read)
}

func TestLogin_Garbage(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	for outcome, a := range map[string]upstream.Answer{
		"Nothing":    upstream.Raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")),
		"NoToken":    upstream.Result([]byte{0x0c, 0, 0, 0, 0}),
		"EmptyToken": upstream.Result([]byte{0x0c, 0, 0, 0x0b, 0, 1, 0, 0, 0, 0, 0, 0}),
		"OfAnother":  upstream.Result([]byte{0x0b, 0, 0, 0, 0, 0, 0, 0}),
		"Closed":     upstream.CloseUnasked,
		"Huge":       upstream.Huge(1 << 20),
	} {
		t.Run(outcome, func(t *testing.T) {
			w.server.Next("login", a)
			k.wantsKind(account.KindUnavailable, "ping", call{environment: "default"})
			k.do("ping", call{environment: "default"})
			w.server.ExpireTokens()
		})
	}
}

// A session that ends while it is logged in upstream leaves no login there.
func TestLogin_SessionEndsMeanwhile(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	released := make(chan struct{})
	w.server.Next("login", upstream.Until(released, nil))
	result := make(chan error)
	go func() {
		_, err := k.call("ping", call{environment: "default"})
		result <- err
	}()
	hosttest.Await(t, "the login is under way", func() bool { return len(w.server.Calls("login")) == 1 })
	w.table.End(k.ID(), session.Disconnected)
	close(released)
	if err := <-result; account.KindOf(err) != account.KindNotAuthenticated {
		t.Errorf("ping = %v, want that the session has ended", err)
	}
	hosttest.Await(t, "it is logged out", func() bool { return w.server.Tokens() == 0 })
	if len(w.server.Calls("ping")) != 0 {
		t.Error("the call was made")
	}
}

func TestDefaultEnvironment(t *testing.T) {
	unnamed := call{}
	t.Run("Same", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:WRITE")
		k.do("ping", call{environment: "default"})
		if len(w.server.Calls("getServerEnvironment")) != 0 {
			t.Error("the default was asked for before it mattered")
		}
		k.do("ping", unnamed)
		k.do("ping", unnamed)
		w.server.ExpireTokens()
		k.do("ping", unnamed)
		if n := len(w.server.Calls("getServerEnvironment")); n != 2 {
			t.Errorf("it was asked for %d times, want once a login", n)
		}
	})
	t.Run("ErrOther", func(t *testing.T) {
		w := newWorld(t)
		w.server.SetDefaultEnvironment("main")
		k := w.login("ann", "default:WRITE")
		for range 2 {
			err := k.wantsKind(account.KindUnavailable, "setKeyValueRecord", unnamed)
			if !strings.Contains(err.Error(), "'default'") || !strings.Contains(err.Error(), "'main'") {
				t.Errorf("the refusal does not name both: %v", err)
			}
		}
		k.wantsKind(account.KindUnavailable, "stage", unnamed)
		k.do("setKeyValueRecord", call{environment: "default"})
		if n := w.log.count("another default environment"); n != 1 {
			t.Errorf("the log says so %d times", n)
		}
	})
	t.Run("ChangesAtARestart", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:WRITE")
		k.do("ping", unnamed)
		w.server.Kill()
		w.server.SetDefaultEnvironment("main")
		if err := w.server.Revive(); err != nil {
			t.Fatal(err)
		}
		k.do("ping", call{environment: "default"})
		k.wantsKind(account.KindUnavailable, "ping", unnamed)
	})
	t.Run("NotKnownThere", func(t *testing.T) {
		w := newWorld(t)
		w.server.Always("getServerEnvironment", upstream.Failure(1, "Invalid method name: 'getServerEnvironment'"))
		w.login("ann", "default:WRITE").do("ping", unnamed)
		w.login("bob", "default:WRITE").do("ping", unnamed)
		if n := w.log.count("cannot say which environment"); n != 1 {
			t.Errorf("the log warns %d times", n)
		}
	})
	t.Run("ErrNotSaidInTime", func(t *testing.T) {
		w := newWorld(t, func(o *relay.Options) { o.AnswerTimeout, o.ReplyTimeout = 500*time.Millisecond, time.Minute })
		k := w.login("ann", "default:WRITE")
		k.do("ping", read)
		w.server.Next("getServerEnvironment", upstream.Hang)
		began := time.Now()
		k.wantsKind(account.KindUnavailable, "setKeyValueRecord", unnamed)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if len(w.server.Calls("setKeyValueRecord")) != 0 {
			t.Error("the call went upstream")
		}
	})
	t.Run("ErrNotSaid", func(t *testing.T) {
		w := newWorld(t)
		k := w.login("ann", "default:WRITE")
		w.server.Next("getServerEnvironment", upstream.Failure(6, "Internal error"), upstream.Exception(3, "Insufficient Permission"), upstream.CloseUnasked)
		for range 3 {
			k.wantsKind(account.KindUnavailable, "ping", unnamed)
		}
		k.do("ping", unnamed)
	})
}

// A session that never called costs the relay nothing, and one that did little.
func TestLogin_Memory(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections = 4 })
	const many = 3000
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = w.login("user", "default:READ")
	}
	w.server.Forget()
	before := heap()
	for _, k := range clients {
		k.do("ping", call{environment: "default"})
	}
	w.server.Forget()
	each := (int64(heap()) - int64(before)) / many
	t.Logf("%d bytes a session, with what the stand-in holds of it", each)
	if each > 1024 {
		t.Errorf("a session that has called costs %d bytes", each)
	}
	w.table.Disconnect("user")
}
