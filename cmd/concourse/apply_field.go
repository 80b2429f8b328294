package main

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/cinchapi/concourse-users/shared/account"
)

// fieldNames are what may stand in an account: what 'users list --format json'
// prints, and the three ways to say a password.
var fieldNames = []string{
	"username", "role", "enabled", "grants", "created_at", "password_changed_at", "last_login_at", "sessions",
	"password_file", "password_env", "password_hash",
}

const passwordWays = "password_file, password_env or password_hash"

// fields reads the fields of one account.
type fields struct {
	r    *accountReader
	line int
	of   *account.Desired

	named    bool   // a username is there, be it a good one
	password string // the field that says it
}

// fieldName is a field as a refusal calls it. What is none may be a piece of a
// secret that lacks its quotes, and is not repeated (rule 9).
func fieldName(key string) string {
	if slices.Contains(fieldNames, key) {
		return key
	}
	return "a field"
}

func (f *fields) read(field string, line int, value *yaml.Node) {
	switch field {
	case "password":
		f.r.refuse(line, "password: a password does not stand in the file itself; use %s", passwordWays)
		return
	case "sessions": // a count of the moment, and no part of what is wanted
		return
	case "created_at":
		f.time(field, value, &f.of.CreatedAt)
		return
	case "password_changed_at":
		f.time(field, value, &f.of.PasswordChangedAt)
		return
	case "last_login_at":
		f.time(field, value, &f.of.LastLoginAt)
		return
	case "username":
		f.named = true
	}
	switch {
	case !slices.Contains(fieldNames, field):
		f.unknown(field, line, value)
	case value.ShortTag() == "!!null":
		f.r.refuse(line, "%s has no value; write one, or leave the line out", field)
	case field == "grants":
		f.grants(value)
	case value.Kind != yaml.ScalarNode:
		f.r.refuse(line, "%s must be a single value", field)
	default:
		f.text(field, line, value)
	}
}

func (f *fields) unknown(field string, line int, value *yaml.Node) {
	if value.Kind == yaml.SequenceNode && len(value.Content) > 0 && value.Content[0].Kind == yaml.MappingNode {
		f.named = true // this is no account
		f.r.refuse(line, "a file is a list of accounts, with nothing above it; leave this line out")
		return
	}
	if len(field) < 32 {
		if near := nearest(field, fieldNames); near != "" {
			f.r.refuse(line, "there is no field %q; did you mean %s?", account.Printable(field), near)
			return
		}
	}
	if strings.ContainsAny(field, "$=") {
		f.r.refuse(line, "there is no such field; if it belongs to a hash, that must stand in quotes within { }")
		return
	}
	f.r.refuse(line, "there is no such field; 'concourse users apply --help' shows the fields")
}

func (f *fields) text(field string, line int, value *yaml.Node) {
	var err error
	switch field {
	case "username":
		f.of.Username, err = account.NormalizeUsername(value.Value)
	case "role":
		f.of.Role, err = account.ParseRole(value.Value)
	case "enabled":
		var enabled bool
		if f.of.Enabled = &enabled; value.ShortTag() != "!!bool" || value.Decode(&enabled) != nil {
			f.r.refuse(line, "enabled must be true or false")
		}
	case "password_file", "password_env", "password_hash":
		f.secret(field, line, value.Value)
	}
	if err != nil {
		f.r.refuse(line, "%s: %v", field, err)
	}
}

func (f *fields) time(field string, value *yaml.Node, to *time.Time) {
	if value.ShortTag() == "!!null" {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, value.Value)
	if value.Kind != yaml.ScalarNode || err != nil || at.Year() < 1 {
		f.r.refuse(value.Line, "%s must be a time such as 2026-11-23T10:48:31Z, or null", field)
		return
	}
	*to = at
}

func (f *fields) grants(m *yaml.Node) {
	if m.Kind != yaml.MappingNode {
		f.r.refuse(m.Line, "grants must be a mapping, such as {billing: [READ, WRITE]}, or {} for none")
		return
	}
	f.of.Grants = account.Grants{}
	f.r.pairs(m, account.Printable, func(environment string, line int, value *yaml.Node) {
		if err := account.CheckEnvironment(environment); err != nil {
			f.r.refuse(line, "grants: %v", err)
			return
		}
		if value.Kind != yaml.SequenceNode {
			f.r.refuse(line, "grants: %s must be a list, such as [READ, WRITE]", environment)
			return
		}
		var held account.Grants
		for _, item := range value.Content {
			if decorated(item) {
				f.r.refuse(item.Line, "grants: %s", noDecoration)
				return
			}
			p, err := account.ParsePermission(item.Value)
			if err != nil {
				f.r.refuse(item.Line, "grants: %s: %v", environment, err)
				return
			}
			held = held.With(environment, p)
		}
		if len(held) > 0 {
			f.of.Grants[environment] = held[environment]
		}
	})
}

// end refuses what only the whole account shows.
func (f *fields) end() {
	if !f.named {
		f.r.refuse(f.line, "an account needs a username")
	}
}
