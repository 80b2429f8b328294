package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// watchKeys is what ? shows.
var watchKeys = [][2]string{
	{"s", "the next order to sort by"},
	{"r", "the other way round"},
	{"f /", "filter: account=NAME address=ADDRESS environment=NAME"},
	{"", "transaction=open, or a text that a row has; empty: all"},
	{"up down j k", "select a session; also Page Up, Page Down, Home, End"},
	{"d", "disconnect the selected session"},
	{"Space", "pause, go on"},
	{"q Esc Ctrl-C", "quit"},
}

func (m *watch) key(k tea.KeyPressMsg) tea.Cmd {
	if name := k.String(); name == "ctrl+c" {
		return tea.Quit
	} else if name == "ctrl+z" {
		if mayStop() {
			return tea.Suspend
		}
		return nil
	}
	switch m.mode {
	case filtering:
		return m.filterKey(k)
	case confirming:
		return m.confirmKey(k)
	case helping:
		m.mode = looking
		return nil
	}
	return m.lookKey(k)
}

func (m *watch) lookKey(k tea.KeyPressMsg) tea.Cmd {
	m.said = ""
	switch k.String() {
	case "q", "esc":
		return tea.Quit
	case "?", "h":
		m.mode = helping
	case "s":
		m.wanted.Order = session.Order((int(m.wanted.Order) + 1) % len(session.Orders))
		return m.refresh()
	case "r":
		m.wanted.Reverse = !m.wanted.Reverse
		return m.refresh()
	case "f", "/":
		m.mode, m.input = filtering, line{text: filterText(m.wanted)}
	case "d":
		switch {
		case !m.disconnects:
			m.said = "disconnecting takes an account: 'concourse users sessions --watch'"
		case m.cursor < len(m.seen.rows):
			m.mode, m.target = confirming, m.seen.rows[m.cursor]
		}
	case "space":
		if m.paused = !m.paused; !m.paused {
			return m.refresh()
		}
	case "up", "k":
		return m.move(-1)
	case "down", "j":
		return m.move(1)
	case "pgup":
		return m.move(-m.capacity())
	case "pgdown":
		return m.move(m.capacity())
	case "home", "g":
		return m.move(-len(m.seen.rows))
	case "end", "G":
		return m.move(len(m.seen.rows))
	}
	return nil
}

// move selects another row, and asks for more where the rows at hand end.
func (m *watch) move(by int) tea.Cmd {
	m.selectRow(m.cursor + by)
	n := len(m.seen.rows)
	if uint64(n) < m.seen.total && m.top+2*m.capacity() > n && (m.most == 0 || n < int(m.most)) && !m.paused {
		return m.refresh()
	}
	return nil
}

// confirmKey takes y for yes, and everything else for no.
func (m *watch) confirmKey(k tea.KeyPressMsg) tea.Cmd {
	m.mode = looking
	if k.String() != "y" && k.String() != "Y" {
		m.said = "nothing was disconnected"
		return nil
	}
	target := m.target
	m.leaving = target.ID == m.own
	return func() tea.Msg { return disconnected{target, m.feed.disconnect(m.ctx, target.ID)} }
}

func (m *watch) filterKey(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.mode, m.said = looking, ""
	case "enter":
		f, text, err := parseFilter(m.input.text)
		if err != nil {
			m.said = err.Error()
			return nil
		}
		m.mode, m.said = looking, ""
		m.wanted.SessionFilter, m.wanted.text, m.top = f, text, 0
		m.extents = nil
		return m.refresh()
	case "backspace":
		m.input.erase()
	case "ctrl+u":
		m.input = line{}
	default:
		m.input.insert(k.Text)
	}
	return nil
}

// inTransaction is the filter for sessions that hold a transaction open.
const inTransaction = "transaction=open"

// parseFilter reads account=, address=, environment= and transaction=open; the
// words between them are one text to look for. It refuses with Invalid.
func parseFilter(text string) (f management.SessionFilter, words string, err error) {
	var free []string
	for _, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case !ok:
			free = append(free, word)
		case value == "":
			return f, "", account.Invalid("filter", "%s= needs a value", account.Printable(name))
		case name == "account":
			if f.Account, err = account.NormalizeUsername(value); err != nil {
				return f, "", err
			}
		case name == "address":
			if f.Address, err = value, session.CheckAddress(value); err != nil {
				return f, "", err
			}
		case name == "environment":
			if f.Environment, err = value, account.CheckEnvironment(value); err != nil {
				return f, "", err
			}
		case word == inTransaction:
			f.InTransaction = true
		case name == "transaction":
			return f, "", account.Invalid("filter", "a transaction can only be looked for as %s", inTransaction)
		default:
			return f, "", account.Invalid("filter", "%q is no filter; use account=, address=, environment= or %s", account.Printable(name), inTransaction)
		}
	}
	return f, strings.Join(free, " "), nil
}

// filterText is what parseFilter would read.
func filterText(w wanted) string {
	var words []string
	if w.InTransaction {
		words = append(words, inTransaction)
	}
	for _, of := range [][2]string{{"account=", w.Account}, {"address=", w.Address}, {"environment=", w.Environment}, {"", w.text}} {
		if of[1] != "" {
			words = append(words, of[0]+of[1])
		}
	}
	return strings.Join(words, " ")
}

// line is a line that is being typed.
type line struct{ text string }

func (l *line) insert(s string) {
	for _, r := range s {
		if unicode.IsPrint(r) && len(l.text) < 256 {
			l.text += string(r)
		}
	}
}

func (l *line) erase() {
	_, n := utf8.DecodeLastRuneInString(l.text)
	l.text = l.text[:len(l.text)-n]
}
