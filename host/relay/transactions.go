package relay

import (
	"bytes"
	"crypto/subtle"
	"strconv"
	"sync"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// transaction is one that a session has open upstream. Its key, there, is the
// token of its stage call and its timestamp, whatever login the session has since.
type transaction struct {
	timestamp   int64
	environment string
	token       []byte // a TransactionToken's structure, as it goes upstream
	wrote       bool   // a call that needs WRITE was made in it; guarded by holding.mu
}

// id is what the sessions view calls it.
func (t *transaction) id() string { return strconv.FormatInt(t.timestamp, 10) }

// needs returns the permission without which it may not go on. holding.mu is held.
func (t *transaction) needs() account.Permission {
	if t.wrote {
		return account.Write
	}
	return account.Read
}

// enter returns the transaction that the call names, nil if it names none. One
// that the call closes is in nobody's hands but the caller's from here on. It
// refuses with ErrTransaction, NotPermitted and NotAuthenticated.
func (r *Relay) enter(h *holding, c *Call) (*transaction, error) {
	if c.Transaction == nil {
		if r.closes(c.Method) {
			return nil, ErrTransaction
		}
		return nil, nil
	}
	timestamp, err := named(c)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	if h.over {
		h.mu.Unlock()
		return nil, r.over(h)
	}
	t := h.transactions[timestamp]
	if t == nil || t.environment != c.Environment {
		h.mu.Unlock()
		return nil, ErrTransaction
	}
	t.wrote = t.wrote || c.writes
	c.writes = t.wrote
	if r.closes(c.Method) {
		r.remove(h, t)
	}
	h.mu.Unlock()
	// Changed may have come before the transaction was known to need so much.
	if err := r.stillAllowed(c, t); err != nil {
		if r.closes(c.Method) || r.take(h, t) {
			r.abandon(h, t)
		}
		return nil, err
	}
	return t, nil
}

// named returns the timestamp in the call's TransactionToken, which must name the
// session's own token: not another's, and not one that the session's holder had
// before it logged in again.
func named(c *Call) (timestamp int64, err error) {
	token, timestamp, err := message.TransactionToken(c.Message.Value(c.Transaction))
	if err != nil || c.Token == nil {
		return 0, ErrTransaction
	}
	own, err := message.AccessToken(c.Message.Value(c.Token))
	if err != nil || subtle.ConstantTimeCompare(token, own) != 1 {
		return 0, ErrTransaction
	}
	return timestamp, nil
}

// left ends a transaction after its last call, whatever that was answered. What
// may still be open upstream is aborted.
func (r *Relay) left(h *holding, t *transaction, m *methods.Method, err error) {
	switch {
	case err == nil, err == ErrCut: // it was answered
		h.session.CloseTransaction(t.id())
	case m == r.commit && account.KindOf(err) == account.KindUnavailable && r.reopen(h, t): // it was not asked for
	default:
		r.abandon(h, t)
	}
}

// staged keeps the transaction that the upstream has begun, and tells the client
// of it, under the client's own token. It refuses with NotAuthenticated if the
// session has ended meanwhile, and with NotPermitted if the right is lost.
func (r *Relay) staged(c *Call, conn *conn, m *message.Message, result *message.Field, h *holding, l *login) error {
	token, timestamp, err := message.TransactionToken(m.Value(result))
	own, ownErr := message.AccessToken(c.Message.Value(c.Token)) // a session's call has one
	if err != nil || ownErr != nil || len(token) > mostToken || len(m.Fields) != 1 {
		conn.broken = true
		return ErrUnknown
	}
	t := &transaction{
		timestamp: timestamp, environment: c.Environment, token: bytes.Clone(m.Value(result)),
	}
	if err := r.keep(c, h, t, l); err != nil {
		return err
	}
	conn.scratch = append(conn.scratch[:0], m.Bytes[:result.Value]...)
	conn.scratch = message.AppendTransactionToken(conn.scratch, own, timestamp)
	conn.scratch = append(conn.scratch, m.Bytes[result.End:]...)
	if _, err := c.Reply.Write(conn.scratch); err != nil {
		if r.take(h, t) {
			r.abandon(h, t)
		}
		return ErrCut
	}
	return nil
}

// mostOpen is how many transactions a session may have open: those that it is about
// to begin, and those that are about to be aborted, among them. The sessions view
// shows them all.
const mostOpen = 32

// reserve lets a call begin a transaction; release must follow. It refuses with
// Unavailable.
func (h *holding) reserve(c *Call) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	aborting := int(h.aborting.Load())
	switch {
	case len(h.transactions)+h.staging+aborting < mostOpen:
	case aborting > 0:
		return account.Unavailable("the session has %d transactions open, of which %d are about to be aborted, and may have no more; try again in a moment", mostOpen, min(aborting, mostOpen))
	default:
		return account.Unavailable("the session has %d transactions open and may have no more; commit or abort one first", mostOpen)
	}
	h.staging++
	c.staging = true
	return nil
}

