package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLine bounds a line, its line break included, in bytes.
const MaxLine = 16 << 10

// encode returns a line but for its time and number, which the writer puts
// before it: lines are encoded by their callers, side by side, and numbered in
// the order in which they reach the disk.
func encode(e Entry) ([]byte, error) {
	if !events[e.Event] || e.Outcome == "" {
		return nil, fmt.Errorf("an audit line needs an event of the list and an outcome, not %q and %q", e.Event, e.Outcome)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rest{Entry: e.bounded()}); err != nil {
		return nil, fmt.Errorf("cannot encode an audit line: %w", err)
	}
	return append(escaped(bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), '\n'), nil
}

// escaped writes what does not print, of which encoding/json leaves most, as a
// JSON escape: whoever shows a log on a terminal shows it as it is, and a name
// must not reverse or hide what stands beside it.
func escaped(line []byte) []byte {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if !bytes.ContainsFunc(line, odd) {
		return line
	}
	var b []byte
	for _, r := range string(line) {
		switch {
		case !odd(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}

// rest is an Entry without what stamp adds: its fields hide the Entry's.
type rest struct {
	Time *struct{} `json:"time,omitempty"`
	Seq  *struct{} `json:"seq,omitempty"`
	Entry
}

// stamp appends the finished line to b.
func stamp(b []byte, at time.Time, seq uint64, rest []byte) []byte {
	b = append(b, `{"time":"`...)
	b = at.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, ',')
	return append(b, rest[1:]...)
}

// errMalformed says that a line is not one of ours.
var errMalformed = errors.New("malformed audit line")

func decode(line []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil || e.Seq == 0 || e.Event == "" || e.Time.IsZero() {
		return Entry{}, errMalformed
	}
	return e, nil
}
