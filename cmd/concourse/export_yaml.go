package main

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// writeYAML writes a field a line, so that two exports differ where the accounts
// do. What JSON has is there too.
func writeYAML(to io.Writer, batches iter.Seq2[[]account.Exported, error], hashes bool) error {
	w := bufio.NewWriter(to)
	for batch, err := range batches {
		if err != nil {
			fmt.Fprintln(w, "{ # the export broke off here")
			w.Flush()
			return err
		}
		for _, e := range batch {
			fmt.Fprintf(w, "- username: %s\n  role: %s\n  enabled: %t\n", plain(e.Username), e.Role, e.Enabled)
			writeGrants(w, e.Grants)
			if hashes {
				fmt.Fprintf(w, "  created_at: %s\n  password_changed_at: %s\n  last_login_at: %s\n  password_hash: %s\n",
					timeOrNull(e.CreatedAt), timeOrNull(e.PasswordChangedAt), timeOrNull(e.LastLoginAt), quoted(string(e.PasswordHash)))
			}
		}
		if err := w.Flush(); err != nil {
			return notPrinted(err)
		}
	}
	return nil
}

func writeGrants(w *bufio.Writer, g account.Grants) {
	if len(g) == 0 {
		fmt.Fprintln(w, "  grants: {}")
		return
	}
	fmt.Fprintln(w, "  grants:")
	for _, environment := range slices.Sorted(maps.Keys(g)) {
		var held []string
		for _, p := range g[environment] {
			held = append(held, string(p))
		}
		fmt.Fprintf(w, "    %s: [%s]\n", plain(environment), strings.Join(held, ", "))
	}
}

func timeOrNull(t time.Time) string {
	if t.IsZero() {
		return "null"
	}
	return quoted(t.UTC().Format(time.RFC3339Nano))
}

// plainText matches what every reader of YAML takes for a text without quotes,
// but for the words that some take for something else.
var (
	plainText  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.@-]*$`)
	otherWords = regexp.MustCompile(`(?i)^(null|true|false|yes|no|on|off|y|n)$`)
)

func plain(s string) string {
	if plainText.MatchString(s) && !otherWords.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted returns JSON's form, which YAML reads too.
func quoted(s string) string {
	text, err := encodeJSON(s)
	if err != nil {
		return `""` // no text fails
	}
	return text
}
