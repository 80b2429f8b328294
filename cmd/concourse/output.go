package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// The JSON below is what scripts rely on (docs/design.md): fields are added,
// never renamed.

type jsonAccount struct {
	Username          string                          `json:"username"`
	Role              account.Role                    `json:"role"`
	Enabled           bool                            `json:"enabled"`
	Grants            map[string][]account.Permission `json:"grants"`
	CreatedAt         *time.Time                      `json:"created_at"`
	PasswordChangedAt *time.Time                      `json:"password_changed_at"`
	LastLoginAt       *time.Time                      `json:"last_login_at"`
	Sessions          uint64                          `json:"sessions"`
}

func newJSONAccount(a management.ListedAccount) jsonAccount {
	grants := map[string][]account.Permission(a.Grants)
	if grants == nil {
		grants = map[string][]account.Permission{}
	}
	return jsonAccount{
		a.Username, a.Role, a.Enabled, grants,
		jsonTime(a.CreatedAt), jsonTime(a.PasswordChangedAt), jsonTime(a.LastLoginAt), a.Sessions,
	}
}

type jsonChange struct {
	jsonAccount
	Changed     bool   `json:"changed"`
	Environment string `json:"environment,omitempty"` // of a grant or revoke
	Note        string `json:"note,omitempty"`
}

type jsonDeletion struct {
	Username string `json:"username"`
	Changed  bool   `json:"changed"`
}

// newJSONChange returns the account after the change, or the shape of a
// deletion when there is none: it is gone, or the name is another's by the time
// that a request is repeated.
func newJSONChange(r management.Result) any {
	if r.Gone || r.Role == "" {
		return jsonDeletion{r.Username, r.Changed}
	}
	return jsonChange{newJSONAccount(r.ListedAccount), r.Changed, r.Environment, r.Note}
}

type jsonSession struct {
	ID               string            `json:"id"`
	Host             string            `json:"host"`
	Username         string            `json:"username"`
	Role             account.Role      `json:"role"`
	RemoteAddress    string            `json:"remote_address"`
	Listener         account.Listener  `json:"listener"`
	Client           string            `json:"client"`
	Environment      string            `json:"environment"`
	ConnectedSince   *time.Time        `json:"connected_since"`
	LastActive       *time.Time        `json:"last_active"`
	Calls            uint64            `json:"calls"`
	Connections      int               `json:"connections"`
	CurrentCall      *jsonCall         `json:"current_call"`
	OpenTransactions []jsonTransaction `json:"open_transactions"`
	Note             string            `json:"note,omitempty"`
}

type jsonCall struct {
	Method string     `json:"method"`
	Since  *time.Time `json:"since"`
}

type jsonTransaction struct {
	ID          string     `json:"id"`
	Since       *time.Time `json:"since"`
	Environment string     `json:"environment"`
}

func newJSONSession(s account.Session) jsonSession {
	j := jsonSession{
		ID: s.ID, Host: s.Host, Username: s.Username, Role: s.Role, RemoteAddress: s.RemoteAddress,
		Listener: s.Listener, Client: s.Client, Environment: s.Environment,
		ConnectedSince: jsonTime(s.ConnectedSince), LastActive: jsonTime(s.LastActive),
		Calls: s.Calls, Connections: s.Connections, OpenTransactions: []jsonTransaction{}, Note: s.Note,
	}
	if s.CurrentCall != nil {
		j.CurrentCall = &jsonCall{s.CurrentCall.Method, jsonTime(s.CurrentCall.Since)}
	}
	for _, t := range s.OpenTransactions {
		j.OpenTransactions = append(j.OpenTransactions, jsonTransaction{t.ID, jsonTime(t.Since), t.Environment})
	}
	return j
}

// jsonTime returns null for never.
func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// writeJSON writes one value as one line.
func writeJSON(w io.Writer, v any) error {
	line, err := encodeJSON(v)
	if err == nil {
		_, err = io.WriteString(w, line+"\n")
	}
	return err
}

// encodeJSON returns one line that is safe to show on a terminal.
func encodeJSON(v any) (string, error) { return newJSONEncoder()(v) }

// newJSONEncoder returns an encodeJSON for many values, which needs less memory
// for each.
func newJSONEncoder() func(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	return func(v any) (string, error) {
		b.Reset()
		if err := e.Encode(v); err != nil {
			return "", err
		}
		return visible(strings.TrimSuffix(b.String(), "\n")), nil
	}
}

// visible escapes what does not print, in JSON's own way: whoever chose a name
// or an address does not get to move the reader's cursor.
func visible(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// printable reports whether a text is ASCII that prints, as almost all are.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
