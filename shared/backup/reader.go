package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
)

// Reader reads one backup, and refuses with a *Flaw what is not a whole one.
type Reader struct {
	from    *bufio.Reader
	sum     hash.Hash
	order   order
	summary Summary
	err     error // how it ended
}

// NewReader reads the first line.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{from: bufio.NewReaderSize(from, MaxLine), sum: sha256.New()}
	first, err := r.read()
	if err != nil {
		return nil, err
	}
	var h Header
	var is struct {
		Version *int `json:"concourse_backup"`
	}
	switch err := json.Unmarshal(first, &is); {
	case err != nil || is.Version == nil || *is.Version < 1:
		return nil, Flawed("it is not a backup of a users store")
	case *is.Version > Version:
		return nil, Flawed("it has version %d of the form of backups, written by a newer release; this one reads version %d; use that release", *is.Version, Version)
	case strictly(first, &h) != nil || h.StoreID == "" || h.Format < 1 || h.TakenAt.IsZero():
		return nil, Flawed("its first line is not as it was written")
	}
	r.sum.Write(first)
	r.summary.Header = h
	return r, nil
}

// Header returns the first line.
func (r *Reader) Header() Header { return r.summary.Header }

// Summary is complete once Next has returned io.EOF.
func (r *Reader) Summary() Summary { return r.summary }

// Next returns the next entry, or io.EOF once the backup was found to be whole
// and nothing follows it.
func (r *Reader) Next() (Entry, error) {
	if r.err != nil {
		return Entry{}, r.err
	}
	e, err := r.next()
	r.err = err
	return e, err
}

func (r *Reader) next() (Entry, error) {
	text, err := r.read()
	if err != nil {
		return Entry{}, err
	}
	if bytes.HasPrefix(text, []byte(lastBegins)) {
		var l lastLine
		if strictly(text, &l) != nil {
			return Entry{}, r.damaged()
		}
		return Entry{}, r.end(l)
	}
	var l entryLine
	if strictly(text, &l) != nil || l.Value == nil {
		return Entry{}, r.damaged()
	}
	if err := r.order.follow(l.Space, l.Name); err != nil {
		return Entry{}, err
	}
	r.sum.Write(text)
	r.summary.Entries++
	return Entry{l.Space, l.Name, l.Value}, nil
}

// end returns io.EOF if the last line is true.
func (r *Reader) end(l lastLine) error {
	if l.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return Flawed("it was altered: its SHA-256 sum is not the one in its last line")
	}
	if l.Entries != r.summary.Entries || l.Accounts > r.summary.Entries {
		return Flawed("it has %d entries, and its last line says otherwise", r.summary.Entries)
	}
	if _, err := r.from.ReadByte(); err == nil {
		return Flawed("something follows its last line")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	r.summary.Accounts = l.Accounts
	return io.EOF
}

// read returns the next line with its end, good until the next call.
func (r *Reader) read() ([]byte, error) {
	text, err := r.from.ReadSlice('\n')
	r.summary.Size += int64(len(text))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, Flawed("line %d is longer than %d bytes", r.line(), MaxLine)
	case errors.Is(err, io.EOF) && r.summary.Size == 0:
		return nil, Flawed("it is empty")
	case errors.Is(err, io.EOF):
		return nil, Flawed("it was cut short after %d bytes", r.summary.Size)
	}
	return text, err
}

func (r *Reader) damaged() error {
	return Flawed("it was altered: line %d is not as it was written", r.line())
}

// line is the number of the line that is read now.
func (r *Reader) line() uint64 {
	if r.summary.Version == 0 {
		return 1
	}
	return r.summary.Entries + 2
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
