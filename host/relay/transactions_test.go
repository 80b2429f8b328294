package relay_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestTransaction(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	if id := fmt.Sprint(staged.timestamp); k.shown() != id || w.Figures().Transactions != 1 {
		t.Errorf("the sessions view shows %q, want %s; %+v", k.shown(), id, w.Figures())
	}
	in := call{environment: "default", transaction: staged}
	k.do("setKeyValueRecord", in)
	k.do("selectKeyRecord", in)
	k.do("commit", in)
	if k.shown() != "" || len(w.server.Transactions()) != 0 || w.Figures().Transactions != 0 {
		t.Errorf("it is not closed after its commit: %q", k.shown())
	}
	k.wants(relay.ErrTransaction, "commit", in)
	k.wants(relay.ErrTransaction, "abort", in)
	k.wants(relay.ErrTransaction, "selectKeyRecord", in)
	k.wants(relay.ErrTransaction, "commit", call{environment: "default"})

	in.transaction = k.stage("default")
	k.do("abort", in)
	if n := len(w.server.Calls("commit", "abort")); k.shown() != "" || n != 2 {
		t.Errorf("%d calls ended transactions, want 2; open is %q", n, k.shown())
	}
}

func TestTransaction_ErrTransaction(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.login("ann", "default:WRITE other:WRITE"), w.login("bob", "default:WRITE")
	again := w.login("ann", "default:WRITE other:WRITE") // as a driver does by itself
	staged := ann.stage("default")
	w.server.Forget()
	of := func(k *client) *transaction { return &transaction{k.token[:], staged.timestamp} }
	in := func(environment string, x *transaction) call { return call{environment: environment, transaction: x} }
	upstreamToken := w.server.Transactions()[0].Token
	for outcome, c := range map[string]struct {
		*client
		call
	}{
		"Foreign":          {bob, in("default", staged)},
		"ForeignTimestamp": {bob, in("default", of(bob))},
		"OldToken":         {again, in("default", staged)},
		"OtherSession":     {again, in("default", of(again))},
		"OtherEnvironment": {ann, in("other", staged)},
		"OtherTimestamp":   {ann, in("default", &transaction{ann.token[:], staged.timestamp + 1})},
		"UpstreamsToken":   {ann, in("default", &transaction{upstreamToken, staged.timestamp})},
		"NoToken":          {ann, in("default", &transaction{nil, staged.timestamp})},
		"LongToken":        {ann, in("default", &transaction{append(ann.token[:], 0), staged.timestamp})},
	} {
		t.Run(outcome, func(t *testing.T) {
			for _, method := range []string{"selectKeyRecord", "setKeyValueRecord", "commit", "abort", "ping"} {
				c.wants(relay.ErrTransaction, method, c.call)
			}
		})
	}
	if calls := w.server.Calls(); len(calls) != 0 {
		t.Errorf("%d calls went upstream", len(calls))
	}
	ann.do("commit", in("d-e-fault", staged)) // the same environment, once it is cleaned
}

// The key of a transaction is the token of its stage call, whatever login follows.
func TestTransaction_AfterRelogin(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	staged := k.stage("default")
	first := w.server.Transactions()[0].Token
	w.server.ExpireTokens()
	w.server.Forget()
	k.do("setKeyValueRecord", call{environment: "default", transaction: staged})
	k.do("commit", call{environment: "default", transaction: staged})
	for _, c := range w.server.Calls("setKeyValueRecord", "commit") {
		if !bytes.Equal(c.TransactionToken, first) {
			t.Errorf("%s names another token in its transaction than stage's", c.Name)
		}
	}
	if n := len(w.server.Calls("login")); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

func TestTransaction_RightLost(t *testing.T) {
	for outcome, c := range map[string]struct {
		method, left string
		kept         bool
	}{
		"Write":        {"setKeyValueRecord", "default:READ other:WRITE", false},
		"Add":          {"findOrAddKeyValue", "default:READ other:WRITE", false},
		"WriteAll":     {"setKeyValueRecord", "", false},
		"Read":         {"selectKeyRecord", "other:WRITE", false},
		"ReadKeepsOn":  {"selectKeyRecord", "default:READ", true},
		"WriteKeepsOn": {"setKeyValueRecord", "default:WRITE", true},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t)
			k, other := w.login("ann", "default:WRITE"), w.login("bob", "default:WRITE")
			in := call{environment: "default", transaction: k.stage("default")}
			k.do(c.method, in)
			his := other.stage("default")
			w.table.Apply(w.snapshot("ann", c.left))
			if c.kept {
				k.do("commit", in)
			} else {
				hosttest.Await(t, "the transaction is aborted", func() bool { return len(w.server.Transactions()) == 1 && k.shown() == "" })
				k.wants(relay.ErrTransaction, "commit", in)
			}
			other.do("commit", call{environment: "default", transaction: his})
		})
	}
}

