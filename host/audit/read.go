package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"
)

// Read returns the log's entries since a time, oldest first, through earlier
// files and the current one. A malformed line comes as an error, and reading
// goes on behind it; so does a file that cannot be read. A last line without
// an end, of a write under way or torn by a crash, is left out. A log that
// begins a new file meanwhile may be read with a gap.
func Read(path string, since time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		files, err := rotatedFiles(path)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, name := range append(files, path) {
			if at, err := stampOf(path, name); err == nil && at.Before(since) {
				continue
			}
			for e, err := range readFile(name) {
				if err == nil && e.Time.Before(since) {
					continue
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// readFile returns the entries of one file. An absent one has none.
func readFile(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("cannot read the audit log: %w", err))
			return
		}
		defer f.Close()
		for e, err := range entriesOf(f) {
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func entriesOf(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for line, err := range linesOf(r) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !yield(decode(line)) {
				return
			}
		}
	}
}

// linesOf returns the whole lines, each good until the next. One that is longer
// than any of ours is nil.
func linesOf(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		lines := bufio.NewReaderSize(r, MaxLine)
		for {
			line, err := lines.ReadSlice('\n')
			tooLong := err == bufio.ErrBufferFull
			for err == bufio.ErrBufferFull {
				_, err = lines.ReadSlice('\n')
			}
			switch {
			case err == io.EOF:
				return
			case err != nil:
				yield(nil, err)
				return
			case tooLong:
				line = nil
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// measure returns a file's size, and the size of its whole lines.
func measure(path string) (size, whole int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	size = info.Size()
	b := make([]byte, 64<<10)
	for end := size; end > 0; {
		begin := max(end-int64(len(b)), 0)
		part := b[:end-begin]
		if _, err := f.ReadAt(part, begin); err != nil {
			return 0, 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return size, begin + int64(i) + 1, nil
		}
		end = begin
	}
	return size, 0, nil
}

// lastSeq returns the greatest number in the newest file that has one.
func lastSeq(path string) (uint64, error) {
	files, err := rotatedFiles(path)
	if err != nil {
		return 0, err
	}
	for _, name := range slices.Backward(append(files, path)) {
		seq, err := lastSeqOf(name)
		if seq > 0 || err != nil {
			return seq, err
		}
	}
	return 0, nil
}

// lastSeqOf looks at a file's end first, and at all of it only if no whole line
// of ours is there.
func lastSeqOf(path string) (last uint64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	for _, begin := range []int64{max(info.Size()-4*MaxLine, 0), 0} {
		for e := range entriesOf(io.NewSectionReader(f, begin, info.Size()-begin)) {
			last = max(last, e.Seq)
		}
		if last > 0 {
			break
		}
	}
	return last, nil
}
