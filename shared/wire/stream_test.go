package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

func (b *backend) Backup(_ context.Context, w io.Writer) error { return b.stream(w) }

func (b *backend) Restore(_ context.Context, r io.Reader) (account.Restored, error) {
	if err := b.take(r); err != nil {
		return account.Restored{}, err
	}
	return account.Restored{Accounts: 7, TakenAt: then, StoreID: "s"}, nil
}

// pattern is n bytes that show if one is lost.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7 >> 3)
	}
	return p
}

var sizes = []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 5<<20 + 3}

func TestBackup(t *testing.T) {
	b := &backend{}
	c, _ := connect(t, b, hclog.NewNullLogger())
	t.Run("Whole", func(t *testing.T) {
		for _, n := range sizes {
			for _, piece := range []int{1000, 1 << 20} {
				b.stream = func(w io.Writer) error {
					for part := range slices.Chunk(pattern(n), piece) {
						if _, err := w.Write(part); err != nil {
							return err
						}
					}
					return nil
				}
				var got bytes.Buffer
				if err := c.Backup(t.Context(), &got); err != nil || !bytes.Equal(got.Bytes(), pattern(n)) {
					t.Errorf("%d bytes in pieces of %d: %d came, %v", n, piece, got.Len(), err)
				}
			}
		}
	})
	t.Run("ErrInTheMiddle", func(t *testing.T) {
		b.stream = func(w io.Writer) error {
			w.Write(pattern(100 << 10))
			return account.Unsupported(account.CapabilityBackup)
		}
		var got bytes.Buffer
		if err := c.Backup(t.Context(), &got); account.KindOf(err) != account.KindUnsupported || got.Len() > 100<<10 {
			t.Errorf("got %v after %d bytes", err, got.Len())
		}
	})
	t.Run("ErrWriter", func(t *testing.T) {
		ended := make(chan error, 1)
		b.stream = func(w io.Writer) (err error) {
			for err == nil {
				_, err = w.Write(pattern(64 << 10))
			}
			ended <- err
			return err
		}
		if err := c.Backup(t.Context(), full{}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		<-ended // the plugin does not write for ever
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestRestore(t *testing.T) {
	b := &backend{}
	c, _ := connect(t, b, hclog.NewNullLogger())
	t.Run("Whole", func(t *testing.T) {
		for _, n := range sizes {
			var got []byte
			b.take = func(r io.Reader) (err error) {
				got, err = io.ReadAll(r)
				return err
			}
			out, err := c.Restore(t.Context(), bytes.NewReader(pattern(n)))
			if diff := cmp.Diff(account.Restored{Accounts: 7, TakenAt: then, StoreID: "s"}, out); diff != "" || err != nil || !bytes.Equal(got, pattern(n)) {
				t.Errorf("%d bytes: %d came, %v %s", n, len(got), err, diff)
			}
		}
	})
	t.Run("ErrAtTheBeginning", func(t *testing.T) { // which stops a sender that is far from its end
		b.take = func(io.Reader) error { return account.Invalid("backup", "it is not one of this backend") }
		out, err := c.Restore(t.Context(), io.LimitReader(endless{}, 1<<30))
		if account.KindOf(err) != account.KindInvalid || out != (account.Restored{}) {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("ErrReader", func(t *testing.T) {
		// A backup that broke off on its way must not look like a whole one.
		heard := make(chan error, 1)
		b.take = func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			heard <- err
			return err
		}
		_, err := c.Restore(t.Context(), io.MultiReader(bytes.NewReader(pattern(200<<10)), iotest.ErrReader(syscall.EIO)))
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
		if err := <-heard; err == nil {
			t.Error("the plugin heard of an end")
		}
	})
	t.Run("ErrStoreID", func(t *testing.T) {
		b.take = func(io.Reader) error { return nil }
		c, _ := connect(t, longID{b}, hclog.NewNullLogger())
		if _, err := c.Restore(t.Context(), bytes.NewReader(nil)); account.KindOf(err) != account.KindInternal {
			t.Errorf("got %v", err)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type longID struct{ *backend }

func (longID) Restore(context.Context, io.Reader) (account.Restored, error) {
	return account.Restored{StoreID: string(pattern(65))}, nil
}

func TestChunks(t *testing.T) {
	t.Run("Bounded", func(t *testing.T) {
		var sent [][]byte
		w := wire.NewChunkWriter(func(p []byte) error { sent = append(sent, p); return nil })
		for part := range slices.Chunk(pattern(300<<10), 50<<10) {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		for range 2 { // the second has nothing to send
			if err := w.Flush(); err != nil {
				t.Error(err)
			}
		}
		for i, p := range sent {
			if i < len(sent)-1 && len(p) != 64<<10 || len(p) == 0 {
				t.Errorf("message %d of %d has %d bytes", i, len(sent), len(p))
			}
		}
		if !bytes.Equal(slices.Concat(sent...), pattern(300<<10)) {
			t.Error("something else was sent than was written")
		}
	})
	t.Run("Empty", func(t *testing.T) { // a sign of life, sent at once
		sent := 0
		w := wire.NewChunkWriter(func(p []byte) error {
			if sent++; len(p) > 0 {
				t.Errorf("%d bytes were sent", len(p))
			}
			return nil
		})
		for _, part := range [][]byte{nil, pattern(3), {}} {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if sent != 2 {
			t.Errorf("%d messages were sent", sent)
		}
	})
	t.Run("ErrSend", func(t *testing.T) {
		w := wire.NewChunkWriter(func([]byte) error { return io.EOF })
		if n, err := w.Write(pattern(200 << 10)); n != 64<<10 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("Reader", func(t *testing.T) {
		parts := [][]byte{nil, pattern(3), {}, pattern(100), nil}
		r := wire.NewChunkReader(func() ([]byte, error) {
			if len(parts) == 0 {
				return nil, io.EOF
			}
			p := parts[0]
			parts = parts[1:]
			return p, nil
		})
		if err := iotest.TestReader(r, slices.Concat(pattern(3), pattern(100))); err != nil {
			t.Error(err)
		}
	})
}
