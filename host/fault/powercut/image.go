package powercut

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dirMode is that of the recorded directory itself.
const dirMode = fs.ModeDir | 0o700

// File is what a name leads to.
type File struct {
	Mode fs.FileMode
	Data []byte
}

// Image is what a directory holds, by path relative to it. Two names may lead
// to one File.
type Image map[string]*File

// Image draws what the disk may hold if the power is cut now. Of each piece
// that was not synced, a sector, a length, a name, keep says whether it has
// reached the disk.
func (d *Disk) Image(keep func(*Op) bool) Image {
	names, late := maps.Clone(d.synced), map[*node][]write{}
	changes := slices.Clone(d.changes)
	for _, o := range d.underWay() {
		switch o.Kind {
		case Sync:
		case Write, Truncate:
			if w, n := d.write(o); n != nil {
				late[n] = append(late[n], w)
			}
		default:
			if c, ok := d.change(o); ok {
				changes = append(changes, c)
			}
		}
	}
	for _, c := range changes {
		if keep(c.Op) {
			c.apply(names)
		}
	}
	image, drawn := Image{}, map[*node]*File{}
	for _, path := range slices.Sorted(maps.Keys(names)) {
		n := names[path]
		if parent := filepath.Dir(path); path == "." || parent != "." && image[parent] == nil {
			continue
		}
		if drawn[n] == nil {
			f := &File{Mode: n.mode, Data: slices.Clone(n.synced)}
			for _, w := range slices.Concat(n.pending, late[n]) {
				f.Data = w.arrive(f.Data, keep)
			}
			drawn[n] = f
		}
		image[path] = drawn[n]
	}
	return image
}

// WriteTo writes the image into an existing directory.
func (i Image) WriteTo(dir string) error {
	written := map[*File]string{}
	for _, path := range slices.Sorted(maps.Keys(i)) {
		f, at := i[path], filepath.Join(dir, path)
		var err error
		switch first, again := written[f]; {
		case f.Mode.IsDir():
			err = os.Mkdir(at, f.Mode.Perm())
		case again:
			err = os.Link(first, at)
		default:
			written[f] = at
			err = os.WriteFile(at, f.Data, f.Mode.Perm())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadImage reads the files and directories below a directory. Those that blank
// names are empty.
func ReadImage(dir string, blank func(path string) bool) (Image, error) {
	image := Image{}
	return image, filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		path, _ := filepath.Rel(dir, at)
		if err != nil || path == "." || !e.IsDir() && !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		f := &File{Mode: info.Mode()}
		if !e.IsDir() && !blank(path) {
			f.Data, err = os.ReadFile(at)
		}
		image[path] = f
		return err
	})
}

// Settle finds out, from what is there after the recorded processes' end, what
// became of the calls that were cut off by it, and notes it in the recording.
// The disk must have been advanced to the recording's last place. It returns an
// error if the recording does not lead to what is there.
func (d *Disk) Settle(there Image) error {
	last := d.rec.Places() - 1
	d.rec.Ops = slices.DeleteFunc(d.rec.Ops, func(o *Op) bool {
		if o.ended != never {
			return false
		}
		_, is := there[o.Path]
		switch o.Kind {
		case Sync:
			return true
		case Create, Mkdir:
			is = !is
		case Rename, Link:
			_, is = there[o.To]
			is = !is
		case Truncate:
			if is = !is; !is {
				o.Size = int64(len(there[o.Path].Data))
			}
		case Write: // perhaps in part
			w, n := d.write(o)
			if is = n == nil || !is; !is {
				data := there[o.Path].Data
				o.Offset, o.Data = w.at, data[min(w.at, int64(len(data))):min(w.at+o.Size, int64(len(data)))]
				o.Size = int64(len(o.Data))
			}
		}
		o.ended = last
		return is
	})
	d.Advance(last)
	return d.Image(all).differs(there)
}

func (i Image) differs(there Image) error {
	if have, want := slices.Sorted(maps.Keys(i)), slices.Sorted(maps.Keys(there)); !slices.Equal(have, want) {
		return fmt.Errorf("the recording leads to the files %s, and there are %s", strings.Join(have, " "), strings.Join(want, " "))
	}
	for path, f := range i {
		if !bytes.Equal(f.Data, there[path].Data) || f.Mode != there[path].Mode {
			return fmt.Errorf("the recording leads to another %s than is there", path)
		}
	}
	return nil
}
