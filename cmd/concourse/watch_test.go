package main_test

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// watched is a watch on a terminal.
type watched struct {
	*screen
	sizes []resized
}

// resized is a size that the terminal has from a point of its output on.
type resized struct {
	from int
	size pty.Winsize
}

// watch runs the invocation on a terminal of 100 by 20.
func watch(t *testing.T, in invocation) *watched {
	t.Helper()
	size := pty.Winsize{Rows: 20, Cols: 100}
	in.env = append(in.env, "TERM=xterm-256color")
	return &watched{screen: showOn(t, command(t, in), size), sizes: []resized{{0, size}}}
}

// sees returns what is to be seen now.
func (w *watched) sees() *emulator {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.shown.String()
	e := newEmulator(int(w.sizes[0].size.Cols), int(w.sizes[0].size.Rows))
	for i, r := range w.sizes {
		until := len(all)
		if i+1 < len(w.sizes) {
			until = w.sizes[i+1].from
		}
		e.resize(int(r.size.Cols), int(r.size.Rows))
		e.write(all[r.from:until])
	}
	return e
}

func (w *watched) resize(columns, rows int) {
	w.t.Helper()
	size := pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)}
	w.mu.Lock()
	w.sizes = append(w.sizes, resized{w.screen.shown.Len(), size})
	w.mu.Unlock()
	if err := pty.Setsize(w.master, &size); err != nil {
		w.t.Fatal(err)
	}
}

// shows waits until what is to be seen matches the pattern, from top to bottom.
func (w *watched) shows(pattern string) []string {
	w.t.Helper()
	is := regexp.MustCompile("(?s)" + pattern)
	var lines []string
	deadline := time.After(30 * time.Second)
	for {
		lines = w.sees().lines()
		if is.MatchString(strings.Join(lines, "\n")) {
			return lines
		}
		select {
		case <-w.news:
		case <-deadline:
			w.t.Fatalf("the screen never shows %q; it shows\n%s", pattern, strings.Join(lines, "\n"))
		}
	}
}

func (w *watched) press(keys string) {
	w.t.Helper()
	if _, err := w.master.WriteString(keys); err != nil {
		w.t.Fatal(err)
	}
}

// quits checks that the watch has ended with the code, and left the terminal as
// it was: its modes, its screen, its cursor.
func (w *watched) quits(code int, after string) {
	w.t.Helper()
	_ = w.cmd.Wait()
	if got := w.cmd.ProcessState.ExitCode(); got != code {
		w.t.Errorf("exit code %d, want %d", got, code)
	}
	w.shows(after)
	if e := w.sees(); e.alternate || e.hidden {
		w.t.Errorf("the terminal is left on the alternate screen: %v; without a cursor: %v", e.alternate, e.hidden)
	}
	w.expectModes()
}

