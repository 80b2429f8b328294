package powercut

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Calls are the system calls that a recording is made of, for strace's -e
// trace=. The last ones change a file in a way that the model does not know:
// Read refuses them.
const Calls = "openat,mkdirat,write,pwrite64,ftruncate,fsync,fdatasync,renameat,renameat2,linkat,unlinkat," +
	"open,creat,mkdir,writev,pwritev,pwritev2,truncate,fallocate,sync_file_range,rename,link,unlink,rmdir,copy_file_range,sendfile,splice"

// Options are those of strace that Read relies on. Text in hexadecimal has
// neither quotes nor commas in it.
func Options() []string {
	return []string{
		"-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216",
		"--absolute-timestamps=format:unix,precision:ns", "-e", "trace=" + Calls,
	}
}

// Read reads what strace wrote, and keeps the calls below the directory. The
// files that blank names, relative to it, are empty all the while.
func Read(from io.Reader, dir string, blank func(path string) bool) (*Recording, error) {
	r := &reader{dir: dir, blank: blank, rec: &Recording{}, begun: map[string]begun{}}
	r.mark = []byte(inHex(dir))
	lines := bufio.NewReaderSize(from, 1<<20)
	var long []byte
	for {
		part, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = append(long, part...)
			continue
		}
		line := part
		if len(long) > 0 {
			long = append(long, part...)
			line = long
		}
		if failed := r.line(line); failed != nil {
			return nil, fmt.Errorf("line %d: %w", r.rec.Places(), failed)
		}
		long = long[:0]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	inOrder := func(a, b begun) int { return a.place - b.place }
	for _, b := range slices.SortedFunc(maps.Values(r.begun), inOrder) {
		if err := r.call(b.text+") = ?", b.place, never); err != nil {
			return nil, err
		}
	}
	return r.rec, nil
}

