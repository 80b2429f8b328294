package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// exitMismatch is no error's: check-password says with it that the password is
// not the account's.
const exitMismatch = 13

// exitReaderLeft is what a shell makes of a process that SIGPIPE has ended.
const exitReaderLeft = 141

// exitCodes are documented, and scripts rely on them. They differ from the
// kinds' own numbers in the last one.
var exitCodes = map[account.Kind]int{
	account.KindInternal:         1,
	account.KindInvalid:          2,
	account.KindNotAuthenticated: 3,
	account.KindNotPermitted:     4,
	account.KindNotFound:         5,
	account.KindAlreadyExists:    6,
	account.KindUnavailable:      7,
	account.KindRefused:          8,
	account.KindConflict:         9,
	account.KindUnsupported:      10,
	account.KindThrottled:        11,
	account.KindOutcomeUnknown:   12,
	account.KindInterrupted:      130,
}

// jsonError is how an error is told to a program.
type jsonError struct {
	Kind       string `json:"kind"`
	Reason     string `json:"reason"`
	Subject    string `json:"subject"`
	Message    string `json:"message"`
	Field      string `json:"field,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
	RequestID  string `json:"request_id,omitempty"`
}

// fail tells an error on standard error and returns the exit code.
func fail(w io.Writer, asJSON bool, err error) int {
	kind := account.KindOf(err)
	if !asJSON {
		complain(w, capitalized(err.Error())+wayRound(err))
		return exitCodes[kind]
	}
	_ = writeJSON(w, map[string]jsonError{"error": newJSONError(err)})
	return exitCodes[kind]
}

// wayRound is a line about what works instead, of what no caller can put right.
func wayRound(err error) string {
	if e, ok := errors.AsType[*account.Error](err); ok && e.Kind == account.KindUnsupported && e.Subject == account.CapabilityChange {
		return "\nThe accounts are kept elsewhere; change them where the backend reads them"
	}
	return ""
}

// complain prints what went wrong for people.
func complain(w io.Writer, text string) {
	prefix := displayOf(w).paint("ERROR:", red) + " "
	for line := range strings.Lines(text) {
		fmt.Fprintln(w, prefix+visible(strings.TrimSuffix(line, "\n")))
		prefix = ""
	}
}

func newJSONError(err error) jsonError {
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		e = &account.Error{}
	}
	return jsonError{
		Kind: account.KindOf(err).String(), Reason: string(e.Reason), Subject: e.Subject, Message: err.Error(), Field: e.Field,
		RetryAfter: int(math.Ceil(e.RetryAfter.Seconds())), RequestID: e.RequestID,
	}
}

// asksForJSON is for errors in the options themselves: it looks at them
// unparsed.
func asksForJSON(args []string) bool {
	i := slices.Index(args, "--format")
	joined := slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "--format=json") })
	return joined || i >= 0 && i+1 < len(args) && strings.EqualFold(args[i+1], "json")
}

func printText(text string) int {
	if _, err := fmt.Fprintln(os.Stdout, text); err != nil {
		return exitCodes[account.KindInternal]
	}
	return 0
}

func capitalized(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + strings.TrimPrefix(s, s[:n])
}

// cause is an error without the path, which stands before it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}
