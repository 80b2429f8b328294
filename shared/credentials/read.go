package credentials

import (
	"fmt"
	"io"
)

// maxSize bounds a file, in bytes. The original gives out 32,767 ids, and takes
// less than 1 KiB for an account with a few grants.
const maxSize = 64 << 20

// Contents is what a file holds.
type Contents struct {
	Accounts []Account // by id
	// Stale is how many bytes follow the table. The original writes a file anew
	// in place and cuts nothing off, so that of a longer one its end remains.
	Stale int
}

// Flaw says where and why a file cannot be read.
type Flaw struct {
	Offset int // in bytes, from the beginning
	Reason string
}

func (f *Flaw) Error() string { return fmt.Sprintf("at byte %d: %s", f.Offset, f.Reason) }

func flawed(offset int, format string, args ...any) *Flaw {
	return &Flaw{offset, fmt.Sprintf(format, args...)}
}

// Read reads a file to its end. What is wrong with it is a *Flaw.
func Read(from io.Reader) (*Contents, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, flawed(maxSize, "the file is larger than %d MiB", maxSize>>20)
	}
	s := &stream{data: data, room: min(maxValues, 2*len(data))}
	root, err := s.open()
	if err != nil {
		return nil, err
	}
	t := &table{stream: s}
	accounts, err := t.read(root)
	if err != nil {
		return nil, err
	}
	return &Contents{Accounts: accounts, Stale: len(data) - s.at}, nil
}
