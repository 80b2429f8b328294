package audit

import (
	"bufio"
	"bytes"
	"io"
	"os"
)

// wholeLines returns a file's size, and the size of the lines in it that were
// written whole. A write that a crash or a power cut interrupted may end early,
// or have zeros in place of sectors that did not reach the disk, with whole lines
// behind them.
func wholeLines(path string) (size, whole int64, err error) {
	size, whole, err = measure(path)
	if err != nil {
		return 0, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	whole, err = beforeZeros(io.NewSectionReader(f, 0, whole), whole)
	return size, whole, err
}

// beforeZeros returns where the first line of the last write begins that has a
// zero in it, which no line of ours has, or else the size. Lines that are written
// at once bear one time, and the sync of a write comes before the next: a line with
// zeros and with lines of another time behind it was damaged otherwise, and stays
// for readers to report.
func beforeZeros(lines io.Reader, size int64) (int64, error) {
	r := bufio.NewReaderSize(lines, MaxLine)
	torn, of := int64(-1), "" // the write's time, once it is known
	for begin := int64(0); ; {
		part, err := r.ReadSlice('\n')
		at, zero, end := timeOf(part), bytes.IndexByte(part, 0) >= 0, begin+int64(len(part))
		for err == bufio.ErrBufferFull {
			part, err = r.ReadSlice('\n')
			zero, end = zero || bytes.IndexByte(part, 0) >= 0, end+int64(len(part))
		}
		switch {
		case err == io.EOF && torn >= 0:
			return torn, nil
		case err == io.EOF:
			return size, nil
		case err != nil:
			return 0, err
		}
		if torn >= 0 && of != "" && at != "" && at != of {
			torn, of = -1, ""
		}
		if zero && torn < 0 {
			torn = begin
		}
		if torn >= 0 && at != "" {
			of = at
		}
		begin = end
	}
}

// timeOf returns a line's time, as stamp has put it there; empty: it cannot be
// read.
func timeOf(line []byte) string {
	rest, ok := bytes.CutPrefix(line, []byte(`{"time":"`))
	at, _, whole := bytes.Cut(rest, []byte(`"`))
	if !ok || !whole || bytes.IndexByte(at, 0) >= 0 {
		return ""
	}
	return string(at)
}