// release says that the call begins nothing any more; again, it does nothing.
func (h *holding) release(c *Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun(c)
}

// begun is release for who holds h.mu.
func (h *holding) begun(c *Call) {
	if c.staging {
		c.staging = false
		h.staging--
	}
}

// keep adds a transaction to what the session holds, or has it aborted. It refuses
// as staged does.
func (r *Relay) keep(c *Call, h *holding, t *transaction, l *login) error {
	h.mu.Lock()
	if h.over {
		h.mu.Unlock()
		r.abandonBy(l, h, t)
		return r.over(h)
	}
	if h.transactions[t.timestamp] != nil { // no client could tell them apart
		h.mu.Unlock()
		r.abandonBy(l, h, t)
		return account.Unavailable("the data server began a transaction that is open already; try again")
	}
	// The view has it before anybody can close it, or would show it for ever.
	known := h.session.OpenTransaction(t.id(), t.environment)
	h.begun(c)
	r.put(h, t)
	h.mu.Unlock()
	// An end or a change that came before did not see it (rule 3).
	if known && h.session.Snapshot().Allows(t.environment, account.Read) {
		return nil
	}
	if r.take(h, t) {
		r.abandon(h, t)
	}
	return r.lost(c, t, account.Read)
}

// abandon has a transaction aborted that the session holds no more.
func (r *Relay) abandon(h *holding, t *transaction) {
	h.mu.Lock()
	l := h.login
	h.mu.Unlock()
	r.abandonBy(l, h, t)
}

// abandonBy is abandon by a login that may not be the session's any more.
func (r *Relay) abandonBy(l *login, h *holding, t *transaction) {
	h.aborting.Add(1)
	r.endings.add(&task{holding: h, login: l, aborts: []*transaction{t}})
}

// take takes a transaction out of what the session holds; false if others did.
func (r *Relay) take(h *holding, t *transaction) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.transactions[t.timestamp] != t {
		return false
	}
	r.remove(h, t)
	return true
}

// reopen puts back a transaction whose commit did not go out; false if the caller
// must abandon it, for the session is over or the right is lost.
func (r *Relay) reopen(h *holding, t *transaction) bool {
	h.mu.Lock()
	if h.over || h.transactions[t.timestamp] != nil {
		h.mu.Unlock()
		return false
	}
	r.put(h, t)
	needs := t.needs()
	h.mu.Unlock()
	// A change that came while the commit waited did not see it (rule 3).
	return h.session.Snapshot().Allows(t.environment, needs) || !r.take(h, t)
}

// put and remove hold h.mu.
func (r *Relay) put(h *holding, t *transaction) {
	if h.transactions == nil {
		h.transactions = map[int64]*transaction{}
		r.open.add(h)
	}
	h.transactions[t.timestamp] = t
	r.transactions.Add(1)
}

func (r *Relay) remove(h *holding, t *transaction) {
	delete(h.transactions, t.timestamp)
	r.transactions.Add(-1)
	if len(h.transactions) == 0 {
		h.transactions = nil
		r.open.remove(h)
	}
}

// index finds the holdings with open transactions of an account, so that a change
// of one costs the same whatever the others hold (rule 11).
type index struct {
	mu     sync.Mutex
	byName map[string]map[*holding]struct{}
}

func (x *index) add(h *holding) {
	name := h.username
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byName[name] == nil {
		x.byName[name] = map[*holding]struct{}{}
	}
	x.byName[name][h] = struct{}{}
}

func (x *index) remove(h *holding) {
	name := h.username
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.byName[name], h)
	if len(x.byName[name]) == 0 {
		delete(x.byName, name)
	}
}

func (x *index) of(username string) (all []*holding) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for h := range x.byName[username] {
		all = append(all, h)
	}
	return all
}