func inHex(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

type reader struct {
	dir   string
	mark  []byte // the directory, as in the text
	blank func(string) bool
	rec   *Recording
	begun map[string]begun // by thread
}

type begun struct {
	text  string
	place int
}

// line reads "thread time call(arguments) = result", or one of its halves.
func (r *reader) line(line []byte) error {
	thread, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
	at, rest, ok := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	if !ok {
		return nil
	}
	seconds, nanoseconds, _ := strings.Cut(string(at), ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no time", at)
	}
	ns, err := strconv.ParseInt(nanoseconds, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no time", at)
	}
	place := r.rec.Places()
	r.rec.At = append(r.rec.At, time.Unix(s, ns))
	rest = bytes.TrimSpace(rest)
	if bytes.HasPrefix(rest, []byte("<... ")) {
		b, ok := r.begun[string(thread)]
		if !ok {
			return nil // elsewhere
		}
		delete(r.begun, string(thread))
		_, end, _ := bytes.Cut(rest, []byte("resumed>"))
		return r.call(b.text+string(end), b.place, place)
	}
	if !bytes.Contains(rest, r.mark) {
		return nil
	}
	if text, unfinished := bytes.CutSuffix(rest, []byte("<unfinished ...>")); unfinished {
		r.begun[string(thread)] = begun{text: string(text), place: place}
		return nil
	}
	return r.call(string(rest), place, place)
}

// call keeps a call that has changed something.
func (r *reader) call(text string, from, to int) error {
	name, rest, ok := strings.Cut(text, "(")
	i := strings.LastIndex(rest, ") ") // before " = ", which is padded behind short calls
	if !ok || i < 0 {
		return nil // a signal, or an end
	}
	result := strings.TrimLeft(rest[i+1:], " =")
	if result == "" || result[0] == '-' {
		return nil
	}
	if result[0] == '?' {
		to = never
	}
	args := strings.Split(strings.TrimSuffix(rest[:i], "<unfinished ...>"), ",")
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	o, err := r.op(name, args)
	if err != nil || o == nil {
		return err
	}
	if o.Kind == Write && to != never {
		if n, err := strconv.ParseInt(result, 10, 64); err != nil || n != o.Size {
			return fmt.Errorf("%s of %d bytes to %s wrote %q", name, o.Size, o.Path, result)
		}
	}
	o.began, o.ended = from, to
	r.rec.Ops = append(r.rec.Ops, o)
	return nil
}

// op returns nil for a call that changes nothing below the directory.
func (r *reader) op(name string, args []string) (*Op, error) {
	switch name {
	case "openat", "mkdirat", "unlinkat":
		path, ok, err := r.at(args[0], args[1])
		if err != nil || !ok {
			return nil, err
		}
		switch {
		case name == "unlinkat":
			return &Op{Kind: Remove, Path: path}, nil
		case name == "mkdirat":
			return &Op{Kind: Mkdir, Path: path, Mode: fs.ModeDir | mode(args[2])}, nil
		case strings.Contains(args[2], "O_TRUNC") && !strings.Contains(args[2], "O_EXCL"):
			return nil, fmt.Errorf("%s is opened with O_TRUNC, which is not in the model", path)
		case !strings.Contains(args[2], "O_CREAT") || strings.Contains(args[2], "O_TMPFILE"):
			return nil, nil
		}
		return &Op{Kind: Create, Path: path, Mode: mode(args[3])}, nil
	case "renameat", "renameat2", "linkat":
		from, ok, err := r.at(args[0], args[1])
		to, also, err2 := r.at(args[2], args[3])
		if err := errors.Join(err, err2); err != nil || !ok && !also {
			return nil, err
		}
		if ok != also {
			return nil, fmt.Errorf("%s leads into the directory or out of it", name)
		}
		kind := Rename
		if name == "linkat" {
			kind = Link
		}
		return &Op{Kind: kind, Path: from, To: to}, nil
	}
	path, ok, err := r.file(args[0])
	if err != nil || !ok {
		return nil, err
	}
	switch name {
	case "fsync", "fdatasync":
		return &Op{Kind: Sync, Path: path}, nil
	case "ftruncate":
		size, err := strconv.ParseInt(args[1], 10, 64)
		return &Op{Kind: Truncate, Path: path, Size: size}, err
	case "write", "pwrite64":
		o := &Op{Kind: Write, Path: path, Offset: Append}
		if o.Size, err = strconv.ParseInt(args[2], 10, 64); err != nil {
			return nil, err
		}
		if name == "pwrite64" {
			if o.Offset, err = strconv.ParseInt(args[3], 10, 64); err != nil {
				return nil, err
			}
		}
		if r.blank(path) {
			return nil, nil
		}
		o.Data, err = unhex(strings.Trim(args[1], `"`))
		return o, err
	}
	return nil, fmt.Errorf("%s of %s is not in the model", name, path)
}

func mode(arg string) fs.FileMode {
	m, _ := strconv.ParseUint(arg, 8, 32)
	return fs.FileMode(m) & fs.ModePerm
}

// at returns the path that a directory's descriptor and a name lead to.
func (r *reader) at(dir, name string) (path string, ok bool, err error) {
	b, err := unhex(strings.Trim(name, `"`))
	if err != nil {
		return "", false, err
	}
	full := string(b)
	if !filepath.IsAbs(full) {
		_, in, _ := strings.Cut(dir, "<")
		if b, err = unhex(strings.TrimSuffix(in, ">")); err != nil {
			return "", false, err
		}
		full = filepath.Join(string(b), full)
	}
	path, ok = r.below(full)
	return path, ok, nil
}

// file returns the path of an open file: "7<path>". One without a name is of no
// interest any more.
func (r *reader) file(descriptor string) (path string, ok bool, err error) {
	_, in, ok := strings.Cut(descriptor, "<")
	in, ok2 := strings.CutSuffix(in, ">")
	if !ok || !ok2 || !strings.HasPrefix(in, `\x2f`) {
		return "", false, nil
	}
	b, err := unhex(in)
	if err != nil {
		return "", false, err
	}
	path, ok = r.below(string(b))
	return path, ok, nil
}

func (r *reader) below(full string) (path string, ok bool) {
	path, err := filepath.Rel(r.dir, full)
	return path, err == nil && filepath.IsLocal(path)
}

func unhex(s string) ([]byte, error) {
	if len(s)%4 != 0 {
		return nil, fmt.Errorf("text that is not in hexadecimal: %.40q", s)
	}
	digits := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); i += 4 {
		digits = append(digits, s[i+2], s[i+3])
	}
	n, err := hex.Decode(digits, slices.Clip(digits))
	return digits[:n], err
}
