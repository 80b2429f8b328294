package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"
	"github.com/creack/pty"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// printed returns what the invocation prints on a terminal of that width.
func printed(t *testing.T, in invocation, columns int) (lines []string) {
	t.Helper()
	s := showOn(t, command(t, in), pty.Winsize{Rows: 24, Cols: uint16(columns)})
	_ = s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.slave.Close() // the last one: the reader sees the end after the rest
	<-s.done
	return strings.Split(strings.TrimSuffix(s.text(), "\n"), "\n")
}

// wideRows have names and texts that are wider on a terminal than they are long,
// and marks that take no room.
var wideRows = []account.Session{
	{
		ID: "aaaaaaaaaa", Username: "山田太郎", Role: account.Admin, RemoteAddress: "[2001:db8:85a3::8a2e:370:7334]:52013",
		Listener: account.ClientListener, Client: "ドライバー 1.2.3 for everything", Environment: "a_rather_long_name_of_an_environment",
		Calls: 12345, CurrentCall: &account.Call{Method: "findAndSelectEverythingThatMatches", Since: moment}, Note: "cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301",
		OpenTransactions: []account.Transaction{{ID: "t1", Since: moment}, {ID: "t2", Since: moment}},
	},
	{ID: "bbbbbbbbbb", Username: "jeff", Role: account.User, RemoteAddress: "10.0.0.7:9", Listener: account.ClientListener},
}

func serveWide(t *testing.T) *fakeHost {
	return serve(t, &fakeHost{
		sessions: func(send func(*managementv1.SessionsResponse) error) error {
			rows := slices.Clone(wideRows)
			rows[0].ConnectedSince = time.Now().Add(-3*time.Minute - 10*time.Second)
			rows[1].ConnectedSince = moment
			return send(answerOf(rows, 1234567))
		},
		accounts: func(send func(*managementv1.ListResponse) error) error {
			grants := account.Grants{}
			for i := range 100 {
				grants[fmt.Sprintf("environment%02d", i)] = []account.Permission{account.Read, account.Write}
			}
			return send(&managementv1.ListResponse{Accounts: []*managementv1.ListedAccount{
				{Account: wire.AccountToProto(account.Account{ID: "1", Username: "山田太郎", Role: account.Admin, Enabled: true, CreatedAt: moment, Grants: grants})},
				{Account: wire.AccountToProto(account.Account{ID: "2", Username: "jeff", Role: account.User, CreatedAt: moment, LastLoginAt: moment})},
			}})
		},
	})
}

// No line is wider than the terminal, and what it takes to act on a row is there.
func TestTableFits(t *testing.T) {
	t.Parallel()
	f := serveWide(t)
	for _, width := range []int{200, 80, 40, 20} {
		t.Run(fmt.Sprintf("sessions/%d", width), func(t *testing.T) {
			lines := printed(t, f.as("users", "sessions"), width)
			expectFits(t, lines, width)
			text := strings.Join(lines, "\n")
			for _, want := range []string{"aaaaaaaaaa", "bbbbbbbbbb", "山田太郎", "jeff"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s is not among\n%s", want, text)
				}
			}
			if last := lines[len(lines)-1]; !strings.HasPrefix("cut to fit; --wide shows all", strings.TrimSuffix(last, "…")) {
				t.Errorf("how to see all is not said: %q", last)
			}
		})
		t.Run(fmt.Sprintf("list/%d", width), func(t *testing.T) {
			lines := printed(t, f.as("users", "list"), width)
			expectFits(t, lines, width)
			if !strings.HasPrefix(lines[1], "山田太郎") || !strings.HasPrefix(lines[2], "jeff") {
				t.Errorf("it lists %q", lines)
			}
		})
	}
	t.Run("ColumnsAreInLine", func(t *testing.T) {
		lines := printed(t, f.as("users", "sessions"), 80)
		column := func(line, text string) int { return displaywidth.String(line[:strings.Index(line, text)]) }
		if a, b := column(lines[2], "aaaaaaaaaa"), column(lines[3], "bbbbbbbbbb"); a != b || a != column(lines[1], "SESSION") {
			t.Errorf("the ids stand in columns %d and %d of\n%s", a, b, strings.Join(lines, "\n"))
		}
	})
	t.Run("Narrower", func(t *testing.T) {
		for _, width := range []int{1, 5, 19} {
			if lines := printed(t, f.as("users", "sessions"), width); !strings.Contains(strings.Join(lines, "\n"), "aaaaaaaaaa") {
				t.Errorf("%d columns: %q", width, lines)
			}
		}
	})
	t.Run("Wide", func(t *testing.T) {
		lines := printed(t, f.as("users", "sessions", "--wide"), 40)
		text := strings.Join(lines, "\n")
		for _, want := range []string{"2026-11-23T10:48:31Z", "a_rather_long_name_of_an_environment", "ドライバー 1.2.3 for everything", "OPEN TRANSACTIONS"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not among\n%s", want, text)
			}
		}
		if strings.Contains(text, "…") || strings.Contains(text, "cut to fit") {
			t.Errorf("something is cut:\n%s", text)
		}
	})
	t.Run("NoTerminal", func(t *testing.T) {
		o := run(t, f.as("users", "list"))
		if strings.Contains(o.stdout, "…") || !strings.Contains(o.stdout, "environment99") || !strings.Contains(o.stdout, "2026-11-23T10:48:31Z") {
			t.Errorf("it prints %s", o.stdout)
		}
	})
}

