package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// hostileTexts are what somebody may call themselves to play tricks on whoever
// looks at a terminal.
var hostileTexts = []string{
	"", "jeff", "zoë", "\x1b[2J", "\x1b]0;title\x07", "a\u009b31mb", "jeff\u202enimda", "ad\u200bmin", "\u2066x\u2069", "\xff\xfe", "\ufffd", "\U000e0041",
	"it's", `a\b`, "$(touch /tmp/x)", "`id`", "a\nb", "a\r", "-rf", "~", "*", "#x", "\u00a0", "\u3000", "क्\u200dष", "a\u0301\u0301\u0301\u0301", "👩\u200d👩\u200d👧",
	strings.Repeat("W", 300), "!!", "\u2028",
}

// prints reports whether a text is shown as it is, on one line.
func prints(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzVisible: whatever is shown prints, is shown again as it is, and in JSON
// means what it meant.
func FuzzVisible(f *testing.F) {
	for _, seed := range hostileTexts {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := visible(text)
		if !prints(shown) || visible(shown) != shown || prints(text) && shown != text {
			t.Errorf("%q is shown as %q", text, shown)
		}
		line, err := encodeJSON(map[string]string{"v": text})
		if err != nil || !prints(line) {
			t.Fatalf("%q is written as %q, %v", text, line, err)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(line), &back); err != nil || back["v"] != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Errorf("%q is written as %s, and read as %q, %v", text, line, back["v"], err)
		}
		if cut := shorten(shown, 20); !prints(cut) || len(cut) > len(shown)+len(ellipsis) {
			t.Errorf("%q is cut to %q", shown, cut)
		}
	})
}

// FuzzQuotedWord: a shell reads back what was quoted, and a terminal shows it.
func FuzzQuotedWord(f *testing.F) {
	for _, seed := range hostileTexts {
		f.Add(seed)
	}
	shell := exec.Command("bash", "--norc", "--noprofile")
	in, err := shell.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	shell.Env, shell.Dir = []string{"LC_ALL=C.UTF-8", "PATH="}, f.TempDir()
	if err := shell.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { in.Close(); shell.Wait() })
	answers := bufio.NewReader(out)
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsRune(word, 0) {
			return // no argument has one
		}
		quoted := quotedWord(word)
		if !prints(quoted) {
			t.Fatalf("%q is quoted as %q", word, quoted)
		}
		if _, err := in.Write([]byte("printf '%s\\0' " + quoted + "\n")); err != nil {
			t.Fatal(err)
		}
		got, err := answers.ReadString(0)
		if err != nil || strings.TrimSuffix(got, "\x00") != word {
			t.Errorf("%q is quoted as %s, which is %q to a shell, %v", word, quoted, got, err)
		}
	})
}

// FuzzArguments gives every command's parser whatever may stand on a command
// line, one word on each line: it is taken, or refused as the caller's mistake, in
// words that print and repeat no password.
func FuzzArguments(f *testing.F) {
	all := commands()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), isGroup)
	for i, name := range names {
		f.Add(byte(i), "jeff\n--format=json\n--help")
		f.Add(byte(i), "--password\nhunter2hunter2hunter2\n--password-file=-\n--set-password=hunter2hunter2hunter2")
		if strings.HasPrefix(name, "users ") {
			f.Add(byte(i), "--set-role=\x1b\n-e\n\u202e\n--limit=-1")
			f.Add(byte(i), "--no-such\n-x\n---\n--=\n-\n--wide=maybe\n--request-id=0\n--\n--help")
		}
	}
	f.Fuzz(func(t *testing.T, which byte, line string) {
		name := names[int(which)%len(names)]
		made, err := all[name]()
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Split(line, "\n")
		_, err = made.(*command).options.parse(args)
		if err == nil {
			return
		}
		if account.KindOf(err) != account.KindInvalid {
			t.Errorf("%s %q is refused with %v", name, args, err)
		}
		var text bytes.Buffer
		fail(&text, asksForJSON(args), err)
		for shown := range strings.Lines(text.String()) {
			if !prints(strings.TrimSuffix(shown, "\n")) {
				t.Errorf("%s %q is refused with %q", name, args, shown)
			}
		}
		if secret := "hunter2hunter2hunter2"; strings.Count(line, secret) == strings.Count(line, "password="+secret)+strings.Count(line, "password\n"+secret) && strings.Contains(text.String(), secret) {
			t.Errorf("%s %q repeats the password: %s", name, args, &text)
		}
	})
}

var styled = regexp.MustCompile(`\x1b\[[0-9]*m`)

// FuzzTable lists accounts and sessions of whatever names on a terminal: a row
// stays a row, and nothing but the table's own colours reaches the terminal.
func FuzzTable(f *testing.F) {
	for _, seed := range hostileTexts {
		f.Add(seed, "java", uint8(80))
		f.Add("root", seed, uint8(20))
	}
	f.Fuzz(func(t *testing.T, username, client string, width uint8) {
		d := display{terminal: true, human: true, width: int(width), colour: true}
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		a := account.Account{Username: username, Role: account.User, Grants: account.Grants{"default": {account.Read}}}
		rows := []management.ListedAccount{{Account: a}, {Account: account.Account{Username: "root"}}}
		show, end := accountsListing.table(w, d)
		if err := show(rows); err != nil {
			t.Fatal(err)
		}
		s := account.Session{ID: "2222222222", Username: username, Client: client, Note: client, Environment: client}
		showSession, endSession := sessionsListing.table(w, d)
		if err := showSession([]account.Session{s, {ID: "3333333333"}}); err != nil {
			t.Fatal(err)
		}
		end()
		endSession()
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) > 16 {
			t.Errorf("four rows became %d lines", len(lines))
		}
		for _, line := range lines {
			if plain := styled.ReplaceAllString(line, ""); !prints(plain) {
				t.Errorf("a line is %q", line)
			}
		}
	})
}
