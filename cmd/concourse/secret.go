package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cinchapi/concourse-users/shared/account"
)

// secretOption is a password given by --name or --name-file, or made by
// --generate where a command has that.
type secretOption struct {
	name      string
	value     secretValue
	file      string
	generate  bool
	generates bool // the command has --generate
}

// given reports whether --name or --name-file supplies the password.
func (s *secretOption) given() bool { return s.value.given || s.file != "" }

// givenBy names the option that supplies the password.
func (s *secretOption) givenBy() string {
	if s.value.given {
		return s.name
	}
	return s.name + "-file"
}

// flags names the options, best first, for messages.
func (s *secretOption) flags() string {
	if s.generates {
		return "--" + s.name + "-file, --" + s.name + " or --generate"
	}
	return "--" + s.name + "-file or --" + s.name
}

// read returns what the options supply; given must be true. If that is standard
// input and a terminal, it is asked with the question.
func (s *secretOption) read(ctx context.Context, c *console, q question) (account.Secret, error) {
	switch {
	case s.value.given:
		return s.value.secret, nil
	case s.file == "-" && c.prompt.terminal:
		return c.prompt.hidden(ctx, q)
	case s.file == "-":
		line, err := c.prompt.readLine(ctx)
		return s.checked(line, err)
	}
	line, err := await(ctx, func() ([]byte, error) {
		f, err := os.Open(s.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return takeLine(bufio.NewReader(f))
	})
	return s.checked(line, err)
}

// asks reports whether a person or a pipe will be asked for the password.
func (s *secretOption) asks(c *console) bool {
	return !s.generate && (!s.given() || s.file == "-" && c.prompt.terminal)
}

// readNew is read for a password that is to be set: it generates one, and asks
// for one if no option supplies it.
func (s *secretOption) readNew(ctx context.Context, c *console, text, consequence string) (account.Secret, error) {
	q := question{text, s.flags()}
	switch {
	case s.generate:
		return generatePassword(), nil
	case s.asks(c):
		return c.prompt.newPassword(ctx, q, consequence)
	}
	return s.read(ctx, c, q)
}

// insist makes an attempt to ask for a password and set it, and another one when
// the policy refuses what a person has typed.
func (s *secretOption) insist(c *console, attempt func() error) error {
	for try := 1; ; try++ {
		err := attempt()
		e, ok := errors.AsType[*account.Error](err)
		if !ok || e.Reason != account.ReasonPasswordPolicy || !s.asks(c) || !c.prompt.terminal || try == tries {
			return err
		}
		fmt.Fprintln(c.prompt.out, visible(capitalized(err.Error())))
	}
}

// byteOrderMark is what some editors begin a UTF-8 file with; it is no part of
// what it says.
var byteOrderMark = []byte("\ufeff")

func (s *secretOption) checked(line []byte, err error) (account.Secret, error) {
	line = bytes.TrimPrefix(line, byteOrderMark)
	switch {
	case account.KindOf(err) == account.KindInterrupted:
		return nil, err
	case err == io.EOF || err == nil && len(line) == 0:
		return nil, account.Invalid(s.name+"-file", "--%s-file: the first line is empty; it must hold the password", s.name)
	case err != nil:
		return nil, account.Invalid(s.name+"-file", "--%s-file: %v", s.name, err)
	}
	return line, nil
}

// secretValue is a pflag value that never shows.
type secretValue struct {
	secret account.Secret
	given  bool
}

func (v *secretValue) String() string { return "" }
func (v *secretValue) Type() string   { return "" }
func (v *secretValue) Set(s string) error {
	v.secret, v.given = account.Secret(s), true
	return nil
}
