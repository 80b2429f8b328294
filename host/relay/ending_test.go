package relay_test

import (
	"context"
	"io"
	"runtime"
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

// Rule 3: whatever ends a session, its transactions are aborted, and then it is
// logged out.
func TestSessionEnded(t *testing.T) {
	for _, cause := range session.Causes() {
		t.Run(cause.String(), func(t *testing.T) {
			w := newWorld(t)
			k, other := w.login("ann", "default:WRITE other:READ"), w.login("bob", "default:READ")
			k.stage("default")
			k.stage("other")
			his := other.stage("default")
			w.table.End(k.ID(), cause)
			hosttest.Await(t, "nothing is left upstream but another's", func() bool {
				return len(w.server.Transactions()) == 1 && w.server.Tokens() == 1
			})
			var did []string
			for _, c := range w.server.Calls("abort", "logout") {
				did = append(did, c.Method.Name+" "+c.Environment)
			}
			if got := strings.Join(did, ", "); got != "abort default, abort other, logout default" {
				t.Errorf("upstream came: %s", got)
			}
			k.wantsKind(account.KindNotAuthenticated, "ping", call{environment: "default"})
			other.do("commit", call{environment: "default", transaction: his})
		})
	}
}

// A session that is busy ends over another connection, and what its call begins
// meanwhile ends with it.
func TestSessionEnded_Busy(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	if err := k.during("selectKeyRecord", call{environment: "default", transaction: staged}, func() {
		w.table.End(k.ID(), session.Disconnected)
		hosttest.Await(t, "it is aborted and logged out", func() bool {
			return len(w.server.Transactions()) == 0 && w.server.Tokens() == 0
		})
	}); err != nil && account.KindOf(err) != account.KindNotAuthenticated {
		t.Error(err)
	}
	w.server.Forget()
	k = w.login("ann", "default:WRITE")
	k.do("ping", call{environment: "default"})
	if err := k.during("stage", call{environment: "default"}, func() { w.table.Revoke("ann") }); account.KindOf(err) != account.KindNotAuthenticated {
		t.Errorf("stage = %v, want that the session has ended", err)
	}
	hosttest.Await(t, "what it began is aborted", func() bool {
		return len(w.server.Transactions()) == 0 && w.server.Tokens() == 0 && len(w.server.Calls("abort")) > 0
	})
}

// A login upstream that is good no more keeps no transaction open.
func TestSessionEnded_TokenExpired(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	k.stage("default")
	k.stage("default")
	w.server.ExpireTokens()
	w.table.End(k.ID(), session.Idle)
	hosttest.Await(t, "both are aborted and nothing is left", func() bool {
		return len(w.server.Transactions()) == 0 && w.server.Tokens() == 0
	})
	if n := len(w.server.Calls("login")); n != 2 {
		t.Errorf("%d logins, want the session's and one for its end", n)
	}
}

// The upstream comes back before it is given up.
func TestSessionEnded_UpstreamAway(t *testing.T) {
	w := newWorld(t)
	var sessions []*client
	for range 20 {
		k := w.login("ann", "default:WRITE")
		k.stage("default")
		sessions = append(sessions, k)
	}
	w.server.Always("", upstream.CloseUnasked)
	for _, k := range sessions {
		w.table.End(k.ID(), session.LoggedOut)
	}
	hosttest.Await(t, "it was tried more than once", func() bool { return len(w.server.Calls("abort")) > 30 })
	w.server.Always("", nil)
	hosttest.Await(t, "nothing is left", func() bool { return len(w.server.Transactions()) == 0 && w.server.Tokens() == 0 })
}

// An upstream that stays away is given up, in one line for all.
func TestSessionEnded_ErrUpstreamStaysAway(t *testing.T) {
	w := newWorld(t)
	w.leaves = true
	w.SetPatience(500 * time.Millisecond)
	k, other := w.login("ann", "default:WRITE"), w.login("bob", "default:WRITE")
	for range 10 {
		k.stage("default")
	}
	other.stage("default")
	w.server.Kill()
	w.Disconnected(other.Session)
	w.table.End(k.ID(), session.LoggedOut)
	hosttest.Await(t, "it is given up", func() bool { return w.log.count("what ended sessions held") > 0 })
	if !strings.Contains(w.log.String(), "transactions=11 logins=1") || other.shown() != "" {
		t.Errorf("the sessions view shows %q, the log:\n%s", other.shown(), w.log)
	}
	if n := w.log.count("ERROR"); n != 2 {
		t.Errorf("%d lines say that the upstream is away and what was given up, want 2:\n%s", n, w.log)
	}
}

// A transaction that the upstream never aborts is given up, though it does all
// else.
func TestSessionEnded_ErrOneStays(t *testing.T) {
	w := newWorld(t)
	w.leaves = true
	w.SetPatience(time.Second)
	k, other := w.login("ann", "default:READ"), w.login("bob", "default:READ")
	stays := k.stage("default").timestamp
	w.server.Always("abort", func(c *upstream.Call, to io.Writer) error {
		if c.Timestamp == stays {
			return upstream.CloseUnasked(c, to)
		}
		return upstream.Usual(c, to)
	})
	w.Disconnected(k.Session)
	hosttest.Await(t, "it is given up", func() bool {
		other.stage("default")
		w.Disconnected(other.Session)
		hosttest.Await(t, "another one is aborted", func() bool { return len(w.server.Transactions()) == 1 })
		return w.log.count("transactions=1 logins=0") == 1
	})
	if k.shown() != "" {
		t.Errorf("the sessions view still shows %s", k.shown())
	}
	k.do("ping", read)
}

func TestSessionEnded_ThousandsAtOnce(t *testing.T) {
	const many = 10_000
	w := newWorld(t)
	var logins sync.WaitGroup
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = w.login("ann", "default:READ")
	}
	for part := range 4 {
		logins.Go(func() {
			for _, k := range clients[part*many/4 : (part+1)*many/4] {
				if _, err := k.call("stage", call{environment: "default"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	logins.Wait()
	w.server.Forget()
	before, most := runtime.NumGoroutine(), 0
	w.table.Disconnect("ann")
	hosttest.Await(t, "nothing is left", func() bool {
		most = max(most, runtime.NumGoroutine())
		return w.server.Tokens() == 0 && len(w.server.Transactions()) == 0
	})
	if most > before+2*8+10 { // workers, and the stand-in's side of their connections
		t.Errorf("from %d it came to %d goroutines", before, most)
	}
}

// Rule 3: whenever a session ends while it calls, nothing of it stays upstream.
func TestRule03_SessionEndsWhileItCalls(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 300 {
		k := w.login("ann", "default:WRITE")
		all.Go(func() {
			for {
				reply, err := k.call("stage", call{environment: "default"})
				switch account.KindOf(err) {
				case account.KindNotAuthenticated:
					return
				case account.KindUnavailable: // it has as many open as it may
					runtime.Gosched()
					continue
				}
				if err != nil || len(reply) == 0 {
					t.Errorf("stage = %v", err)
					return
				}
			}
		})
		all.Go(func() {
			for range i % 50 {
				runtime.Gosched()
			}
			w.table.End(k.ID(), session.Revoked)
		})
		if i%20 == 19 {
			all.Wait()
		}
	}
	all.Wait()
	hosttest.Await(t, "nothing is left", func() bool { return w.server.Tokens() == 0 && len(w.server.Transactions()) == 0 })
	if f := w.Figures(); f.Transactions != 0 {
		t.Errorf("%+v", f)
	}
}

func TestDisconnected(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	w.Disconnected(k.Session) // holds nothing
	in := call{environment: "default", transaction: k.stage("default")}
	k.stage("default")
	w.Disconnected(k.Session)
	hosttest.Await(t, "both are aborted", func() bool { return len(w.server.Transactions()) == 0 && k.shown() == "" })
	k.wants(relay.ErrTransaction, "commit", in)
	k.do("ping", call{environment: "default"}) // the session lives
	if n := len(w.server.Calls("login")); n != 1 || len(w.server.Calls("logout")) != 0 {
		t.Errorf("%d logins, want that the one stays", n)
	}
}

// A client that went before it heard of its transaction leaves none.
func TestStage_ClientGone(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	if _, err := k.call("stage", call{environment: "default", reply: &counter{fails: 1}}); err != relay.ErrCut {
		t.Errorf("stage = %v", err)
	}
	hosttest.Await(t, "it is aborted", func() bool { return len(w.server.Transactions()) == 0 && k.shown() == "" })
}

func TestClose(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"ann", "bob", "joe"} {
		w.login(name, "default:WRITE").stage("default")
	}
	k := w.login("ann", "default:WRITE")
	w.close()
	if len(w.server.Transactions()) != 0 || w.server.Tokens() != 0 {
		t.Errorf("%d transactions and %d logins are left", len(w.server.Transactions()), w.server.Tokens())
	}
	k.wantsKind(account.KindUnavailable, "ping", call{environment: "default"})
	w.SessionEnded(k.Session, session.LoggedOut)
	w.Disconnected(k.Session)
	w.Changed("ann")
	w.close()
}

// What a call begins while the relay closes is aborted too.
func TestClose_StageUnderWay(t *testing.T) {
	w := newWorld(t)
	k, other := w.login("ann", "default:WRITE"), w.login("bob", "default:WRITE")
	other.stage("default")
	released := make(chan struct{})
	w.server.Next("abort", upstream.Until(released, nil))
	closed := make(chan error)
	if err := k.during("stage", call{environment: "default"}, func() {
		go func() { closed <- w.Close(context.Background()) }()
		hosttest.Await(t, "it aborts", func() bool { return len(w.server.Calls("abort")) == 1 })
	}); account.KindOf(err) != account.KindUnavailable {
		t.Errorf("stage = %v, want that the host is stopping", err)
	}
	hosttest.Await(t, "what stage began is aborted", func() bool { return len(w.server.Transactions()) == 1 })
	close(released)
	if err := <-closed; err != nil {
		t.Errorf("Close left %v", err)
	}
}

// A login upstream that nobody waits for any more is logged out, too.
func TestClose_LoginUnderWay(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	done, released := make(chan struct{}), make(chan struct{})
	w.server.Next("login", upstream.Late(done, released))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	k.goCall(left, "ping", call{environment: "default", ctx: ctx})
	<-done
	leave()
	if err := <-left; account.KindOf(err) != account.KindUnavailable {
		t.Errorf("the call = %v", err)
	}
	closed := make(chan error)
	go func() { closed <- w.Close(t.Context()) }()
	select {
	case err := <-closed:
		t.Errorf("Close did not wait: %v; %d logins are left", err, w.server.Tokens())
	case <-time.After(500 * time.Millisecond):
	}
	close(released)
	if err := <-closed; err != nil {
		t.Errorf("Close left %v", err)
	}
	if n := w.server.Tokens(); n != 0 {
		t.Errorf("%d logins are left", n)
	}
}

// One that is cut off is told of: the upstream may have let it in.
func TestClose_ErrLoginUnderWay(t *testing.T) {
	w := newWorld(t)
	w.leaves = true
	k := w.login("ann", "default:WRITE")
	w.server.Next("login", upstream.Hang)
	failed := make(chan error)
	k.goCall(failed, "ping", call{environment: "default"})
	hosttest.Await(t, "it logs in", func() bool { return len(w.server.Calls("login")) == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := w.Close(ctx); err == nil || err.Error() != "0 transactions and 1 logins" {
		t.Errorf("Close = %v", err)
	}
	if err := <-failed; account.KindOf(err) != account.KindUnavailable {
		t.Errorf("the call = %v", err)
	}
}

// Close ends with its context, and says what it left.
func TestClose_ErrUpstreamAway(t *testing.T) {
	for outcome, a := range map[string]upstream.Answer{"Closes": upstream.CloseUnasked, "Hangs": upstream.Hang} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t)
			w.leaves = true
			k := w.login("ann", "default:WRITE")
			k.stage("default")
			w.server.Always("", a)
			busy := make(chan error)
			go func() {
				_, err := k.call("ping", call{environment: "default"})
				busy <- err
			}()
			hosttest.Await(t, "a call is under way", func() bool { return len(w.server.Calls("ping")) == 1 })
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if err := w.Close(ctx); err == nil || err.Error() != "1 transactions and 1 logins" {
				t.Errorf("Close = %v", err)
			}
			if err := <-busy; err != relay.ErrUnknown {
				t.Errorf("the call = %v", err)
			}
		})
	}
}
