package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
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
	return b.Bytes(), nil
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
