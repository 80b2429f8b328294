package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// TestLog shows what a result says of what its processes wrote: little, and
// without secrets (rule 9).
func TestLog(t *testing.T) {
	plain := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprint("line ", i))
		}
		return lines
	}
	for name, c := range map[string]struct {
		stream, text string
		want         []string
	}{
		"Levels": {"stderr", `{"@level":"info","@message":"it serves"}` + "\n" + `{"@level":"error","@message":"it fails","error":"full","n":1000000}` + "\n",
			[]string{"[ERROR] it fails error=full n=1000000"}},
		"Handshake": {"stdout", "1|1|unix|socket|grpc|\nhello\n", []string{"hello"}},
		"Stdio":     {"stdio stderr", "\nTraceback\r\n\x1b[31mred", []string{"Traceback", " [31mred"}},
		"Newest":    {"stderr", strings.Join(plain(mostLog+5), "\n"), plain(mostLog + 5)[5:]},
		"Panic":     {"stderr", "panic: no\n\n" + strings.Join(plain(20), "\n"), append([]string{"panic: no"}, plain(mostLog-1)...)},
		"Long":      {"stderr", strings.Repeat("x", 2*mostLogLine), []string{strings.Repeat("x", mostLogLine) + "…"}},
		"Secret":    {"stderr", "password " + testPassword + "\n", []string{"password " + strings.Repeat("*", len(testPassword))}},
		"Hidden": {"stderr", `{"@level":"warn","@message":"` + strings.Replace(testPassword, "j", `\u006a`, 1) + `"}`,
			[]string{"[WARN] " + strings.Repeat("*", len(testPassword))}},
		"Hash": {"stderr", "stored " + otherHash, []string{"stored $2b$***"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{}
			r.seen.secretsOf(&usersv1.AuthenticateRequest{Password: []byte(testPassword)})
			of := &T{run: r}
			of.newOutput().take(c.stream, []byte(c.text))
			if d := cmp.Diff(c.want, of.log()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestEvents shows that events stand between the calls, and push none out.
func TestEvents(t *testing.T) {
	r := newRecord(&sightings{})
	for n := range 3 * mostExchanges {
		r.begin("/concourse.users.v1.Users/Show", nil)
		r.note("event %d", n)
	}
	items := r.newest()
	calls := 0
	for _, e := range items {
		if e.Method != "" {
			calls++
		}
	}
	if last := items[len(items)-1]; calls != mostExchanges || len(items) > 2*mostExchanges || last.Event != fmt.Sprint("event ", 3*mostExchanges-1) {
		t.Errorf("%d calls among %+v", calls, items)
	}
}