// Where nobody heard of the change yet, the commit itself finds out.
func TestCommit_ErrRightLost(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	in := call{environment: "default", transaction: k.stage("default")}
	k.do("setKeyValueRecord", in)
	k.unheard(func() { w.table.Apply(w.snapshot("ann", "default:READ")) })
	err := k.wantsKind(account.KindNotPermitted, "commit", in)
	if account.ReasonOf(err) != account.ReasonNeedsGrant {
		t.Errorf("the reason is %q", account.ReasonOf(err))
	}
	hosttest.Await(t, "the transaction is aborted", func() bool { return len(w.server.Transactions()) == 0 && k.shown() == "" })
	if len(w.server.Calls("commit")) != 0 {
		t.Error("the commit went upstream")
	}
	k.wants(relay.ErrTransaction, "commit", in)
}

// A right that is lost while stage is under way is lost for the transaction that
// it begins.
func TestStage_RightLostMeanwhile(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	err := k.during("stage", call{environment: "default"}, func() { w.table.Apply(w.snapshot("ann", "")) })
	if account.KindOf(err) != account.KindNotPermitted {
		t.Errorf("stage = %v, want that it is not permitted", err)
	}
	hosttest.Await(t, "the transaction is aborted", func() bool { return len(w.server.Calls("abort")) == 1 })
}

// The sessions view does not keep what was aborted the moment that it was staged.
func TestStage_AbortedAtOnce(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:READ")
	k.do("ping", read)
	gone := make(chan struct{})
	noted := func() {
		w.clock.Store(nil)
		go func() {
			w.Disconnected(k.Session)
			close(gone)
		}()
		time.Sleep(300 * time.Millisecond) // enough to abort it in
	}
	w.clock.Store(&noted)
	if _, err := k.call("stage", read); err != nil {
		t.Error(err)
	}
	<-gone
	hosttest.Await(t, "it is aborted", func() bool { return len(w.server.Transactions()) == 0 && w.Figures().InUse == 0 })
	hosttest.Await(t, "the sessions view does not show it", func() bool { return k.shown() == "" })
}

// Of many commits at once one goes through.
func TestCommit_Twice(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	in := call{environment: "default", transaction: k.stage("default")}
	var commits sync.WaitGroup
	refused := make(chan error, 8)
	for range cap(refused) {
		commits.Go(func() {
			_, err := k.call("commit", in)
			refused <- err
		})
	}
	commits.Wait()
	close(refused)
	done := 0
	for err := range refused {
		if err == nil {
			done++
		} else if err != relay.ErrTransaction {
			t.Errorf("commit = %v", err)
		}
	}
	if done != 1 || len(w.server.Calls("commit")) != 1 {
		t.Errorf("%d commits went through, want 1", done)
	}
}

// A commit that got lost may not have arrived: nothing of it stays open. One that
// never went out can be tried again.
func TestCommit_Lost(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	in := call{environment: "default", transaction: k.stage("default")}
	w.server.Next("commit", upstream.CloseUnasked)
	k.wants(relay.ErrUnknown, "commit", in)
	hosttest.Await(t, "it is aborted", func() bool { return len(w.server.Transactions()) == 0 && k.shown() == "" })
	k.wants(relay.ErrTransaction, "commit", in)

	in.transaction = k.stage("default")
	w.server.Kill()
	k.wantsKind(account.KindUnavailable, "commit", in)
	if k.shown() == "" {
		t.Error("a transaction whose commit did not go out is not shown any more")
	}
	if err := w.server.Revive(); err != nil {
		t.Fatal(err)
	}
	if _, err := k.call("commit", in); err != nil { // the upstream says that it knows none
		t.Error(err)
	}
}

