package supervisor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/go-hclog"
)

// logLine is one line, ready for the host's log.
type logLine struct {
	level   hclog.Level
	message string
	pairs   []any
	plain   bool // not in hclog's JSON
}

// parseLine reads an hclog JSON line, or takes a plain one as it is, with the
// level that its beginning suggests. Nothing in the line is trusted.
func parseLine(raw []byte, whole bool, panicking *bool) logLine {
	if l, ok := parseJSON(raw); ok && whole {
		return l
	}
	l := logLine{level: hclog.Debug, message: scrub(string(raw[:min(len(raw), maxText+1)]), maxText), plain: true}
	for prefix, level := range levels {
		if text, ok := strings.CutPrefix(l.message, prefix); ok {
			l.level, l.message = level, strings.TrimSpace(text)
			return l
		}
	}
	if strings.HasPrefix(l.message, "panic: ") || strings.HasPrefix(l.message, "fatal error: ") {
		*panicking = true
	}
	if *panicking {
		l.level = hclog.Error
	}
	return l
}

var levels = map[string]hclog.Level{
	"[TRACE]": hclog.Trace, "[DEBUG]": hclog.Debug, "[INFO]": hclog.Info, "[WARN]": hclog.Warn, "[ERROR]": hclog.Error,
}

func parseJSON(raw []byte) (l logLine, ok bool) {
	var fields map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &fields) != nil || fields["@message"] == nil {
		return l, false
	}
	l.level = hclog.LevelFromString(plain(fields["@level"]))
	if l.level == hclog.NoLevel || l.level == hclog.Off {
		l.level = hclog.Debug
	}
	l.message = scrub(plain(fields["@message"]), maxText)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case key == "@level" || key == "@message" || key == "@timestamp":
		case len(l.pairs) == 2*maxPairs:
			l.pairs = append(l.pairs, "fields", len(fields))
			return l, true
		default:
			l.pairs = append(l.pairs, scrub(strings.TrimPrefix(key, "@"), 64), scrub(plain(fields[key]), maxValue))
		}
	}
	return l, true
}

// plain returns a JSON string's text, and anything else as it is written.
func plain(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(v))
}

// scrub writes what does not print as an escape, and bounds the result: no
// plugin moves the cursor of a terminal or begins a line of its own in a log.
func scrub(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= most {
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	if len(s) > most {
		b.WriteString("…")
	}
	return b.String()
}

// cut bounds a text that is already clean.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
