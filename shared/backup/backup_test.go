package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/shared/backup"
)

var header = backup.Header{
	Backend: "bolt", BackendVersion: "1.2.3", Format: 2, StoreID: "STORE", Revision: 7,
	TakenAt: time.Date(2026, 11, 23, 10, 48, 31, 5, time.UTC),
}

var entries = []backup.Entry{
	{Space: "meta", Name: "store", Value: []byte(`{"format":2}`)},
	{Space: "accounts", Name: "admin", Value: []byte(`{"id":"1","text":"<&> \" ü"}`)},
	{Space: "accounts", Name: "jérôme \u2028", Value: []byte(`null`)},
	{Space: "signins", Name: "1", Value: []byte(`3`)},
}

func write(t testing.TB, entries []backup.Entry, accounts uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Put(e); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
	}
	if err := w.Close(accounts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) ([]backup.Entry, backup.Summary, error) {
	r, err := backup.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, backup.Summary{}, err
	}
	var all []backup.Entry
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, r.Summary(), nil
		}
		if err != nil {
			return all, backup.Summary{}, err
		}
		all = append(all, e)
	}
}

func TestRoundTrip(t *testing.T) {
	data := write(t, entries, 2)
	got, s, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entries, got); diff != "" {
		t.Error(diff)
	}
	h := header
	h.Version = backup.Version
	want := backup.Summary{Header: h, Entries: 4, Accounts: 2, Size: int64(len(data))}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if verified, err := backup.Verify(t.Context(), bytes.NewReader(data)); err != nil || verified != s {
		t.Errorf("Verify: %+v, %v", verified, err)
	}
	if lines := bytes.Count(data, []byte("\n")); lines != len(entries)+2 || data[len(data)-1] != '\n' {
		t.Errorf("it has %d lines:\n%s", lines, data)
	}
}

// TestForm holds the form itself, which later releases have to read.
func TestForm(t *testing.T) {
	const want = `{"concourse_backup":1,"backend":"bolt","backend_version":"1.2.3","format":2,"store_id":"STORE","revision":7,"taken_at":"2026-11-23T10:48:31.000000005Z"}
{"space":"meta","name":"store","value":{"format":2}}
{"entries":1,"accounts":0,"sha256":"92eb3e835298edb2b50369033400d3bf8e970c1c83413f784d6b990d444820cc"}
`
	if diff := cmp.Diff(want, string(write(t, entries[:1], 0))); diff != "" {
		t.Error(diff)
	}
}

func TestErrFlaw(t *testing.T) {
	whole := string(write(t, entries, 2))
	lines := strings.SplitAfter(whole, "\n")
	lines = lines[:len(lines)-1]
	last := len(lines) - 1
	join := func(l ...string) string { return strings.Join(l, "") }
	for name, c := range map[string]struct{ data, says string }{
		"Empty":             {"", "empty"},
		"OtherFile":         {"hello\n", "not a backup"},
		"OtherJSON":         {"{\"name\":\"x\"}\n" + whole, "not a backup"},
		"Binary":            {strings.Repeat("\x00\xff", 1<<20), "longer than"},
		"NoLineEnd":         {"{", "cut short"},
		"NewerForm":         {strings.Replace(whole, `backup":1`, `backup":2`, 1), "newer release"},
		"HeaderAltered":     {strings.Replace(whole, "STORE", "STARE", 1), "altered"},
		"HeaderField":       {strings.Replace(whole, `"backend":`, `"front":1,"backend":`, 1), "first line"},
		"HeaderWithoutID":   {strings.Replace(whole, "STORE", "", 1), "first line"},
		"ValueAltered":      {strings.Replace(whole, `"id":"1"`, `"id":"2"`, 1), "altered"},
		"NameAltered":       {strings.Replace(whole, `"admin"`, `"adnin"`, 1), "altered"},
		"FieldAdded":        {strings.Replace(whole, `,"value":3`, `,"value":3,"more":1`, 1), "altered: line 5"},
		"NoValue":           {strings.Replace(whole, `,"value":3`, ``, 1), "altered: line 5"},
		"LineRemoved":       {join(lines[0], lines[1], lines[3], lines[4], lines[5]), "altered"},
		"LineTwice":         {join(lines[0], lines[1], lines[1]), "not in order"},
		"LinesSwapped":      {join(lines[0], lines[1], lines[3], lines[2]), "not in order"},
		"SpaceAgain":        {join(lines[0], lines[2], lines[1], lines[3]), "do not follow"},
		"OnlyHeader":        {lines[0], "cut short"},
		"EndRemoved":        {join(lines[:last]...), "cut short"},
		"EndCut":            {whole[:len(whole)-1], "cut short"},
		"EndCutMore":        {whole[:len(whole)-20], "cut short"},
		"EndTwice":          {whole + lines[last], "follows its last line"},
		"Trailing":          {whole + "\n", "follows its last line"},
		"TrailingBackup":    {whole + whole, "follows its last line"},
		"Count":             {strings.Replace(whole, `"entries":4`, `"entries":5`, 1), "4 entries"},
		"AccountsBeyond":    {strings.Replace(whole, `"accounts":2`, `"accounts":9`, 1), "4 entries"},
		"EndWithoutItsSum":  {join(join(lines[:last]...), `{"entries":4,"accounts":2}`+"\n"), "altered"},
		"EndWithMore":       {strings.Replace(whole, `"accounts":2,`, `"accounts":2,"more":1,`, 1), "altered"},
		"TwoValuesInALine":  {strings.Replace(whole, `{"space":"signins"`, `{} {"space":"signins"`, 1), "altered: line 5"},
		"LineTooLong":       {lines[0] + `{"space":"a","name":"b","value":"` + strings.Repeat("x", backup.MaxLine) + "\"}\n", "line 2 is longer"},
		"TooManySpaces":     {lines[0] + spaces(100), "spaces"},
		"WithoutSpace":      {lines[0] + `{"space":"","name":"b","value":1}` + "\n", "no space"},
		"EntryAfterTheLast": {whole + lines[last-1], "follows its last line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read([]byte(c.data))
			if _, ok := errors.AsType[*backup.Flaw](err); !ok || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a flaw that says %q", err, c.says)
			}
		})
	}
}

