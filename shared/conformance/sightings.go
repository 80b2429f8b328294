package conformance

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
)

// sightings is what a whole run saw of its processes, for the cases that judge
// it at the end.
type sightings struct {
	mu      sync.Mutex                     // guards the rest
	secrets map[string]string              // by value: which field it was
	ends    map[[leastSecret]byte][]string // the same values, by their last bytes
	logged  []string                       // where a secret was written
	told    []string                       // where a refusal told one
	stdout  []string                       // what was printed there, beside the handshake
	long    []string                       // lines of logs that are too long
}

const (
	leastSecret = 10 // bytes: a shorter one might stand anywhere by chance
	mostSeen    = 20 // of each kind
	mostLine    = 64 << 10
)

// secretsOf notes the passwords and hashes of a message.
func (s *sightings) secretsOf(m any) {
	message, ok := m.(proto.Message)
	if !ok || message == nil || !message.ProtoReflect().IsValid() {
		return
	}
	hide(message.ProtoReflect(), func(name string, value []byte) []byte {
		if len(value) >= leastSecret && name != "data" {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.add(name, string(value))
			s.add(name, base64.RawStdEncoding.EncodeToString(value)) // as JSON would have it
		}
		return value
	})
}

func (s *sightings) add(field, value string) {
	if s.secrets == nil {
		s.secrets, s.ends = map[string]string{}, map[[leastSecret]byte][]string{}
	}
	if _, known := s.secrets[value]; !known {
		s.secrets[value] = field
		end := [leastSecret]byte([]byte(value[len(value)-leastSecret:]))
		s.ends[end] = append(s.ends[end], value)
	}
}

// find calls f with each secret that stands in the text. It needs mu, and goes
// over the text once however many secrets there are.
func (s *sightings) find(text []byte, f func(begin, end int, field string)) {
	for i := leastSecret; i <= len(text); i++ {
		for _, value := range s.ends[[leastSecret]byte(text[i-leastSecret:i])] {
			if bytes.HasSuffix(text[:i], []byte(value)) {
				f(i-len(value), i, s.secrets[value])
			}
		}
	}
}

// status looks at the text of a refusal.
func (s *sightings) status(method, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find([]byte(text), func(_, _ int, field string) {
		s.told = note(s.told, fmt.Sprintf("the refusal of %s tells a %s", method, field))
	})
}

// output looks at what a process wrote. It is called with whole outputs, when
// their process has ended.
func (s *sightings) output(stream string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(text, func(_, _ int, field string) {
		s.logged = note(s.logged, fmt.Sprintf("what it wrote to %s holds a %s that was sent or received", stream, field))
	})
	if m := hashForm.FindSubmatch(s.blank(text)); m != nil {
		s.logged = note(s.logged, fmt.Sprintf("what it wrote to %s holds what looks like a password hash, $%s$…", stream, m[1]))
	}
	if stream == "stdout" {
		if _, rest, _ := bytes.Cut(text, []byte{'\n'}); len(bytes.TrimSpace(rest)) > 0 {
			s.stdout = note(s.stdout, fmt.Sprintf("it wrote %.200q", s.clean(rest)))
		}
		return
	}
	for line := range bytes.Lines(text) {
		if len(line) > mostLine {
			s.long = note(s.long, fmt.Sprintf("a line of %d bytes begins with %.200q", len(line), s.clean(line)))
		}
	}
}

func note(list []string, text string) []string {
	if len(list) == mostSeen || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// hashForm is how password hashes are written, of which a backend may have some
// that the suite never saw: "$argon2id$v=19$m=…", "$2b$12$…", "$6$…".
var hashForm = regexp.MustCompile(`\$([a-z0-9][a-z0-9-]*)\$[A-Za-z0-9+/.=,$-]{30,}`)

// blank returns the text without the secrets that were seen. It needs mu.
func (s *sightings) blank(text []byte) []byte {
	clean := bytes.Clone(text)
	s.find(text, func(begin, end int, _ string) {
		copy(clean[begin:end], bytes.Repeat([]byte{'*'}, end-begin))
	})
	return clean
}

// clean returns the text without secrets in it. It needs mu.
func (s *sightings) clean(text []byte) []byte {
	return hashForm.ReplaceAll(s.blank(text), []byte("$$${1}$$***"))
}

func (s *sightings) scrubbed(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.clean([]byte(text)))
}

// scrub takes what a backend let slip out of what a result says (rule 9).
func (s *sightings) scrub(r *Result) {
	for i, f := range r.Failures {
		r.Failures[i] = s.scrubbed(f)
	}
	for i, e := range r.Exchanges { // of an event nothing is the backend's
		r.Exchanges[i].Sent, r.Exchanges[i].Received = s.scrubbed(e.Sent), s.scrubbed(e.Received)
	}
}

// take returns a copy of one of the lists.
func (s *sightings) take(list *[]string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*list)
}
