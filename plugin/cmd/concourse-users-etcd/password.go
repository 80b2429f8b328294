package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/cinchapi/concourse-users/shared/account"
)

// mostPassword bounds what is read of a password file, in bytes.
const mostPassword = 1024

// readPassword returns the first line of a file that nobody but its owner can
// read.
func readPassword(path string) (account.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s is open to others (mode %04o); run chmod 600 on it", path, info.Mode().Perm())
	}
	read, err := io.ReadAll(io.LimitReader(f, mostPassword+1))
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(read, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		return nil, fmt.Errorf("the first line of %s is empty; it must be the password", path)
	case len(line) > mostPassword:
		return nil, fmt.Errorf("the first line of %s has more than %d bytes", path, mostPassword)
	}
	return line, nil
}
