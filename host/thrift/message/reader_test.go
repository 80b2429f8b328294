package message_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/thrift/message"
)

const mib = 1 << 20

func TestRead(t *testing.T) {
	for name, strict := range map[string]bool{"Strict": true, "Unversioned": false} {
		t.Run(name, func(t *testing.T) {
			for kind := thrift.TMessageType(thrift.CALL); kind <= thrift.ONEWAY; kind++ {
				whole := simple(strict, "core:ping", kind, -9, "text")
				m, err := message.NewReader(bytes.NewReader(whole), mib).Read()
				if err != nil {
					t.Fatal(err)
				}
				f, err := m.Field(7, thrift.STRING)
				if err != nil || f == nil || string(message.Text(m.Value(f))) != "text" {
					t.Errorf("the field is %v, %v", f, err)
				}
				got := *m
				got.Fields = nil
				if d := cmp.Diff(message.Message{Name: []byte("core:ping"), Kind: kind, SeqID: -9, Bytes: whole}, got); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	call := func(after ...byte) []byte {
		w := newWriter(true)
		w.WriteMessageBegin(ctx, "m", thrift.CALL, 1)
		return append(w.buffer.Bytes(), after...)
	}
	fields := func(n int) []byte {
		b := call()
		for id := range n {
			b = append(b, thrift.BOOL, 0, byte(id), 1)
		}
		return append(b, thrift.STOP)
	}
	length := func(p []byte) int { return len(p) }
	long := simple(true, "core:ping", thrift.CALL, 1, strings.Repeat("x", 1000))
	for name, c := range map[string]struct {
		in   []byte
		most int
		want error
	}{
		"Empty":              {nil, mib, io.EOF},
		"Truncated":          {simple(true, "m", thrift.CALL, 1, "text")[:20], mib, io.ErrUnexpectedEOF},
		"AsLongAsMayBe":      {long, length(long), nil},
		"ErrTooLong":         {long, length(long) - 1, message.ErrTooLong},
		"ErrTooLongHeader":   {long, 7, message.ErrTooLong},
		"ErrTooLongString":   {call(thrift.STRING, 0, 1, 0x7f, 0xff, 0xff, 0xff), mib, message.ErrTooLong},
		"ErrTooLongList":     {call(thrift.LIST, 0, 1, thrift.UUID, 0x7f, 0xff, 0xff, 0xff), mib, message.ErrTooLong},
		"ErrTooLongMap":      {call(thrift.MAP, 0, 1, thrift.UUID, thrift.UUID, 0x7f, 0xff, 0xff, 0xff), mib, message.ErrTooLong},
		"AsDeepAsMayBe":      {nested(63, 1), mib, nil},
		"AsDeepButEmpty":     {nested(64, 0), mib, nil},
		"ErrTooDeep":         {nested(64, 1), mib, message.ErrTooDeep},
		"ErrTooDeepEmpty":    {nested(65, 0), mib, message.ErrTooDeep},
		"AsManyAsMayBe":      {fields(32), mib, nil},
		"ErrTooMany":         {fields(33), mib, message.ErrTooMany},
		"NameAsLong":         {simple(true, strings.Repeat("n", 1024), thrift.CALL, 1, ""), mib, nil},
		"ErrName":            {simple(true, strings.Repeat("n", 1025), thrift.CALL, 1, ""), mib, message.ErrNoThrift},
		"ErrNameNegative":    {[]byte{0x80, 1, 0, 1, 0xff, 0xff, 0xff, 0xff}, mib, message.ErrNoThrift},
		"ErrVersion":         {[]byte{0x80, 2, 0, 1, 0, 0, 0, 0}, mib, message.ErrNoThrift},
		"ErrKindNone":        {simple(true, "m", 0, 1, ""), mib, message.ErrNoThrift},
		"ErrKind":            {simple(true, "m", 5, 1, ""), mib, message.ErrNoThrift},
		"ErrKindUnversioned": {simple(false, "m", -1, 1, ""), mib, message.ErrNoThrift},
		"ErrHTTP":            {[]byte("GET / HTTP/1.1\r\n\r\n"), mib, message.ErrNoThrift},
		"ErrTLS":             {[]byte{22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, mib, message.ErrTLS},
		"ErrType":            {call(thrift.VOID, 0, 1), mib, message.ErrNoThrift},
		"ErrTypeHigh":        {call(0x20|thrift.I32, 0, 1, 0, 0, 0, 0), mib, message.ErrNoThrift},
		"ErrTypeNegative":    {call(0x80|thrift.I32, 0, 1, 0, 0, 0, 0), mib, message.ErrNoThrift},
		"ErrElementType":     {call(thrift.LIST, 0, 1, 0x7f, 0, 0, 0, 1), mib, message.ErrNoThrift},
		"ErrElementStop":     {call(thrift.SET, 0, 1, thrift.STOP, 0, 0, 0, 1), mib, message.ErrNoThrift},
		"ErrKeyType":         {call(thrift.MAP, 0, 1, 0x20, thrift.I32, 0, 0, 0, 1), mib, message.ErrNoThrift},
		"ErrStringNegative":  {call(thrift.STRING, 0, 1, 0xff, 0xff, 0xff, 0xff), mib, message.ErrNoThrift},
		"ErrListNegative":    {call(thrift.LIST, 0, 1, thrift.I32, 0xff, 0xff, 0xff, 0xff), mib, message.ErrNoThrift},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{bytes.NewReader(c.in), iotest.OneByteReader(bytes.NewReader(c.in))} {
				m, err := message.NewReader(in, c.most).Read()
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if err == nil && !bytes.Equal(m.Bytes, c.in) {
					t.Errorf("it read %d of %d bytes", len(m.Bytes), len(c.in))
				}
			}
		})
	}
}

// A source's own error, such as a deadline's, comes through as it is.
func TestReadErrorOfTheSource(t *testing.T) {
	broken := errors.New("broken")
	src := io.MultiReader(bytes.NewReader(simple(true, "m", thrift.CALL, 1, "text")[:9]), iotest.ErrReader(broken))
	if _, err := message.NewReader(src, mib).Read(); err != broken {
		t.Errorf("%v, want %v", err, broken)
	}
}

// What is read is what Thrift's own library reads, however it comes in.
func TestReadAsThriftDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []byte
	var lengths []int
	for range 2000 {
		b, _ := random(r)
		all, lengths = append(all, b...), append(lengths, len(b))
	}
	for name, src := range map[string]io.Reader{
		"Whole":  bytes.NewReader(all),
		"Halves": iotest.HalfReader(bytes.NewReader(all)),
		"Bytes":  iotest.OneByteReader(bytes.NewReader(all)),
		"EOF":    iotest.DataErrReader(bytes.NewReader(all)),
	} {
		t.Run(name, func(t *testing.T) {
			reader, rest := message.NewReader(src, mib), all
			for i, length := range lengths {
				m, err := reader.Read()
				if err != nil {
					t.Fatalf("message %d: %v", i, err)
				}
				n, err := thriftLength(rest[:min(len(rest), length+100)])
				if err != nil || n != length {
					t.Fatalf("message %d has %d bytes, and Thrift reads %d: %v", i, length, n, err)
				}
				if !bytes.Equal(m.Bytes, rest[:n]) {
					t.Fatalf("message %d, of %d bytes, was read as one of %d", i, n, len(m.Bytes))
				}
				rest = rest[n:]
			}
			if err := reader.Wait(); err != io.EOF {
				t.Errorf("after the last message there is %v", err)
			}
		})
	}
}

func TestWait(t *testing.T) {
	in, out := io.Pipe()
	r := message.NewReader(in, mib)
	whole := simple(true, "m", thrift.CALL, 1, "text")
	for range 3 {
		go out.Write(whole[:1])
		if err := r.Wait(); err != nil {
			t.Fatal(err)
		}
		go out.Write(whole[1:])
		if m, err := r.Read(); err != nil || !bytes.Equal(m.Bytes, whole) {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	out.Close()
	if err := r.Wait(); err != io.EOF {
		t.Errorf("%v, want EOF", err)
	}
}

// Messages may come several at once; the limit is each one's own.
func TestReadSeveral(t *testing.T) {
	var all []byte
	texts := []string{"a", strings.Repeat("b", 600), "c", strings.Repeat("d", 100_000), "e", "", strings.Repeat("f", 20_000)}
	for i, text := range texts {
		all = append(all, simple(i%2 == 0, "m", thrift.CALL, int32(i), text)...)
	}
	r := message.NewReader(bytes.NewReader(all), 110_000)
	for i, text := range texts {
		m, err := r.Read()
		if err != nil || m.SeqID != int32(i) {
			t.Fatalf("message %d: %+v, %v", i, m, err)
		}
		if f, err := m.Field(7, thrift.STRING); err != nil || string(message.Text(m.Value(f))) != text {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

func TestSetMost(t *testing.T) {
	whole := simple(true, "m", thrift.CALL, 1, strings.Repeat("x", 100))
	r := message.NewReader(bytes.NewReader(slices.Concat(whole, whole, whole)), len(whole))
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	r.SetMost(len(whole) + 1)
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	r.SetMost(len(whole) - 1)
	if _, err := r.Read(); err != message.ErrTooLong {
		t.Errorf("%v, want %v", err, message.ErrTooLong)
	}
}

func TestStream(t *testing.T) {
	short, long := simple(true, "short", thrift.REPLY, 1, "text"), simple(true, strings.Repeat("n", 1000), thrift.REPLY, 2, strings.Repeat("x", 3*mib))
	for _, mark := range []int{0, 2000, mib} {
		var got []byte
		var heads []message.Message
		r := message.NewReader(iotest.HalfReader(bytes.NewReader(slices.Concat(short, long, short))), 4*mib)
		r.Stream(mark, func(head *message.Message, part []byte) error {
			got = append(got, part...)
			h := *head
			h.Name = bytes.Clone(h.Name)
			heads = append(heads, h)
			return nil
		})
		for i := range 3 {
			m, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			if i != 1 {
				if m.Streamed || !bytes.Equal(m.Bytes, short) {
					t.Errorf("mark %d: the short message came as %+v", mark, m)
				}
				continue
			}
			if d := cmp.Diff(&message.Message{Kind: thrift.REPLY, SeqID: 2, Streamed: true}, m); d != "" {
				t.Errorf("mark %d: %s", mark, d)
			}
		}
		if !bytes.Equal(got, long) {
			t.Errorf("mark %d: %d bytes went to the sink, not the message's %d", mark, len(got), len(long))
		}
		if len(heads) < 2 {
			t.Fatalf("mark %d: it came in %d parts", mark, len(heads))
		}
		for i, h := range heads {
			want := message.Message{Kind: thrift.REPLY, SeqID: 2}
			if i == 0 {
				want.Name = []byte(strings.Repeat("n", 1000))
			}
			if d := cmp.Diff(want, h); d != "" {
				t.Errorf("mark %d: part %d: %s", mark, i, d)
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	long := simple(true, "m", thrift.REPLY, 1, strings.Repeat("x", mib))
	w := newWriter(true)
	w.WriteMessageBegin(ctx, "m", thrift.REPLY, 1)
	w.WriteFieldBegin(ctx, "", thrift.LIST, 0)
	w.WriteListBegin(ctx, thrift.STRING, 100_000)
	for range 100_000 {
		w.WriteString(ctx, "text")
	}
	w.WriteFieldStop(ctx)
	many := w.buffer.Bytes()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		in   []byte
		most int
		sink error
		want error
	}{
		"ErrOfTheSink": {long, 2 * mib, broken, broken},
		"ErrTooLong":   {long, mib, nil, message.ErrTooLong},
		"AsLong":       {many, len(many), nil, nil},
		"ErrTooLongBy": {many, len(many) - 1, nil, message.ErrTooLong},
		"Truncated":    {long[:mib/2], 2 * mib, nil, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			r := message.NewReader(bytes.NewReader(c.in), c.most)
			r.Stream(2000, func(*message.Message, []byte) error { return c.sink })
			if _, err := r.Read(); err != c.want {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// What is announced costs nothing before it comes.
func TestReadHoldsWhatArrived(t *testing.T) {
	announced := simple(true, "m", thrift.CALL, 1, "0123456789")
	announced = announced[:len(announced)-1] // a string of 10 bytes, and no end
	binary.BigEndian.PutUint32(announced[len(announced)-14:], 100*mib)
	before := allocated()
	if _, err := message.NewReader(bytes.NewReader(announced), 200*mib).Read(); err != io.ErrUnexpectedEOF {
		t.Fatalf("%v, want %v", err, io.ErrUnexpectedEOF)
	}
	if got := allocated() - before; got > 64<<10 {
		t.Errorf("10 bytes of 100 MiB made it allocate %d bytes", got)
	}

	s := &stream{rest: simple(true, "m", thrift.CALL, 1, strings.Repeat("x", 8*mib)), first: 10, next: 3000}
	s.check = func(held, arrived int) {
		if held > max(16<<10, 2*arrived) {
			t.Fatalf("it holds %d bytes when %d have come", held, arrived)
		}
	}
	if _, err := message.NewReader(s, 9*mib).Read(); err != nil {
		t.Fatal(err)
	}
}

// A client that has sent a great message and begins another, or rests, does not
// keep the room of the great one.
func TestReadForgets(t *testing.T) {
	great := simple(true, "m", thrift.CALL, 1, strings.Repeat("x", 8*mib))
	for name, next := range map[string]int{"Rest": 0, "Beginning": 3, "Pipelined": 100_000} {
		t.Run(name, func(t *testing.T) {
			s := &stream{rest: slices.Concat(great, simple(true, "m", thrift.CALL, 1, strings.Repeat("x", next))[:next]), first: mib, next: mib}
			r := message.NewReader(s, 9*mib)
			if _, err := r.Read(); err != nil {
				t.Fatal(err)
			}
			if ahead := s.arrived - len(great); ahead > 16<<10 {
				t.Errorf("it has read %d bytes ahead", ahead)
			}
			held := 0
			s.check = func(now, _ int) { held = max(held, now-s.arrived) }
			if err := r.Wait(); (err == io.EOF) != (next == 0) {
				t.Fatal(err)
			}
			if next > 0 {
				if _, err := r.Read(); err != io.ErrUnexpectedEOF {
					t.Fatal(err)
				}
			}
			if most := max(16<<10, 2*next); held > most {
				t.Errorf("it has room for %d bytes, not %d", held, most)
			}
		})
	}
}

func TestReadersAreSmall(t *testing.T) {
	readers := make([]*message.Reader, 1000)
	before := allocated()
	for i := range readers {
		readers[i] = message.NewReader(nil, mib)
	}
	if each := (allocated() - before) / uint64(len(readers)); each > 1536 {
		t.Errorf("a reader takes %d bytes", each)
	}
	runtime.KeepAlive(readers)
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
