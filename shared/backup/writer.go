package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"unicode/utf8"
)

// Writer writes one backup.
type Writer struct {
	to      io.Writer
	sum     hash.Hash
	order   order
	entries uint64
	line    bytes.Buffer
	encoder *json.Encoder // to line
}

// NewWriter writes the first line.
func NewWriter(to io.Writer, h Header) (*Writer, error) {
	w := &Writer{to: to, sum: sha256.New()}
	w.encoder = json.NewEncoder(&w.line)
	w.encoder.SetEscapeHTML(false)
	h.Version = Version
	h.TakenAt = h.TakenAt.UTC()
	return w, w.write(h)
}

// Put writes one entry. It refuses one that is out of order, a name that is not
// UTF-8, a value that is not JSON, and one that is too long for a line.
func (w *Writer) Put(e Entry) error {
	if err := w.order.follow(e.Space, e.Name); err != nil {
		return err
	}
	if !utf8.ValidString(e.Space) || !utf8.ValidString(e.Name) {
		return Flawed("the name of an entry in %q is not UTF-8", e.Space)
	}
	if len(e.Value) == 0 {
		return Flawed("an entry in %q has no value", e.Space)
	}
	w.entries++
	return w.write(entryLine{e.Space, e.Name, e.Value})
}

// Close writes the last line. It closes nothing else.
func (w *Writer) Close(accounts uint64) error {
	return w.write(lastLine{w.entries, accounts, hex.EncodeToString(w.sum.Sum(nil))})
}

func (w *Writer) write(v any) error {
	w.line.Reset()
	if err := w.encoder.Encode(v); err != nil {
		if _, ok := errors.AsType[*json.MarshalerError](err); ok {
			return Flawed("a value is not JSON")
		}
		return err
	}
	if w.line.Len() > MaxLine {
		return Flawed("an entry takes %d bytes, more than %d", w.line.Len(), MaxLine)
	}
	w.sum.Write(w.line.Bytes())
	_, err := w.to.Write(w.line.Bytes())
	return err
}