func spaces(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"space\":\"s%d\",\"name\":\"b\",\"value\":1}\n", i)
	}
	return b.String()
}

// Every byte counts.
func TestErrAnyByte(t *testing.T) {
	whole := write(t, entries, 2)
	for i := range whole {
		if _, _, err := read(whole[:i]); err == nil {
			t.Errorf("%d of %d bytes are taken for the whole", i, len(whole))
		}
		changed := bytes.Clone(whole)
		changed[i] ^= 0x04
		if _, s, err := read(changed); err == nil && i < bytes.LastIndex(whole, []byte(`{"entries`)) {
			t.Errorf("byte %d was changed, and it is taken for whole: %+v", i, s)
		}
	}
}

func TestErrReading(t *testing.T) {
	whole := write(t, entries, 2)
	broken := errors.New("the disk is broken")
	for n := range len(whole) {
		_, err := backup.Verify(t.Context(), io.MultiReader(bytes.NewReader(whole[:n]), failing{broken}))
		if !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: %v, want the reader's own error", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Verify(ctx, bytes.NewReader(whole)); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestPut(t *testing.T) {
	for name, c := range map[string]struct {
		entries []backup.Entry
		says    string
	}{
		"ErrOrder":   {[]backup.Entry{{"a", "b", []byte("1")}, {"a", "a", []byte("1")}}, "not in order"},
		"ErrTwice":   {[]backup.Entry{{"a", "b", []byte("1")}, {"a", "b", []byte("1")}}, "not in order"},
		"ErrSpace":   {[]backup.Entry{{"a", "b", []byte("1")}, {"b", "a", []byte("1")}, {"a", "c", []byte("1")}}, "do not follow"},
		"ErrNotJSON": {[]backup.Entry{{"a", "b", []byte("not json")}}, "not JSON"},
		"ErrEmpty":   {[]backup.Entry{{"a", "b", nil}}, "no value"},
		"ErrNotUTF8": {[]backup.Entry{{"a", "\xff", []byte("1")}}, "not UTF-8"},
		"ErrTooLong": {[]backup.Entry{{"a", "b", []byte(`"` + strings.Repeat("x", backup.MaxLine) + `"`)}}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := backup.NewWriter(io.Discard, header)
			for _, e := range c.entries {
				if err == nil {
					err = w.Put(e)
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	t.Run("ErrWriting", func(t *testing.T) {
		if _, err := backup.NewWriter(full{}, header); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("got %v", err)
		}
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// FuzzReader finds that whatever is taken for whole can be written again and
// says the same.
func FuzzReader(f *testing.F) {
	whole := write(f, entries, 2)
	f.Add(whole)
	f.Add(write(f, nil, 0))
	f.Add(whole[:len(whole)-5])
	f.Add(append(bytes.Clone(whole), whole...))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, s, err := read(data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		w, err := backup.NewWriter(&b, s.Header)
		for _, e := range got {
			if err == nil {
				err = w.Put(e)
			}
		}
		if err == nil {
			err = w.Close(s.Accounts)
		}
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, _, err := read(b.Bytes())
		if err != nil || len(again) != len(got) {
			t.Fatalf("%d entries became %d (%v)", len(got), len(again), err)
		}
		for i := range got {
			if got[i].Space != again[i].Space || got[i].Name != again[i].Name {
				t.Fatalf("%+v became %+v", got[i], again[i])
			}
		}
	})
}
