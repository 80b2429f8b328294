package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Plugin is one process of the backend on one store, as a case sees it.
type Plugin struct {
	Users account.Users       // the contract, as the host speaks it
	Raw   usersv1.UsersClient // the same, for messages that the host would not send
	About account.Description // once it is configured
	Admin account.Caller      // the administrator, once logged in

	t       *T
	number  int // among the case's processes, from 1
	process Process
	store   store
	output  *output
	ended   bool
	admin   account.Credentials
}

// store is where a process keeps its accounts.
type store struct {
	home     string
	settings map[string]string
}

// host is what the suite calls itself in invocations.
const host = "conformance"

// start bounds the start of a process, and end its end.
const (
	startBound = 20 * time.Second
	endBound   = 2 * time.Second // as a host grants it
)

// newStore makes room for a store that no other case meets.
func (t *T) newStore() store {
	return store{home: t.dir(), settings: t.run.settings()}
}

// Launch starts a process on a new store, and configures nothing.
func (t *T) Launch(l Launch) *Plugin { return t.launch(l, t.newStore()) }

func (t *T) launch(l Launch, s store) *Plugin {
	p := &Plugin{t: t, store: s, output: t.newOutput()}
	also := l.Output
	l.Output = func(stream string, text []byte) {
		p.output.take(stream, text)
		if also != nil {
			also(stream, text)
		}
	}
	ctx, cancel := t.Within(startBound)
	defer cancel()
	process, err := t.run.subject.Launch(ctx, l)
	t.OK(err, "start a process on %s", t.whose(s))
	p.connect(process)
	return p
}

// connect makes the process the plugin's.
func (p *Plugin) connect(process Process) {
	p.process = process
	on := p.t.whose(p.store)
	p.t.processes = append(p.t.processes, p)
	p.number = len(p.t.processes)
	p.t.record.note("process %d was started, on %s", p.number, on)
	p.t.cleanup(p.finish)
	c := conn{process.Conn(), p.t.record}
	p.Users, p.Raw = wire.NewClient(c), usersv1.NewUsersClient(c)
}

// whose says which store it is.
func (t *T) whose(s store) string {
	for _, p := range t.processes {
		if p.store.home == s.home {
			return fmt.Sprintf("the store of process %d", p.number)
		}
	}
	return "a new store"
}

// Open starts a process on a new store, with a first administrator logged in.
// A backend without "change" has its own.
func (t *T) Open() *Plugin {
	p := t.Launch(Launch{})
	p.configure()
	p.begin()
	return p
}

// configure opens the store.
func (p *Plugin) configure() {
	ctx, cancel := p.t.Within(startBound)
	defer cancel()
	var err error
	p.About, err = p.Users.Configure(ctx, account.Configuration{Home: p.store.home, Settings: p.store.settings})
	p.t.OK(err, "configure")
}

// begin makes the first administrator, if the backend can, and logs in.
func (p *Plugin) begin() {
	t := p.t
	if p.Declares(account.CapabilityChange) {
		if p.About.Initialized {
			t.Fatalf("the store of a new home has its initialised marker already; if the store is not in the home, give a setting that names it with %s", StoreMark)
		}
		p.admin = account.Credentials{Username: "administrator", Password: NewPassword()}
		_, err := p.Users.Initialize(t.ctx, account.FirstAdministrator{
			Username: p.admin.Username, Password: p.admin.Password, RequestID: account.NewRequestID(time.Now()), Host: host,
		})
		t.OK(err, "make the first administrator")
	} else {
		p.admin = t.run.subject.Administrator
	}
	p.Admin = p.Login(p.admin.Username, p.admin.Password)
}

// Declares reports whether the backend has the capability.
func (p *Plugin) Declares(capability string) bool {
	for _, c := range p.About.Capabilities {
		if c == capability {
			return true
		}
	}
	return false
}

// Login logs in and returns the session's caller.
func (p *Plugin) Login(username string, password account.Secret) account.Caller {
	login, err := p.Users.Authenticate(p.t.ctx, account.Credentials{Username: username, Password: password, Listener: account.ManagementListener})
	p.t.OK(err, "log in as %s", username)
	return Caller(login.Account)
}

// Caller is the caller that a login of the account as it is would be.
func Caller(a account.Account) account.Caller {
	return account.Caller{Username: a.Username, AccountID: a.ID, Generation: a.Generation, SessionID: "conformance-" + string(a.ID)}
}

// As returns a new invocation of the caller.
func As(c account.Caller) account.Invocation {
	return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: c, Host: host}
}

// New returns a new invocation of the administrator.
func (p *Plugin) New() account.Invocation { return As(p.Admin) }

// Create makes an account and returns it with its password.
func (p *Plugin) Create(username string, role account.Role) (account.Account, account.Secret) {
	password := NewPassword()
	c, err := p.Users.Create(p.t.ctx, p.New(), account.Create{Username: username, Password: password, Role: role})
	p.t.OK(err, "create %s", username)
	return c.Account, password
}

// Show returns the account as it is.
func (p *Plugin) Show(username string) account.Account {
	a, err := p.Users.Show(p.t.ctx, p.Admin, username)
	p.t.OK(err, "show %s", username)
	return a
}

// NewPassword returns one that every policy takes, and that stands nowhere else.
func NewPassword() account.Secret { return account.Secret("pw-" + rand.Text()) }

