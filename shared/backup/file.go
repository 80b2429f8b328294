package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Verify reads a backup to its end. It returns a *Flaw if it is not a whole one.
func Verify(ctx context.Context, from io.Reader) (Summary, error) {
	r, err := NewReader(until{ctx, from})
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, io.EOF) {
		return Summary{}, err
	}
	return r.Summary(), nil
}

// until ends a long read with its context.
type until struct {
	ctx context.Context
	io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}

// WriteFile puts a backup in place, mode 0600, and returns once it would
// survive a power cut. It first writes beside the path, and reads again from
// there what came to be on disk. If anything fails, nothing is left and the
// path is as it was. An existing file is replaced if that is asked for;
// otherwise it is refused with fs.ErrExist.
func WriteFile(ctx context.Context, path string, replace bool, write func(io.Writer) error) (Summary, error) {
	if err := vacant(path, replace); err != nil {
		return Summary{}, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return Summary{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return Summary{}, err
	}
	if err := f.Sync(); err != nil {
		return Summary{}, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Summary{}, err
	}
	s, err := Verify(ctx, f)
	if err != nil {
		return Summary{}, fmt.Errorf("what was written is not a whole backup: %w", err)
	}
	if err := place(f.Name(), path, replace); err != nil {
		return Summary{}, err
	}
	return s, syncDirectory(filepath.Dir(path))
}

// vacant refuses a path that is taken, by what cannot be replaced in any case.
func vacant(path string, replace bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case replace && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file: %w", path, fs.ErrExist)
	case replace:
		return nil
	}
	return fmt.Errorf("%s exists: %w", path, fs.ErrExist)
}

func place(from, path string, replace bool) error {
	if !replace {
		// A link, unlike a rename, never takes another's place.
		err := os.Link(from, path)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := vacant(path, false); err != nil { // no links here
			return err
		}
	}
	return os.Rename(from, path)
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
