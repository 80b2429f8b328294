package main

import (
	"context"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"github.com/cinchapi/concourse-users/shared/account"
)

// watchScreen fills the terminal with the sessions until it is told to quit, by
// a key or by a signal, neither of which is an error. The terminal is as it was
// when it returns, whatever happened.
func (v *sessionsView) watchScreen(ctx context.Context, c *console, home string, h sessionsHost, connect func(context.Context) (sessionsHost, error)) error {
	f := &feed{connect: connect, host: h}
	defer f.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &watch{
		ctx: ctx, feed: f, display: c.display, home: home, interval: v.interval, most: v.listing.Limit,
		wanted: wanted{SessionListing: v.listing},
	}
	_, m.disconnects = h.(disconnecter)
	// Signals are ours already (command.go).
	p := tea.NewProgram(m, tea.WithInput(os.Stdin), tea.WithOutput(os.Stdout), tea.WithoutSignalHandler())
	stop := context.AfterFunc(ctx, p.Quit)
	defer stop()
	if _, err := p.Run(); err != nil {
		return fmt.Errorf("the watch broke down: %w", err)
	}
	if m.failed == nil && m.leaving {
		return c.say("The session of this watch has been ended")
	}
	return m.failed
}

// session returns the id of the session that the feed looks through, if it has
// one.
func (f *feed) session() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.host.(disconnecter); ok {
		return h.SessionID()
	}
	return ""
}

// watch is the state of a full-screen view of the sessions. Update and View run
// on one goroutine; what asks the host runs on others, and sends its answer.
type watch struct {
	ctx      context.Context
	feed     *feed
	display  display
	home     string
	interval time.Duration
	most     uint32 // rows that --limit lets be seen; 0: any

	disconnects bool // the host is a disconnecter

	wanted  wanted
	seen    seen
	extents []extent // of what was on the screen since its size or the filter changed; nil: nothing
	top     int      // the first row on the screen
	cursor  int      // the selected row
	id      string   // its session, which it follows
	own     string   // the watch's session
	leaving bool     // that is to be ended

	asked  uint64             // number of the last question; answers to others are stale
	giveUp context.CancelFunc // ends that question

	width, height int
	mode          mode
	input         line            // of the filter that is typed
	target        account.Session // that is to be disconnected
	paused        bool
	said          string // what came of the last key
	trouble       error  // why the rows are not fresh
	failed        error  // why it ended
}

// mode is what keys mean.
type mode int

const (
	looking mode = iota
	filtering
	confirming
	helping
)

// What others send to Update.
type (
	answered struct {
		number uint64
		seen   seen
		own    string
		err    error
	}
	due          struct{ number uint64 }
	disconnected struct {
		target account.Session
		err    error
	}
)

// Init waits for the terminal's size, which comes first.
func (m *watch) Init() tea.Cmd { return nil }

func (m *watch) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height, m.extents = msg.Width, msg.Height, nil
		return m, m.refresh()
	case tea.ResumeMsg:
		return m, m.refresh()
	case due:
		if msg.number == m.asked && !m.paused {
			return m, m.refresh()
		}
	case answered:
		if msg.number == m.asked {
			return m, m.take(msg)
		}
	case disconnected:
		return m, m.ended(msg)
	case tea.PasteMsg:
		if m.mode == filtering {
			m.input.insert(msg.Content)
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
}

// refresh asks for what is wanted now, and forgets the question before.
func (m *watch) refresh() tea.Cmd {
	if m.giveUp != nil {
		m.giveUp()
	}
	ctx, cancel := context.WithCancel(m.ctx)
	m.giveUp = cancel
	m.asked++
	number, w := m.asked, m.wanted
	// A screen more than is seen, so that there is something to scroll to.
	if w.Limit = uint32(m.top + 2*max(m.capacity(), 1)); m.most > 0 {
		w.Limit = min(w.Limit, m.most)
	}
	return func() tea.Msg {
		defer cancel()
		s, err := m.feed.look(ctx, w)
		return answered{number, s, m.feed.session(), err}
	}
}

// take shows an answer, and arranges for the next one.
func (m *watch) take(a answered) tea.Cmd {
	switch m.trouble = a.err; account.KindOf(a.err) {
	case account.KindNotAuthenticated, account.KindNotPermitted:
		return m.fail(a.err)
	}
	if a.err == nil {
		m.seen, m.own = a.seen, a.own
		m.follow()
	}
	return tea.Tick(m.interval, func(time.Time) tea.Msg { return due{a.number} })
}

// fail ends the watch. That a session is gone which it was told to end is no
// failure.
func (m *watch) fail(err error) tea.Cmd {
	if !m.leaving || account.KindOf(err) != account.KindNotAuthenticated {
		m.failed = err
	}
	return tea.Quit
}

// follow keeps the selection on its session. When that is gone, whoever took its
// place is selected.
func (m *watch) follow() {
	for i, r := range m.seen.rows {
		if r.ID == m.id {
			m.cursor = i
		}
	}
	m.selectRow(m.cursor)
}

func (m *watch) selectRow(i int) {
	m.cursor = max(min(i, len(m.seen.rows)-1), 0)
	m.id = ""
	if m.cursor < len(m.seen.rows) {
		m.id = m.seen.rows[m.cursor].ID
	}
	visible := max(m.capacity(), 1)
	m.top = max(min(m.top, m.cursor), m.cursor-visible+1)
	m.top = max(min(m.top, len(m.seen.rows)-visible), 0)
}

// ended says what came of a disconnect.
func (m *watch) ended(d disconnected) tea.Cmd {
	who := "session " + d.target.ID + " of " + d.target.Username
	switch kind := account.KindOf(d.err); {
	case kind == account.KindNotAuthenticated:
		return m.fail(d.err)
	case d.err == nil && m.leaving:
		return tea.Quit
	case d.err == nil:
		m.said = who + " has been disconnected"
	case kind == account.KindNotFound:
		m.said = who + " had ended already"
	default:
		m.said = d.err.Error()
	}
	m.leaving = false
	return m.refresh()
}

// mayStop reports whether there is a shell that could let a stopped process go
// on. Without one, stopping would be for ever.
func mayStop() bool {
	parent := unix.Getppid()
	session, err := unix.Getsid(parent)
	own, errOwn := unix.Getsid(0)
	group, errGroup := unix.Getpgid(parent)
	return err == nil && errOwn == nil && errGroup == nil && session == own && group != unix.Getpgrp()
}
