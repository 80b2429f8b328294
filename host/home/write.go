package home

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// beside is where a file is written before it takes its place. The name is
// fixed, so that a crash leaves at most one.
func beside(path string) string { return path + ".new" }

// write puts a file of mode 0600 in place, whole or not at all, and returns
// when it would survive a power cut. Only one process may call it at a time.
func write(path string, data []byte) error {
	if err := remove(beside(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(beside(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(beside(path), path)
	}
	if err != nil {
		remove(beside(path))
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
