package powercut

import (
	"io/fs"
	"slices"
	"time"
)

// Kind is what a call does.
type Kind int

// The kinds of calls that a model knows.
const (
	Create   Kind = iota // a file, unless it is there
	Mkdir                // a directory
	Write                // Data at Offset
	Truncate             // to Size, which may be longer
	Sync                 // a file, or a directory's names
	Rename               // Path to To
	Link                 // Path to To as well
	Remove               // a name
)

// Append is the Offset of a Write at a file's end.
const Append = -1

// never is when a call ended that was cut off by its process's end.
const never = int(^uint(0) >> 1)

// Op is one successful call below the recorded directory.
type Op struct {
	Kind     Kind
	Path, To string // relative to the directory, which is "."
	Mode     fs.FileMode
	Offset   int64
	Data     []byte // of a Write
	Size     int64  // of a Truncate, and of a Write in bytes

	began, ended int // places in the recording
}

// Recording is what was seen of one directory, in the order in which the calls
// ended. A place is the number of a line that strace wrote.
type Recording struct {
	Ops []*Op
	At  []time.Time // by place
}

// Places returns how many places there are.
func (r *Recording) Places() int { return len(r.At) }

// Began returns the place at which a call began, and Ended that at which it
// ended.
func (o *Op) Began() int { return o.began }

// Ended returns the place at which a call ended.
func (o *Op) Ended() int { return o.ended }

// Add appends a later recording of the same directory.
func (r *Recording) Add(later *Recording) {
	for _, o := range later.Ops {
		o.began += len(r.At)
		if o.ended != never {
			o.ended += len(r.At)
		}
	}
	r.Ops = append(r.Ops, later.Ops...)
	r.At = append(r.At, later.At...)
}

// Without returns the recording as if some of the calls had not been made.
func (r *Recording) Without(some func(*Op) bool) *Recording {
	return &Recording{Ops: slices.DeleteFunc(slices.Clone(r.Ops), some), At: r.At}
}