// Restart ends the process as a host does and starts another on the same store,
// with the administrator as caller.
func (p *Plugin) Restart() *Plugin {
	p.Shutdown()
	return p.again()
}

// KillAndRestart is Restart by SIGKILL.
func (p *Plugin) KillAndRestart() *Plugin {
	p.Kill()
	return p.again()
}

func (p *Plugin) again() *Plugin {
	next := p.t.launch(Launch{}, p.store)
	next.configure()
	next.admin, next.Admin = p.admin, p.Admin
	return next
}

// Shutdown ends the process as a host does and returns how it ended.
func (p *Plugin) Shutdown() string {
	if p.ended {
		return ""
	}
	p.ended = true
	how := p.process.Shutdown(endBound)
	p.t.record.note("process %d was asked to end, and ended: %s", p.number, how)
	p.seen()
	return how
}

// Kill ends the process by SIGKILL.
func (p *Plugin) Kill() {
	if !p.ended {
		p.finish()
		p.t.record.note("process %d was killed", p.number)
	}
}

// finish ends the process when the case is over; how it ends is the business of
// cases of their own.
func (p *Plugin) finish() {
	if !p.ended {
		p.ended = true
		p.process.Kill()
		p.seen()
	}
}

// seen hands what the process wrote to the cases that judge it at the end.
func (p *Plugin) seen() {
	for _, stream := range streams {
		p.t.run.seen.output(stream, p.output.text(stream))
	}
}

// Output returns what the process has written to the stream so far.
func (p *Plugin) Output(stream string) string { return string(p.output.text(stream)) }

// streams are those of Launch.Output.
var streams = []string{"stdout", "stderr", "stdio stdout", "stdio stderr"}

// output keeps what one process writes, up to a bound.
type output struct {
	mu   sync.Mutex // guards the rest
	kept map[string]*bytes.Buffer
}

const mostOutput = 4 << 20 // of a stream

func (o *output) take(stream string, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		o.kept = map[string]*bytes.Buffer{}
	}
	b := o.kept[stream]
	if b == nil {
		b = &bytes.Buffer{}
		o.kept[stream] = b
	}
	b.Write(p[:min(len(p), mostOutput-b.Len())])
}

func (o *output) text(stream string) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.kept[stream]; b != nil {
		return bytes.Clone(b.Bytes())
	}
	return nil
}

// Watch is one stream under way.
type Watch struct {
	Requests chan account.WatchRequest

	t       *T
	events  chan account.WatchEvent
	end     context.CancelFunc
	over    chan struct{} // closed with err set
	err     error
	learned uint64 // number of the newest heartbeat asked for by learns and read
}

// Watch opens a stream, and returns once it surely stands: its first heartbeat
// has come.
func (p *Plugin) Watch() *Watch { return p.watch(64) }

// watch is Watch with room for so many events that the case has not taken yet.
func (p *Plugin) watch(room int) *Watch {
	ctx, cancel := context.WithCancel(p.t.ctx)
	w := &Watch{
		Requests: make(chan account.WatchRequest, 1), t: p.t, events: make(chan account.WatchEvent, room), end: cancel, over: make(chan struct{}),
	}
	p.t.cleanup(cancel)
	go func() {
		defer close(w.over)
		w.err = p.Users.Watch(ctx, w.Requests, func(e account.WatchEvent) error {
			select {
			case w.events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	const first = 1 << 60
	w.Beat(first)
	return w
}

// watchBound is how long a case waits for an event.
const watchBound = 20 * time.Second

// Next returns the next event, or ends the case.
func (w *Watch) Next(waitingFor string) account.WatchEvent {
	select {
	case e := <-w.events:
		return e
	case <-w.over:
		w.t.Fatalf("the watch ended while the case waited for %s: %s", waitingFor, describe(w.err))
	case <-time.After(watchBound):
		w.t.Fatalf("no event within %s, waiting for %s", watchBound, waitingFor)
	case <-w.t.ctx.Done():
		w.t.Fatalf("the case's time ran out, waiting for %s", waitingFor)
	}
	panic("unreachable")
}

// Send sends a request, or ends the case.
func (w *Watch) Send(r account.WatchRequest) {
	select {
	case w.Requests <- r:
	case <-w.over:
		w.t.Fatalf("the watch ended before a request could be sent: %s", describe(w.err))
	case <-w.t.ctx.Done():
		w.t.Fatalf("the case's time ran out before a request could be sent")
	}
}

// Beat asks for a heartbeat and returns it, with the snapshots before it.
func (w *Watch) Beat(number uint64) (account.Heartbeat, []account.Snapshot) {
	w.Send(account.WatchRequest{Heartbeat: number})
	var snapshots []account.Snapshot
	for {
		switch e := w.Next(fmt.Sprintf("heartbeat %d", number)); {
		case e.Snapshot != nil:
			snapshots = append(snapshots, *e.Snapshot)
		case e.Heartbeat.Number != number:
			w.t.Errorf("heartbeat %d came, want %d", e.Heartbeat.Number, number)
		default:
			return *e.Heartbeat, snapshots
		}
	}
}

// Close ends the stream and returns what it ended with.
func (w *Watch) Close() error {
	w.end()
	<-w.over
	return w.err
}
