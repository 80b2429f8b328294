package supervisor_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		about string
		want  []string // all of them come
		most  int      // lines in all
	}{
		{"flood", []string{"[INFO]  backend: line 7\n", "[WARN]  backend: the plugin writes too much: dropped_lines="}, 900},
		{"giant", []string{"[DEBUG] backend: xxxx", "xxx…\n", "noise is over"}, 50},
		{"stdout", []string{"yyyy", "stream=stdout", "backend: through the stream: stream=stdout", "noise is over"}, 50},
		{"strange", []string{
			`backend: 1`,
			`[WARN]  backend: red \u001b[31m\u000aforged: key=a\u202eb n="{\"deep\":[1]}"`,
			`[ERROR] backend: bell \u0007 and �`, "noise is over",
		}, 50},
	} {
		t.Run(c.about, func(t *testing.T) {
			log := &logBuffer{}
			o := options(t)
			o.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: log})
			s := start(t, o)
			pid := s.Status().PID
			if _, err := s.Exists(t.Context(), c.about); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if t.Failed() {
					t.Logf("%.3000s", log.String())
				}
			}()
			for _, want := range c.want {
				eventually(t, "the log has "+want, func() bool { return strings.Contains(log.String(), want) })
			}
			text := log.String()
			if n := strings.Count(text, "\n"); n > c.most {
				t.Errorf("%d lines", n)
			}
			for line := range strings.Lines(text) {
				if len(line) > 5<<10 {
					t.Errorf("a line of %d bytes", len(line))
				}
			}
			if strings.ContainsAny(text, "\x1b\a") {
				t.Error("control characters came through")
			}
			if s.Status().PID != pid {
				t.Error("the plugin was restarted")
			}
		})
	}
}
