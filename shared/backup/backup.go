package backup

import (
	"fmt"
	"time"
)

// Version is the version of the form that this package writes and reads.
const Version = 1

// MaxLine bounds a line, in bytes.
const MaxLine = 1 << 20

// Header says what a backup is of.
type Header struct {
	Version        int       `json:"concourse_backup"` // set by NewWriter
	Backend        string    `json:"backend"`
	BackendVersion string    `json:"backend_version"`
	Format         int       `json:"format"` // of the entries, by the backend's own count
	StoreID        string    `json:"store_id"`
	Revision       uint64    `json:"revision"` // of the store
	TakenAt        time.Time `json:"taken_at"`
}

// Entry is one value. Entries of a space follow each other, in the byte order
// of their names.
type Entry struct {
	Space string
	Name  string
	Value []byte // JSON
}

// Summary is what is known of a backup that was read to its end.
type Summary struct {
	Header
	Entries  uint64
	Accounts uint64
	Size     int64 // in bytes
}

// Flaw says what is wrong with a backup. Other errors of a Reader are those of
// what it reads from.
type Flaw struct{ what string }

// Error says what is wrong.
func (f *Flaw) Error() string { return f.what }

// Flawed says what is wrong with a backup whose form is right.
func Flawed(format string, args ...any) error { return &Flaw{fmt.Sprintf(format, args...)} }

// entryLine is an Entry as it is written.
type entryLine struct {
	Space string `json:"space"`
	Name  string `json:"name"`
	Value raw    `json:"value"`
}

// lastLine says what came before it. No entry's line begins as it does.
type lastLine struct {
	Entries  uint64 `json:"entries"`
	Accounts uint64 `json:"accounts"`
	SHA256   string `json:"sha256"`
}

const lastBegins = `{"entries":`

// raw is a value as it is written. Unlike json.RawMessage it tells null from
// nothing.
type raw []byte

func (r raw) MarshalJSON() ([]byte, error) { return r, nil }

func (r *raw) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// order sees to it that no entry comes twice.
type order struct {
	space, name string
	seen        map[string]bool
}

// follow reports why an entry cannot come next.
func (o *order) follow(space, name string) error {
	if space == "" || name == "" {
		return Flawed("an entry has no space or no name")
	}
	switch {
	case space == o.space && name <= o.name:
		return Flawed("the entries of %q are not in order", space)
	case space != o.space && o.seen[space]:
		return Flawed("the entries of %q do not follow each other", space)
	case len(o.seen) > mostSpaces:
		return Flawed("there are more than %d spaces", mostSpaces)
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[space] = true
	o.space, o.name = space, name
	return nil
}

// mostSpaces keeps what is remembered of them small.
const mostSpaces = 64
