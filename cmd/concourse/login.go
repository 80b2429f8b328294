package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// login is who asks, and where: the options of every users command.
type login struct {
	place
	options  *options
	username string
	password secretOption
}

const defaultUsername = "admin"

func (l *login) define(o *options) {
	l.options = o
	o.StringVarP(&l.username, "username", "u", "", "your own `NAME`, an administrator (CONCOURSE_USERNAME)")
	o.secretOption(&l.password, "password", "your own")
	o.Lookup("password").Usage += " (CONCOURSE_PASSWORD)"
	l.place.define(o)
	o.noInputOption()
	o.formatOption()
}

// open connects and logs in. Nothing else is asked for before that is done.
func (l *login) open(ctx context.Context, c *console) (*management.Client, error) {
	return l.connector(c)(ctx)
}

// connector returns what opens, and asks for nothing the second time.
func (l *login) connector(c *console) func(context.Context) (*management.Client, error) {
	var name string
	var password account.Secret
	return func(ctx context.Context) (*management.Client, error) {
		h, err := l.dial(ctx)
		if err != nil {
			return nil, err
		}
		if name == "" {
			name, password, err = l.credentials(ctx, c)
		}
		if err == nil {
			_, err = h.Login(ctx, name, password)
		}
		if err != nil {
			h.Close()
			return nil, err
		}
		return h, nil
	}
}

// credentials asks for what neither options nor variables supply.
func (l *login) credentials(ctx context.Context, c *console) (name string, password account.Secret, err error) {
	if name, err = l.name(ctx, c); err != nil {
		return "", nil, err
	}
	q := question{fmt.Sprintf("password for [%s]: ", name), l.password.flags() + ", or set CONCOURSE_PASSWORD"}
	fromEnv := os.Getenv("CONCOURSE_PASSWORD")
	switch {
	case l.password.given():
		password, err = l.password.read(ctx, c, q)
	case fromEnv != "":
		password = account.Secret(fromEnv)
	default:
		password, err = c.prompt.hidden(ctx, q)
	}
	return name, password, err
}

// name asks only where a person would be asked for the password too.
func (l *login) name(ctx context.Context, c *console) (string, error) {
	fromEnv := os.Getenv("CONCOURSE_USERNAME")
	switch {
	case l.options.Changed("username"):
		return l.username, nil
	case !utf8.ValidString(fromEnv):
		return "", account.Invalid("username", "CONCOURSE_USERNAME must be valid UTF-8")
	case fromEnv != "":
		return fromEnv, nil
	case c.prompt.refused || l.password.given() || os.Getenv("CONCOURSE_PASSWORD") != "":
		return defaultUsername, nil
	}
	name, err := c.prompt.line(ctx, question{"Username [" + defaultUsername + "]: ", "-u or --username, or set CONCOURSE_USERNAME"})
	return cmp.Or(name, defaultUsername), err
}

// change is what every command that changes an account has besides.
type change struct {
	login
	requestID account.RequestID
}

func (m *change) define(o *options) {
	m.login.define(o)
	o.Var(&parsed[account.RequestID]{&m.requestID, account.ParseRequestID}, "request-id", "ask again with the `ID` of an attempt whose outcome is unknown")
}

// exists refuses with NotFound before anything about the account is asked for.
// A repeated request is answered from its record, whoever has the name now.
func (m *change) exists(ctx context.Context, h *management.Client, name string) error {
	if !m.requestID.IsZero() {
		return nil
	}
	_, err := h.Show(ctx, name)
	return err
}
