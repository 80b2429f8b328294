package docs_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/config"
)

// TestSettingsTable holds the table in settings.md to the host's own. With
// UPDATE=1 in the environment it writes the table instead.
func TestSettingsTable(t *testing.T) {
	const path, begin, end = "settings.md", "<!-- table: begin -->\n", "<!-- table: end -->\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(data, []byte(begin))
	shown, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", path, begin, end)
	}
	want := settingsTable()
	if string(shown) == want {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("the table in %s is not the host's; UPDATE=1 go test ./docs -run %s writes it:\n%s", path, t.Name(), want)
	}
	if err := os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), []byte(want), []byte(end), after}, nil), 0o644); err != nil {
		t.Fatal(err)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| Setting | What it is | Type | Default | Variable | Option |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range config.Settings() {
		variable, option := s.Env(), "--"+s.Flag()
		if variable == "" {
			option += " NAME=VALUE"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | `%s` |\n",
			s.Name, s.Description, s.Type, code(s.Default), code(variable), option)
	}
	return b.String()
}

// code is a value as it is typed; one with blanks in it is a description.
func code(s string) string {
	if strings.ContainsAny(cmp.Or(s, " "), " ") {
		return cmp.Or(s, "none")
	}
	return "`" + s + "`"
}
