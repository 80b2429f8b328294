package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

// login is a login upstream.
type login struct {
	token    []byte                 // an AccessToken's structure, as it goes out
	defaults atomic.Pointer[string] // the upstream's default environment; nil: not asked yet
}

// data returns the token itself.
func (l *login) data() []byte {
	data, _ := message.AccessToken(l.token)
	return data
}

// attempt is a login under way, for which others may wait.
type attempt struct {
	done  chan struct{} // closed when the rest is there
	login *login
	err   error
}

// login returns the session's login upstream, which is another one than stale. It
// makes one if there is none; whoever else needs it meanwhile waits for that. It
// refuses with Unavailable and, if the session has ended, NotAuthenticated.
func (r *Relay) login(ctx context.Context, h *holding, stale *login) (*login, error) {
	h.mu.Lock()
	if h.login == stale {
		h.login = nil
	}
	l, a := h.login, h.attempt
	switch {
	case h.over, r.closing.Load():
		h.mu.Unlock()
		return nil, r.over(h)
	case l != nil:
		h.mu.Unlock()
		return l, nil
	case a == nil:
		a = &attempt{done: make(chan struct{})}
		h.attempt = a
		r.endings.expect()
		go r.attempt(h, a)
	}
	h.mu.Unlock()
	select {
	case <-a.done:
		return a.login, a.err
	case <-ctx.Done():
		return nil, account.Unavailable("the login at the data server takes long")
	}
}

// attempt logs in, for whoever waits. It goes on when none of them does any more:
// the session's next call will need it.
func (r *Relay) attempt(h *holding, a *attempt) {
	defer r.endings.settled()
	defer close(a.done)
	l, err := r.logIn(0)
	h.mu.Lock()
	over := h.over
	h.attempt = nil
	if !over {
		h.login = l
	}
	h.mu.Unlock()
	if over && err == nil {
		r.endings.add(&task{holding: h, login: l, logout: true})
		l, err = nil, r.over(h)
	}
	a.login, a.err = l, err
}

// over says why nothing is added to what a session holds.
func (r *Relay) over(h *holding) error {
	if h.session.Ended() {
		return account.SessionEnded()
	}
	return errStopping
}

// logIn logs the service account in. It refuses with Unavailable.
func (r *Relay) logIn(beyond int) (*login, error) {
	if err := r.doors.knock(); err != nil {
		return nil, err
	}
	l, refusal, err := r.tryLogin(beyond)
	switch {
	case err != nil:
		r.doors.leave()
		return nil, err
	case l == nil && refusal == Itself:
		if r.doors.closed(errItself) {
			r.Logger.Error("the setting upstream.address leads back to this host: it must name the data server", "address", r.Address)
		}
		return nil, errItself
	case l == nil:
		if r.doors.closed(errRefused) {
			r.Logger.Error("the data server refuses the host's account: see the settings upstream.username and upstream.password",
				"username", r.Username, "refusal", r.words(refusal, nil))
		}
		return nil, errRefused
	}
	r.doors.opened()
	r.logins.Add(1)
	return l, nil
}

// tryLogin returns no login if the upstream refuses the credentials.
func (r *Relay) tryLogin(beyond int) (l *login, refusal string, err error) {
	q := newMarkedRequest("login", r.mark)
	q.binary(1, []byte(r.Username))
	q.binary(2, r.Password)
	q.binary(3, []byte(r.Environment))
	err = r.ask(r.context, beyond, q, r.shortLimit(), func(m *message.Message) error {
		if m.Kind == thrift.EXCEPTION {
			refusal = exceptionText(m)
			return nil
		}
		for i := range m.Fields {
			f := &m.Fields[i]
			if f.Type != thrift.STRUCT {
				return errGarbage
			}
			if f.ID != 0 {
				refusal = text(m.Value(f))
				continue
			}
			data, err := message.AccessToken(m.Value(f))
			if err != nil || len(data) == 0 || len(data) > mostToken {
				return errGarbage
			}
			l = &login{token: message.AppendAccessToken(nil, data)}
		}
		return nil
	})
	return l, refusal, err
}

// mostToken bounds what is kept of an upstream's token, in bytes. It has 32.
const mostToken = 256

var (
	errRefused error = account.Unavailable("the data server refuses the account that this host has there; the host's settings upstream.username and upstream.password must name one that it knows")
	errAsking  error = account.Unavailable("the data server has refused the account that this host has there, and is being asked again; try again in a moment")
)

// doors remembers whether the upstream lets the service account in. While it does
// not, it is asked seldom, and by one login at a time.
type doors struct {
	mu      sync.Mutex
	refused int   // times in a row
	why     error // of the last
	until   time.Time
	asking  bool // while refused
}

const (
	firstRefusal   = 500 * time.Millisecond
	longestRefusal = 30 * time.Second
)

// knock lets a login go on; opened, closed or leave must follow. It refuses with
// the last refusal, and errAsking.
func (d *doors) knock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.refused == 0:
		return nil
	case d.asking:
		return errAsking
	case time.Now().Before(d.until):
		return d.why
	}
	d.asking = true
	return nil
}

// leadBack reports whether they are the host's own.
func (d *doors) leadBack() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused > 0 && d.why == errItself
}

func (d *doors) opened() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused, d.asking = 0, false
}

// closed says that the upstream refused, and reports whether that is worth a line
// in the log: once for those that asked at once.
func (d *doors) closed(why error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking = false
	if d.refused > 0 && time.Now().Before(d.until) {
		return false
	}
	wait := longestRefusal
	if d.refused < 8 {
		wait = min(firstRefusal<<d.refused, longestRefusal)
	}
	d.refused++
	d.why = why
	d.until = time.Now().Add(wait)
	return true
}

// leave says that there was no answer.
func (d *doors) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking = false
}
