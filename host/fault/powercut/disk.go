package powercut

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

const sector = 512

// Disk is the model: what is synced, and what else was written.
type Disk struct {
	rec     *Recording
	next    int // of rec.Ops, to be replayed
	place   int // the last that was replayed
	synced  map[string]*node
	live    map[string]*node // what processes see
	changes []change         // of names, not synced
}

// node is a file or a directory.
type node struct {
	mode    fs.FileMode
	synced  []byte
	pending []write // not synced, in order
	length  int64   // what processes see
}

// write is a Write, or a Truncate, at a place that is known.
type write struct {
	*Op
	at int64
}

// change makes the name to lead to a node, and takes the name from away from
// it; either may be empty.
type change struct {
	*Op
	node     *node
	from, to string
}

// NewDisk returns a disk on which the image is synced, at the recording's
// beginning.
func NewDisk(rec *Recording, image Image) *Disk {
	d := &Disk{rec: rec, place: -1, synced: map[string]*node{".": {mode: dirMode}}}
	for path, f := range image {
		d.synced[path] = &node{mode: f.Mode, synced: slices.Clone(f.Data), length: int64(len(f.Data))}
	}
	d.live = maps.Clone(d.synced)
	return d
}

// Advance replays the calls that had ended when the line at the place was
// written. It never goes back.
func (d *Disk) Advance(place int) {
	for ; d.next < len(d.rec.Ops) && d.rec.Ops[d.next].ended <= place; d.next++ {
		d.replay(d.rec.Ops[d.next])
	}
	d.place = place
}

func (d *Disk) replay(o *Op) {
	switch o.Kind {
	case Sync:
		d.sync(o)
	case Write, Truncate:
		if w, n := d.write(o); n != nil {
			n.pending = append(n.pending, w)
			if n.length = max(n.length, w.at+o.Size); o.Kind == Truncate {
				n.length = o.Size
			}
		}
	default:
		if c, ok := d.change(o); ok {
			c.apply(d.live)
			d.changes = append(d.changes, c)
		}
	}
}

// write returns nil for a file that is not known, such as a device.
func (d *Disk) write(o *Op) (write, *node) {
	n := d.live[o.Path]
	if n == nil {
		return write{}, nil
	}
	w := write{Op: o, at: o.Offset}
	if o.Offset == Append {
		w.at = n.length
	}
	return w, n
}

// change reports no change for what was there, or for what is no file, such as
// a socket.
func (d *Disk) change(o *Op) (c change, ok bool) {
	n := d.live[o.Path]
	switch {
	case o.Kind == Create || o.Kind == Mkdir:
		return change{Op: o, node: &node{mode: o.Mode}, to: o.Path}, n == nil
	case o.Kind == Remove:
		return change{Op: o, node: n, from: o.Path}, n != nil
	case o.Kind == Link:
		return change{Op: o, node: n, to: o.To}, n != nil
	}
	return change{Op: o, node: n, from: o.Path, to: o.To}, n != nil
}

func (c change) apply(names map[string]*node) {
	if c.to != "" {
		names[c.to] = c.node
	}
	if c.from != "" && names[c.from] == c.node {
		delete(names, c.from)
	}
}

// in reports whether the change is in the directory. A rename from one to
// another counts in each, as if it were there twice; nothing here does that.
func (c change) in(dir string) bool {
	return c.from != "" && filepath.Dir(c.from) == dir || c.to != "" && filepath.Dir(c.to) == dir
}

func (d *Disk) sync(o *Op) {
	n := d.live[o.Path]
	if n == nil {
		return
	}
	if n.mode.IsDir() {
		d.changes = slices.DeleteFunc(d.changes, func(c change) bool {
			done := c.in(o.Path) && c.ended < o.began
			if done {
				c.apply(d.synced)
			}
			return done
		})
		return
	}
	n.pending = slices.DeleteFunc(n.pending, func(w write) bool {
		done := w.ended < o.began
		if done {
			n.synced = w.arrive(n.synced, all)
		}
		return done
	})
}

func all(*Op) bool { return true }

// underWay returns the calls that had begun and had not ended.
func (d *Disk) underWay() (ops []*Op) {
	for _, o := range d.rec.Ops[d.next:] {
		if o.began <= d.place {
			ops = append(ops, o)
		}
	}
	return ops
}

// arrive returns what the contents become of which keep says what of the write
// arrives: it is asked for each sector, and for the new length.
func (w write) arrive(b []byte, keep func(*Op) bool) []byte {
	if w.Kind == Truncate {
		if keep(w.Op) {
			b = resize(b, w.Size)
		}
		return b
	}
	end := w.at + w.Size
	if end > int64(len(b)) && keep(w.Op) {
		b = resize(b, end)
	}
	for from := w.at; from < end; {
		to := min((from/sector+1)*sector, end)
		switch arrives := keep(w.Op); {
		case !arrives && to > int64(len(b)):
			return b // the length is that of what came before
		case arrives:
			b = resize(b, max(to, int64(len(b))))
			copy(b[from:to], w.Data[from-w.at:])
		}
		from = to
	}
	return b
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size] // what is cut off never comes back
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}