// What is no table of rows fits, too: settings are cut, sentences break between
// words, below what they began with.
func TestTextFits(t *testing.T) {
	t.Parallel()
	h := hosttest.Start(t)
	config := invocation{args: []string{"config", "--home", h.Home, "--set", "upstream.username=" + strings.Repeat("u", 200)}}
	lines := printed(t, config, 80)
	expectFits(t, lines, 80)
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "uuu…") || !strings.Contains(text, "--wide shows all") {
		t.Errorf("the settings are\n%s", text)
	}
	config.args = append(config.args, "--wide")
	if text := strings.Join(printed(t, config, 80), "\n"); !strings.Contains(text, strings.Repeat("u", 200)) {
		t.Errorf("all of the settings are\n%s", text)
	}
	status := strings.Join(printed(t, invocation{args: []string{"plugin", "status", "--home", h.Home}}, 40), "\n")
	if !regexp.MustCompile(`(?m)^Capabilities: change, durable, apply,\n {14}export, backup, recover,\n {14}restore$`).MatchString(status) {
		t.Errorf("the status is\n%s", status)
	}
}

// Who holds a lock, for how long, and what it does meanwhile is there where little
// else fits.
func TestTableOfALock(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	f := serve(t, &fakeHost{sessions: func(send func(*managementv1.SessionsResponse) error) error {
		return send(answerOf([]account.Session{
			{
				ID: "aaaaaaaaaa", Username: "jeff", Role: account.User, RemoteAddress: "192.168.100.107:52013", Listener: account.ClientListener,
				Client: "thrift multiplexed", Environment: "billing", ConnectedSince: ago(3 * time.Hour), Calls: 12345, Connections: 3,
				CurrentCall:      &account.Call{Method: "addKeyValueRecord", Since: ago(12*time.Minute + time.Second)},
				OpenTransactions: []account.Transaction{{ID: "t1", Since: ago(75*time.Minute + time.Second), Environment: "billing"}, {ID: "t2", Since: ago(time.Minute), Environment: "stock"}},
			},
			{
				ID: "bbbbbbbbbb", Username: "ana", Role: account.User, RemoteAddress: "192.168.100.108:52013", Listener: account.ClientListener,
				Environment: "billing", ConnectedSince: ago(time.Hour), Connections: 1,
				OpenTransactions: []account.Transaction{{ID: "t3", Since: ago(3*time.Hour + 5*time.Minute + time.Second), Environment: "billing"}},
			},
		}, 2))
	}})
	for width, want := range map[int]string{
		200: `(?m)^jeff .* billing .* 3  +12345  12 min in addKeyValueRecord  75 min \(2\) in billing, stock$`,
		120: `(?m)^jeff +aaaaaaaaaa  192\.168\.100\.107:52013  billing      12 min in addKeyValueRecord  75 min \(2\) in billing, stock$`,
		80:  `(?m)^jeff +aaaaaaaaaa  192\.168.* billing .* 12 min in .*…  75 min \(2\) in bi…$`,
	} {
		lines := printed(t, f.as("users", "sessions"), width)
		expectFits(t, lines, width)
		text := strings.Join(lines, "\n")
		for _, want := range []string{want, `(?m)^ana .*bbbbbbbbbb  .* - +3 h 5 min in (billing|bil…)$`} {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("at %d columns it prints\n%s\nwant %s", width, text, want)
			}
		}
	}
}

