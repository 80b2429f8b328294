package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cinchapi/concourse-users/shared/account"
)

// writeFile makes a file that only its owner may read, with all of its contents
// or not at all. One that exists is replaced only if that is wanted; where the
// path is a link, it is the file behind it. write is not called before the path
// is found to be good.
func writeFile(path string, replace bool, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := vacant(path, replace); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return account.Invalid("output", "the file %s cannot be written: %v", path, cause(err))
	}
	defer os.Remove(f.Name()) // fails once it has its name
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := vacant(path, replace); err != nil { // it took a while
		return err
	}
	err = f.Sync()
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("the file %s cannot be written: %w", path, cause(err))
	}
	return nil
}

func vacant(path string, replace bool) error {
	switch info, err := os.Stat(path); {
	case err != nil: // which whatever comes next will tell of
		return nil
	case !info.Mode().IsRegular():
		return account.Invalid("output", "the file %s is not a regular one; name another, or leave -o out to write to standard output", path)
	case !replace:
		return fileExists(path)
	}
	return nil
}

func fileExists(path string) error {
	e := account.AlreadyExists(path)
	e.Message = fmt.Sprintf("the file %s exists already; name another, or replace it with --force", path)
	return e
}
