package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cinchapi/concourse-users/shared/account"
)

// variableName matches what password_env may name. What does not match may be a
// password in the wrong place, and is not repeated.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secret reads what says the account's password. Paths are as those of
// --password-file, but relative to the file that has them.
func (f *fields) secret(field string, line int, value string) {
	if f.password != "" {
		f.r.refuse(line, "%s and %s exclude each other", f.password, field)
		return
	}
	f.password = field
	switch field {
	case "password_hash":
		if !strings.HasPrefix(value, "$") {
			f.r.refuse(line, "password_hash is no hash in PHC form, which begins with $argon2id$")
			return
		}
		f.of.PasswordHash = account.Secret(value)
	case "password_env":
		secret := os.Getenv(value)
		switch {
		case !variableName.MatchString(value):
			f.r.refuse(line, "password_env must be the name of a variable")
		case secret == "":
			f.r.refuse(line, "password_env: the variable %s is not set, or empty", value)
		default:
			f.of.Password = account.Secret(secret)
		}
	case "password_file":
		f.secretFile(line, value)
	}
}

func (f *fields) secretFile(line int, path string) {
	if path == "" || path == "-" {
		f.r.refuse(line, "password_file must be the name of a file")
		return
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.r.directory, path)
	}
	file, err := os.Open(path)
	if err != nil {
		f.r.refuse(line, "password_file: %v", err)
		return
	}
	defer file.Close()
	first, err := takeLine(bufio.NewReader(file))
	switch {
	case err == io.EOF || err == nil && len(first) == 0:
		f.r.refuse(line, "password_file: the first line of %s is empty; it must hold the password", path)
	case err != nil:
		f.r.refuse(line, "password_file: %v", err)
	default:
		f.of.Password = first
	}
}