// A long name takes the columns of no other row.
func TestTableOfALongName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("averylongname", 9)
	accounts := []*managementv1.ListedAccount{
		{Account: wire.AccountToProto(account.Account{ID: "1", Username: long, Role: account.User, Enabled: true, CreatedAt: moment})},
		{Account: wire.AccountToProto(account.Account{ID: "2", Username: "jeff", Role: account.User, CreatedAt: moment, LastLoginAt: moment})},
	}
	rows := slices.Clone(wideRows)
	rows[0].Username = long
	f := serve(t, &fakeHost{
		accounts: func(send func(*managementv1.ListResponse) error) error {
			return send(&managementv1.ListResponse{Accounts: accounts})
		},
		sessions: func(send func(*managementv1.SessionsResponse) error) error {
			return send(answerOf(rows, 0))
		},
	})
	for _, width := range []int{80, 90} {
		got := strings.Join(printed(t, f.as("users", "list"), width), "\n")
		want := regexp.MustCompile(`\AUSERNAME +ROLE  STATE      LAST LOGIN +SESSIONS  GRANTS\n` +
			long + `\n +USER  enabled    never +0         -\n` +
			`jeff +USER  suspended  .* 10:48  0         -\z`)
		expectFits(t, strings.Split(strings.Replace(got, long, "", 1), "\n"), width)
		if !want.MatchString(got) {
			t.Errorf("at %d columns it prints\n%s", width, got)
		}
	}
	t.Run("Sessions", func(t *testing.T) {
		lines := printed(t, f.as("users", "sessions"), 80)
		expectFits(t, lines, 80)
		if text := strings.Join(lines, "\n"); !strings.Contains(text, "averylong") || !strings.Contains(text, "OPEN TRANSACTIONS") {
			t.Errorf("it prints\n%s", text)
		}
	})
}

func expectFits(t *testing.T, lines []string, width int) {
	t.Helper()
	for _, l := range lines {
		if w := displaywidth.String(l); w > width {
			t.Errorf("%d columns take %q, of a terminal of %d", w, l, width)
		}
	}
}

func TestShowingSomeOfMany(t *testing.T) {
	t.Parallel()
	f := serveWide(t)
	lines := printed(t, f.as("users", "sessions", "--limit", "2"), 0)
	if last := lines[len(lines)-1]; last != "showing 2 of 1,234,567" {
		t.Errorf("the last line is %q", last)
	}
	if o := run(t, f.as("users", "sessions", "--limit", "2")); strings.Contains(o.stdout, "showing") {
		t.Errorf("a pipe gets %q", o.stdout)
	}
}

var escape = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func TestColour(t *testing.T) {
	t.Parallel()
	f := serveWide(t)
	in := func(args []string, env ...string) invocation {
		i := f.as(args...)
		i.env = append(i.env, env...)
		return i
	}
	list := []string{"users", "list"}
	t.Run("Terminal", func(t *testing.T) {
		lines := printed(t, in(list, "TERM=xterm"), 80)
		if !strings.HasPrefix(lines[0], "\x1b[1mUSERNAME\x1b[m") || !strings.Contains(lines[2], "\x1b[33msuspended\x1b[m") || escape.MatchString(lines[1]) {
			t.Errorf("it prints %q", lines)
		}
		expectFits(t, strings.Split(escape.ReplaceAllString(strings.Join(lines, "\n"), ""), "\n"), 80)
	})
	for name, i := range map[string]invocation{
		"NoColor":      in(list, "TERM=xterm", "NO_COLOR=1"),
		"NoColorOfAny": in(list, "TERM=xterm", "NO_COLOR=false"),
		"Dumb":         in(list, "TERM=dumb"),
		"NoTERM":       in(list),
		"JSON":         in(append(list, "--format", "json"), "TERM=xterm"),
	} {
		t.Run(name, func(t *testing.T) {
			if lines := printed(t, i, 80); escape.MatchString(strings.Join(lines, "\n")) {
				t.Errorf("it prints %q", lines)
			}
		})
	}
	t.Run("EmptyNoColor", func(t *testing.T) {
		if lines := printed(t, in(list, "TERM=xterm", "NO_COLOR="), 80); !escape.MatchString(lines[0]) {
			t.Errorf("it prints %q", lines)
		}
	})
	t.Run("Error", func(t *testing.T) {
		s := open(t, in([]string{"users", "nonsense"}, "TERM=xterm"))
		s.awaitText("\x1b[31mERROR:\x1b[m \"nonsense\" is not a subcommand")
		s = open(t, in([]string{"users", "nonsense"}, "TERM=xterm", "NO_COLOR=1"))
		s.awaitText("ERROR: \"nonsense\" is not a subcommand")
	})
	t.Run("Pipe", func(t *testing.T) {
		o := run(t, in([]string{"users", "nonsense"}, "TERM=xterm"))
		if o.stdout != "" || !strings.HasPrefix(o.stderr, "ERROR: ") {
			t.Errorf("%q, %q", o.stdout, o.stderr)
		}
		if o := run(t, in(list, "TERM=xterm")); escape.MatchString(o.stdout) {
			t.Errorf("a pipe gets %q", o.stdout)
		}
	})
}
