package main

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/clipperhouse/displaywidth"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The screen's lines: how many sessions of which host, what is shown of them,
// what there is to say or to answer, the headings, and the rows.
const (
	messageLine = 2
	aboveRows   = 4
	gutter      = "  "
	selected    = "> "
)

// capacity is how many rows fit.
func (m *watch) capacity() int { return max(m.height-aboveRows, 0) }

func (m *watch) View() tea.View {
	v := tea.View{AltScreen: true}
	if m.width == 0 {
		return v
	}
	lines := []string{m.summary(), m.description(), ""}
	message, painted := m.message()
	lines[messageLine] = painted(shorten(visible(message), m.width))
	if m.mode == filtering {
		v.Cursor = tea.NewCursor(min(displaywidth.String(visible(message)), m.width-1), messageLine)
	}
	if m.mode == helping {
		lines = append(lines, m.help()...)
	} else {
		lines = append(lines, m.table()...)
	}
	v.Content = strings.Join(lines[:min(len(lines), m.height)], "\n")
	return v
}

func (m *watch) summary() string {
	count := "waiting for the host"
	if !m.seen.at.IsZero() {
		count = thousands(m.seen.total) + " sessions"
		if m.seen.total == 1 {
			count = "1 session"
		}
		if first, end := m.visible(); first < end && uint64(end-first) < m.seen.total {
			count = fmt.Sprintf("%s–%s of %s", thousands(uint64(first)+1), thousands(uint64(end)), count)
		}
		count = m.seen.at.Format(time.TimeOnly) + "  " + count
	}
	return m.display.paint(shorten(visible(count+" of "+m.home), m.width), bold)
}

func (m *watch) description() string {
	if m.mode == filtering && m.said != "" {
		return m.display.paint(shorten(visible(capitalized(m.said)), m.width), yellow)
	}
	parts := []string{"by " + m.wanted.Order.String()}
	if m.wanted.Reverse {
		parts[0] += ", reversed"
	}
	if f := filterText(m.wanted); f != "" {
		parts = append(parts, "only "+f)
	}
	if m.paused {
		parts = append(parts, "PAUSED")
	} else {
		parts = append(parts, fmt.Sprintf("every %s", m.interval))
	}
	parts = append(parts, "? help", "q quit")
	return m.display.paint(shorten(visible(strings.Join(parts, " | ")), m.width), dim)
}

// message is what is asked, or what there is to say, the gravest first.
func (m *watch) message() (text string, painted func(string) string) {
	plain := func(s string) string { return s }
	in := func(s style) func(string) string {
		return func(text string) string { return m.display.paint(text, s) }
	}
	switch {
	case m.mode == filtering:
		return "Filter: " + m.input.text, plain
	case m.mode == confirming && m.target.ID == m.own:
		return "That is this very watch; end it? [y/N]", in(yellow)
	case m.mode == confirming:
		return fmt.Sprintf("Disconnect session %s of %s? [y/N]", m.target.ID, m.target.Username), in(yellow)
	case account.KindOf(m.trouble) == account.KindUnavailable, account.KindOf(m.trouble) == account.KindThrottled:
		return fmt.Sprintf("Host unavailable, retrying: %v", m.trouble), in(red)
	case m.trouble != nil:
		return capitalized(m.trouble.Error()), in(red)
	case m.said == "":
		return "", plain
	}
	return capitalized(m.said), plain
}

func (m *watch) help() []string {
	lines := []string{m.display.paint(shorten("KEYS", m.width), bold)}
	for _, k := range watchKeys {
		lines = append(lines, shorten(fmt.Sprintf("%-13s %s", k[0], k[1]), m.width))
	}
	return append(lines, "", m.display.paint(shorten("any key goes back", m.width), dim))
}

// visible are the rows that fit the screen.
func (m *watch) visible() (first, end int) {
	end = min(m.top+m.capacity(), len(m.seen.rows))
	return min(m.top, end), end
}

// table lays out the visible rows. Its columns stay, and get no narrower, as
// rows come and go.
func (m *watch) table() []string {
	first, end := m.visible()
	rows := m.seen.rows[first:end]
	if len(rows) == 0 {
		return []string{gutter + "none"}
	}
	d := m.display
	d.width = max(m.width-len(gutter), 1)
	if m.extents == nil {
		m.extents = sessionsListing.extents()
	}
	cells := sessionsListing.rows(d, rows, m.extents)
	layout := d.fit(sessionsListing.columns, m.extents)
	lines := []string{gutter + sessionsListing.heading(layout, d)}
	for i := range rows {
		if m.top+i != m.cursor {
			lines = append(lines, gutter+sessionsListing.line(layout, d, rows[i], cells[i]))
			continue
		}
		whole := sessionsListing.line(layout, display{}, rows[i], cells[i])
		lines = append(lines, d.paint(selected+whole, inverse))
	}
	return lines
}
