package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The rules of asking, all of which are kept in this file:
//
// What is asked goes to standard error, never to standard output. What is read
// comes from standard input, and only when a question or a file named "-" needs
// it: byte by byte, so that not one byte beyond the line is taken from whoever
// reads next.
//
// On a terminal a password is not echoed, and a new one is asked for twice. A
// pipe answers the same questions line by line, and its end instead of the
// second answer counts as agreement. Any other end of input, and --no-input,
// is an error that names what to give instead.
//
// A signal at a question gives the terminal its echo back and ends the command
// before anything is changed. Ctrl-Z gives it back too, and when the command
// goes on it hides what is typed again and repeats the question: echo.go.

// prompt asks for what is missing.
type prompt struct {
	in       *os.File
	out      io.Writer
	terminal bool // in is one
	shown    bool // the questions are written out
	refused  bool // --no-input
}

func newPrompt(o *options) *prompt {
	terminal := term.IsTerminal(int(os.Stdin.Fd()))
	return &prompt{
		in: os.Stdin, out: os.Stderr, terminal: terminal, refused: o.noInput,
		// Standard error belongs to the error alone where a program reads it.
		shown: terminal || o.format != "json",
	}
}

// question is what to ask, and what would have made asking needless.
type question struct {
	text    string // with its colon and blank
	instead string // "--set-role", or words that say what to give
}

func (q question) unanswered() error {
	return account.Invalid("", "nothing answers '%s'; give %s", q.name(), q.instead)
}

func (q question) name() string { return visible(strings.TrimRight(q.text, ": ")) }

var errTooLong = fmt.Errorf("a line longer than %d KiB", maxLine>>10)

const maxLine = 64 << 10

// line asks for a visible answer.
func (p *prompt) line(ctx context.Context, q question) (string, error) {
	answer, err := p.ask(ctx, q, false)
	if errors.Is(err, io.EOF) {
		return "", q.unanswered()
	}
	if err == nil && !utf8.Valid(answer) {
		return "", account.Invalid("", "the answer to '%s' must be valid UTF-8", q.name())
	}
	return string(answer), err
}

// tries is how often a person may answer with none of what is on offer, with what
// cannot be a name, or with a password that the policy refuses. A pipe has one.
const tries = 3

// choose asks for what parse knows: one of few, or a name.
func choose[T any](ctx context.Context, p *prompt, q question, parse func(string) (T, error)) (T, error) {
	for try := 1; ; try++ {
		answer, err := p.line(ctx, q)
		if err != nil {
			var none T
			return none, err
		}
		chosen, err := parse(strings.TrimSpace(answer))
		if err == nil || !p.terminal || try == tries {
			return chosen, err
		}
		fmt.Fprintln(p.out, visible(capitalized(err.Error())))
	}
}

// hidden asks for a password.
func (p *prompt) hidden(ctx context.Context, q question) (account.Secret, error) {
	answer, err := p.ask(ctx, q, true)
	if errors.Is(err, io.EOF) {
		return nil, q.unanswered()
	}
	return answer, err
}

// newPassword asks for a password and for the same again. A difference is an
// error that states the consequence.
func (p *prompt) newPassword(ctx context.Context, q question, consequence string) (account.Secret, error) {
	first, err := p.hidden(ctx, q)
	if err != nil {
		return nil, err
	}
	return p.confirm(ctx, q, first, consequence)
}

// newPasswordOrKeep is newPassword, but an empty answer is nil and final.
func (p *prompt) newPasswordOrKeep(ctx context.Context, q question, consequence string) (account.Secret, error) {
	first, err := p.hidden(ctx, q)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	return p.confirm(ctx, q, first, consequence)
}

func (p *prompt) confirm(ctx context.Context, q question, first account.Secret, consequence string) (account.Secret, error) {
	again := question{"Re-enter password: ", q.instead}
	second, err := p.ask(ctx, again, true)
	switch {
	case errors.Is(err, io.EOF) && !p.terminal:
	case errors.Is(err, io.EOF):
		return nil, again.unanswered()
	case err != nil:
		return nil, err
	case !bytes.Equal(first, second):
		return nil, account.Invalid("password", "password confirmation failed so %s", consequence)
	}
	return first, nil
}

func (p *prompt) ask(ctx context.Context, q question, hide bool) ([]byte, error) {
	if p.refused {
		return nil, q.unanswered()
	}
	show := func() { fmt.Fprint(p.out, visible(q.text)) }
	// Echo ends before the question is seen: a quick answer is hidden too.
	if p.terminal {
		release, err := p.attend(hide, show)
		if err != nil {
			return nil, account.Invalid("", "cannot hide what is typed here (%v); give %s", err, q.instead)
		}
		defer release()
	}
	if p.shown {
		show()
		if !p.terminal {
			fmt.Fprintln(p.out)
		}
	}
	line, err := p.readLine(ctx)
	switch {
	case errors.Is(err, errTooLong):
		return nil, account.Invalid("", "the answer to '%s' is %v", visible(q.text), err)
	case p.terminal && (hide || err != nil):
		fmt.Fprintln(p.out)
	}
	return line, err
}

func (p *prompt) readLine(ctx context.Context) ([]byte, error) {
	return await(ctx, func() ([]byte, error) { return takeLine(byteReader{p.in}) })
}

// await runs a read that cannot be cancelled, and leaves it behind if ctx ends.
func await(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		line []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := read()
		done <- result{line, err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-ctx.Done():
		return nil, &account.Error{Kind: account.KindInterrupted, Message: "interrupted; nothing was changed"}
	}
}

// takeLine reads one line, without its end. It returns io.EOF if there is none.
func takeLine(r io.ByteReader) ([]byte, error) {
	var line []byte
	for {
		b, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil && b == '\n':
			return bytes.TrimSuffix(line, []byte("\r")), nil
		case err != nil:
			return nil, err
		case len(line) == maxLine:
			return nil, errTooLong
		}
		line = append(line, b)
	}
}

type byteReader struct{ io.Reader }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r.Reader, b[:])
	return b[0], err
}