func TestWatch(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	c := h.Admin()
	jeff(t, c)
	if _, err := c.Edit(t.Context(), account.RequestID{}, account.Edit{Username: "jeff", Role: account.Admin}); err != nil {
		t.Fatal(err)
	}
	first, second := h.As("jeff", "jeff likes jam"), h.As("jeff", "jeff likes jam")

	w := watch(t, as(h, "users", "sessions", "--watch", "--interval", "200ms"))
	w.shows(`(?m)4 sessions of .*\nby connected \| every 200ms.*\n\n  USERNAME +ROLE +SESSION.*\n> admin .*\n  jeff .*\n  jeff .*\n  admin .*this s`)

	w.press("ss")
	w.shows(`by address \|`)
	w.press("ssssssr") // all the way round
	w.shows(`by account, reversed \|.*\n  jeff .*\n  jeff .*\n.*admin .*\n.*admin `)
	w.press("?")
	w.shows(`KEYS\n.*disconnect the selected session`)
	w.press("x")
	w.shows(`USERNAME`)

	w.press("/")
	w.shows(`Filter:`)
	w.press("acount=jeff\r")
	w.shows(`\n"acount" is no filter; use account=, address=, environment= or transaction=open\nFilter: acount=jeff\n`)
	w.press("\x15transaction=closed\r")
	w.shows(`\nA transaction can only be looked for as transaction=open\nFilter: transaction=closed\n`)
	w.press("\x15transaction=open\r")
	w.shows(`0 sessions of .*only transaction=open.*\n  none`)
	w.press("f account=jeff\r")
	w.shows(`0 sessions of .*only transaction=open account=jeff.*\n  none`)
	w.press("f\x15account=jeff\r")
	w.shows(`2 sessions of .*only account=jeff.*\n[> ] jeff .*\n[> ] jeff .*\n\n`)

	// The other row, whichever it is, stays.
	lines := w.shows(`> jeff`)
	ids := map[bool]string{}
	for _, l := range lines[4:6] {
		ids[strings.HasPrefix(l, "> ")] = strings.Fields(strings.TrimPrefix(l, "> "))[2]
	}
	w.press("d")
	w.shows(`Disconnect session ` + ids[true] + ` of jeff\? \[y/N\]`)
	w.press("n")
	w.shows(`Nothing was disconnected`)
	w.press("d")
	w.shows(`\[y/N\]`)
	w.press("y")
	w.shows(`1 session of .*Session ` + ids[true] + ` of jeff has been disconnected\n.*\n> jeff .* ` + ids[false])
	live := 0
	for _, s := range []*management.Client{first, second} {
		if _, err := s.Request(t.Context()); err == nil {
			live++
		} else if account.KindOf(err) != account.KindNotAuthenticated {
			t.Error(err)
		}
	}
	if live != 1 {
		t.Errorf("%d of jeff's sessions live, want 1", live)
	}

	w.press("fzzz\x7f\x7f\x7f\x7f\x1b") // typed, erased, and left
	w.shows(`only account=jeff`)
	w.press("f\x15JEFF\r") // a text, whatever its case
	w.shows(`1 session of .*only JEFF`)
	w.press(" ")
	w.shows(`PAUSED`)
	w.press(" ")
	w.shows(`every 200ms`)
	w.press("f\x15\r")
	w.shows(`3 sessions`)

	w.resize(40, 6)
	w.shows(`1–2 of 3 sessions.*\n  USERNAME  SESSION .*\n[> ] \w+ +\w{10}`)
	w.press("G")
	w.shows(`2–3 of 3 sessions.*\n> (jeff|admin) .*$`)
	w.press("q")
	w.quits(0, `^$|\A\s*\z`)
}

// The watch's own session is one that it can end, once it is clear which it is.
func TestWatchEndsItself(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	w := watch(t, as(h, "users", "sessions", "--watch", "--interval", "100ms"))
	w.shows(`1 session of .*\n> admin .*this s`)
	w.press("d")
	w.shows(`That is this very watch; end it\? \[y/N\]`)
	w.press("n")
	w.shows(`Nothing was disconnected`)
	w.press("d")
	w.shows(`\[y/N\]`)
	w.press("y")
	w.quits(0, `\AThe session of this watch has been ended\n`)
}

// Columns stay where they are, whatever the rows do.
func TestWatchKeepsColumns(t *testing.T) {
	t.Parallel()
	var plain atomic.Bool
	f := serve(t, &fakeHost{sessions: func(send func(*managementv1.SessionsResponse) error) error {
		if plain.Load() {
			row := sessionRows[1]
			row.Client, row.Environment, row.OpenTransactions, row.Note = "", "", nil, ""
			row.RemoteAddress = "::1"
			return send(answerOf([]account.Session{row}, 1))
		}
		return send(answerOf(sessionRows, 2))
	}})
	w := watch(t, f.as("users", "sessions", "--watch", "--interval", "100ms"))
	before := w.shows(`2 sessions of .*\n> root .*\n  bob `)[3]
	plain.Store(true)
	if after := w.shows(`1 session of .*\n> bob `)[3]; after != before {
		t.Errorf("the headings were\n%s\nand are\n%s", before, after)
	}
	w.press("faccount=bob\r")
	w.shows(`only account=bob.*\n  USERNAME  ROLE  SESSION  ADDRESS  LISTENER  CONNECTED SINCE +CONNECTIONS `)
	w.press("q")
	w.quits(0, `\A\s*\z`)
}
