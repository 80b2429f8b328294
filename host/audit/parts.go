package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// partSize is about how much of a file is read before it is asked whether that is
// enough, in bytes.
const partSize = 256 << 10

// partsOf returns a file in parts of whole lines, the last first, each good until
// the next. An absent one has none.
func partsOf(path string) iter.Seq2[io.Reader, error] {
	return func(yield func(io.Reader, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, fmt.Errorf("cannot read the audit log: %w", err))
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			yield(nil, fmt.Errorf("cannot read the audit log: %w", err))
			return
		}
		for end := info.Size(); end > 0; {
			begin, err := lineFrom(f, end)
			if err != nil {
				yield(nil, fmt.Errorf("cannot read the audit log: %w", err))
				return
			}
			if !yield(io.NewSectionReader(f, begin, end-begin), nil) {
				return
			}
			end = begin
		}
	}
}

// lineFrom returns where a line begins, about partSize before an end at which one
// ends; 0 if none does in between.
func lineFrom(f io.ReaderAt, end int64) (int64, error) {
	b := make([]byte, 64<<10)
	for begin := end - partSize; begin > 0; begin -= int64(len(b)) {
		n, err := f.ReadAt(b[:min(int64(len(b)), end-1-begin)], begin)
		if err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
	}
	return 0, nil
}
