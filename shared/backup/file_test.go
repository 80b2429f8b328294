package backup_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cinchapi/concourse-users/shared/backup"
)

func TestWriteFile(t *testing.T) {
	whole := write(t, entries, 2)
	writing := func(data []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(data); return err }
	}
	t.Run("InPlace", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		s, err := backup.WriteFile(t.Context(), path, false, writing(whole))
		if err != nil || s.Accounts != 2 || s.Size != int64(len(whole)) {
			t.Fatalf("%+v, %v", s, err)
		}
		alone(t, path, string(whole))
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
	t.Run("Replaces", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		touch(t, path, "old")
		if _, err := backup.WriteFile(t.Context(), path, true, writing(whole)); err != nil {
			t.Fatal(err)
		}
		alone(t, path, string(whole))
	})
	t.Run("ErrExists", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		touch(t, path, "old")
		asked := false
		_, err := backup.WriteFile(t.Context(), path, false, func(io.Writer) error { asked = true; return nil })
		if !errors.Is(err, fs.ErrExist) || asked {
			t.Errorf("got %v, asked for a backup: %v", err, asked)
		}
		alone(t, path, "old")
	})
	t.Run("ErrExistsMeanwhile", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		_, err := backup.WriteFile(t.Context(), path, false, func(w io.Writer) error {
			touch(t, path, "another's")
			return writing(whole)(w)
		})
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
		alone(t, path, "another's")
	})
	t.Run("ErrNotAFile", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.WriteFile(t.Context(), path, true, writing(whole)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
	})
	for name, data := range map[string][]byte{"ErrCutShort": whole[:len(whole)-1], "ErrEmpty": nil} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "b")
			touch(t, path, "old")
			_, err := backup.WriteFile(t.Context(), path, true, writing(data))
			if _, ok := errors.AsType[*backup.Flaw](err); !ok {
				t.Errorf("got %v", err)
			}
			alone(t, path, "old")
		})
	}
	t.Run("ErrWriter", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		touch(t, path, "old")
		broken := errors.New("broken")
		_, err := backup.WriteFile(t.Context(), path, true, func(w io.Writer) error {
			return errors.Join(writing(whole)(w), broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		alone(t, path, "old")
	})
	t.Run("ErrInterrupted", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b")
		touch(t, path, "old")
		ctx, cancel := context.WithCancel(t.Context())
		_, err := backup.WriteFile(ctx, path, true, func(w io.Writer) error { cancel(); return writing(whole)(w) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		alone(t, path, "old")
	})
	t.Run("ErrNoDirectory", func(t *testing.T) {
		if _, err := backup.WriteFile(t.Context(), filepath.Join(t.TempDir(), "no", "b"), false, writing(whole)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func touch(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alone checks that nothing but the file, with that text, is in its directory.
func alone(t *testing.T, path, text string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Errorf("the directory has %v (%v)", all, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("the file is %q (%v), want %q", got, err, text)
	}
}