// A right that is lost while a commit waits for a connection, which it does not
// get, is lost for the transaction that is put back.
func TestCommit_RightLostMeanwhile(t *testing.T) {
	w := newWorld(t, func(o *relay.Options) { o.MaxConnections, o.ConnectTimeout = 1, time.Second })
	k, other := w.login("ann", "default:WRITE"), w.login("bob", "default:READ")
	in := call{environment: "default", transaction: k.stage("default")}
	released, answered := make(chan struct{}), make(chan error)
	w.server.Next("ping", upstream.Until(released, nil))
	other.goCall(answered, "ping", read)
	hosttest.Await(t, "the connection is in use", func() bool { return len(w.server.Calls("ping")) == 1 })
	refused := make(chan error)
	k.goCall(refused, "commit", in)
	hosttest.Await(t, "the commit has the transaction", func() bool { return w.Figures().Transactions == 0 })
	w.table.Apply(w.snapshot("ann", "other:WRITE"))
	if err := <-refused; account.KindOf(err) != account.KindUnavailable {
		t.Errorf("commit = %v, want that it is unavailable", err)
	}
	hosttest.Await(t, "the transaction is aborted", func() bool { return len(w.server.Transactions()) == 0 && k.shown() == "" })
	k.wants(relay.ErrTransaction, "commit", in)
	close(released)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// A session has so many transactions open and no more, and what it ends makes room.
func TestStage_TooMany(t *testing.T) {
	const most = 32
	w := newWorld(t)
	k, other := w.login("ann", "default:READ other:READ"), w.login("ann", "default:READ other:READ")
	released := make(chan struct{})
	w.server.Next("stage", upstream.Until(released, nil), upstream.Until(released, upstream.Failure(6, "Internal error")))
	underWay := make(chan error, 2)
	for range cap(underWay) {
		k.goCall(underWay, "stage", call{environment: "default"})
	}
	hosttest.Await(t, "two are under way", func() bool { return len(w.server.Calls("stage")) == cap(underWay) })
	var last *transaction
	for range most - cap(underWay) {
		last = k.stage("other")
	}
	tooMany := func() {
		t.Helper()
		err := k.wantsKind(account.KindUnavailable, "stage", call{environment: "default"})
		if err != nil && !strings.Contains(err.Error(), fmt.Sprint(most, " transactions")) {
			t.Errorf("the refusal is %v", err)
		}
	}
	tooMany()
	if n := len(w.server.Calls("stage")); n != most {
		t.Errorf("%d calls began transactions, want %d", n, most)
	}
	other.do("abort", call{environment: "default", transaction: other.stage("default")}) // another session's are its own
	close(released)
	for range cap(underWay) {
		if err := <-underWay; err != nil {
			t.Error(err)
		}
	}
	k.stage("default") // for the one that failed
	tooMany()
	k.do("abort", call{environment: "other", transaction: last})
	k.stage("default")
	tooMany()
	w.Disconnected(k.Session)
	hosttest.Await(t, "all are aborted", func() bool { return len(w.server.Transactions()) == 0 })
	k.stage("default")
}

// An answer to stage that is no transaction's leaves nothing, and nothing of the
// upstream's token reaches the client.
func TestStage_Garbage(t *testing.T) {
	w := newWorld(t)
	k := w.login("ann", "default:WRITE")
	k.do("ping", call{environment: "default"})
	token := w.server.Calls("ping")[0].Token
	good := append([]byte{0x0c, 0, 0}, message.AppendTransactionToken(nil, token, 5)...)
	extra := append([]byte{0x0c, 0, 9}, message.AppendAccessToken(nil, token)...)
	for outcome, encoded := range map[string][]byte{
		"NoTransaction": append(append([]byte{0x0c, 0, 0}, message.AppendAccessToken(nil, token)...), 0),
		"AnotherField":  append(append(bytes.Clone(good), extra...), 0),
		"Before":        append(append(bytes.Clone(extra), good...), 0),
		"LongToken":     append(append([]byte{0x0c, 0, 0}, message.AppendTransactionToken(nil, make([]byte, 300), 5)...), 0),
	} {
		t.Run(outcome, func(t *testing.T) {
			w.server.Next("stage", upstream.Result(encoded))
			k.wants(relay.ErrUnknown, "stage", call{environment: "default"})
		})
	}
	w.server.Next("stage", upstream.Huge(1<<20))
	k.wants(relay.ErrUnknown, "stage", call{environment: "default"})
	w.server.Next("stage", upstream.Result(append(good, 0)), upstream.Result(append(good, 0)))
	k.do("stage", call{environment: "default"})
	k.wantsKind(account.KindUnavailable, "stage", call{environment: "default"}) // it is open already
}
