package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// What a result says of the logs of its processes.
const (
	mostLog     = 10
	mostLogLine = 1 << 10 // bytes
)

// newOutput returns what takes the output of one of the case's processes.
func (t *T) newOutput() *output {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &output{}
	t.outputs = append(t.outputs, o)
	return o
}

// log returns the newest lines that may say why something failed, process by
// process, without the secrets in them (rule 9).
func (t *T) log() (lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.outputs {
		for _, stream := range streams {
			text := o.text(stream)
			if stream == "stdout" {
				_, text, _ = bytes.Cut(text, []byte{'\n'}) // the handshake
			}
			lines = append(lines, weighty(t.run.seen.scrubbed(string(text)))...)
		}
	}
	lines = lines[max(0, len(lines)-mostLog):]
	for i, line := range lines {
		lines[i] = printable(t.run.seen.scrubbed(line)) // again: JSON may have hidden one
	}
	return lines
}

// weighty returns the lines that are plain, or of WARN and above. Of a Go panic
// it returns the beginning.
func weighty(text string) (lines []string) {
	all := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	for i, line := range all {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return append(lines, all[i:min(len(all), i+mostLog)]...)
		}
		if line = logLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-mostLog):]
}

// logLine returns a line of hclog's JSON as text, nothing if it is below WARN,
// and a plain one as it is.
func logLine(line string) string {
	var fields map[string]any
	from := json.NewDecoder(strings.NewReader(line))
	from.UseNumber()
	if from.Decode(&fields) != nil || fields["@message"] == nil {
		return line
	}
	level := hclog.LevelFromString(fmt.Sprint(fields["@level"]))
	if level < hclog.Warn {
		return ""
	}
	text := fmt.Sprintf("[%s] %v", strings.ToUpper(level.String()), fields["@message"])
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !strings.HasPrefix(name, "@") {
			text += fmt.Sprintf(" %s=%v", name, fields[name])
		}
	}
	return text
}

// printable bounds a line, and escapes what is no text.
func printable(line string) string {
	line = strings.TrimRight(strings.ToValidUTF8(line, "\ufffd"), "\r\n")
	if len(line) > mostLogLine {
		line = strings.ToValidUTF8(line[:mostLogLine], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, line)
}
