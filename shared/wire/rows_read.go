package wire

import (
	"errors"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// ReadSessions decodes the rows of an answer, and refuses what no row has, and
// more than MaxBatch. The rows share the memory of one text.
func ReadSessions(answer *Unread) ([]account.Session, error) {
	_, rows, err := readSessions(answer, sessionsField)
	return rows, err
}

// readSessionsRequest returns a request without its rows, and the rows.
func readSessionsRequest(m *Unread) (*usersv1.SessionsRequest, []account.Session, error) {
	rest, rows, err := readSessions(m, requestSessionsField)
	request := &usersv1.SessionsRequest{}
	if err == nil {
		err = proto.Unmarshal(rest, request)
	}
	return request, rows, err
}

// readSessions returns the fields that are no rows as they are.
func readSessions(m *Unread, field protowire.Number) (rest []byte, rows []account.Session, err error) {
	message := string(m.ProtoReflect().GetUnknown())
	key := protowire.EncodeTag(field, protowire.BytesType)
	r, row := reader{text: message}, reader{}
	for r.more() {
		begin := r.at
		k := r.number()
		if k != key {
			r.skip(k)
			rest = append(rest, message[begin:r.at]...)
			continue
		}
		row = reader{text: r.bytes()}
		switch {
		case len(rows) == account.MaxBatch:
			return nil, nil, account.Invalid("sessions", "more than %d rows in one message", account.MaxBatch)
		case rows == nil: // as many as there are if all are like the first
			rows = make([]account.Session, 0, min(len(message)/(len(row.text)+1)+1, account.MaxBatch))
		}
		rows = append(rows, account.Session{})
		if r.fail(row.session(&rows[len(rows)-1])); r.err != nil {
			return nil, nil, r.err
		}
	}
	return rest, rows, r.err
}

// What follows a field's number in the key before it.
const (
	bytesKey  = uint64(protowire.BytesType)
	numberKey = uint64(protowire.VarintType)
)

func (r *reader) session(s *account.Session) error {
	var role accountv1.Role
	var listener accountv1.Listener
	for r.more() {
		switch k := r.number(); k {
		case 1<<3 | bytesKey:
			s.ID = r.string()
		case 2<<3 | bytesKey:
			s.Host = r.string()
		case 3<<3 | bytesKey:
			s.AccountID = account.ID(r.string())
		case 4<<3 | bytesKey:
			s.Username = r.string()
		case 5<<3 | numberKey:
			role = accountv1.Role(r.number())
		case 6<<3 | bytesKey:
			s.RemoteAddress = r.string()
		case 7<<3 | numberKey:
			listener = accountv1.Listener(r.number())
		case 8<<3 | bytesKey:
			s.Client = r.string()
		case 9<<3 | bytesKey:
			s.Environment = r.string()
		case 10<<3 | bytesKey:
			s.ConnectedSince = r.time()
		case 11<<3 | bytesKey:
			s.LastActive = r.time()
		case 12<<3 | numberKey:
			s.Calls = r.number()
		case 13<<3 | numberKey:
			s.Connections = int(uint32(r.number()))
		case 14<<3 | bytesKey:
			s.CurrentCall = &account.Call{}
			s.CurrentCall.Method, s.CurrentCall.Since = r.since(nil)
		case 15<<3 | bytesKey:
			var t account.Transaction
			t.ID, t.Since = r.since(&t.Environment)
			s.OpenTransactions = append(s.OpenTransactions, t)
		case 16<<3 | bytesKey:
			s.Note = r.string()
		default:
			r.skip(k)
		}
	}
	if r.err != nil {
		return r.err
	}
	var err error
	if s.Role, err = RoleFromProto(role); err == nil {
		s.Listener, err = ListenerFromProto(listener)
	}
	return err
}

// since reads a Transaction, or a Call, which has no environment.
func (r *reader) since(environment *string) (name string, at time.Time) {
	p := reader{text: r.bytes()}
	for p.more() {
		switch k := p.number(); {
		case k == 1<<3|bytesKey:
			name = p.string()
		case k == 2<<3|bytesKey:
			at = p.time()
		case k == 3<<3|bytesKey && environment != nil:
			*environment = p.string()
		default:
			p.skip(k)
		}
	}
	r.fail(p.err)
	return name, at
}

// time reads a Timestamp.
func (r *reader) time() time.Time {
	p := reader{text: r.bytes()}
	var seconds int64
	var nanos int32
	for p.more() {
		switch k := p.number(); k {
		case 1<<3 | numberKey:
			seconds = int64(p.number())
		case 2<<3 | numberKey:
			nanos = int32(p.number())
		default:
			p.skip(k)
		}
	}
	r.fail(p.err)
	const firstSecond, lastSecond = -62135596800, 253402300799 // of the years 1 to 9999
	if seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos >= int32(time.Second) {
		r.fail((&timestamppb.Timestamp{Seconds: seconds, Nanos: nanos}).CheckValid())
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

// reader reads a message from its text, so that the strings in it need no copy.
// After an error it is at its end.
type reader struct {
	text string
	at   int
	err  error
}

var (
	errTruncated = errors.New("a message with session rows ends too early")
	errBadField  = errors.New("a message with session rows has a field that cannot be")
	errNotUTF8   = errors.New("a text in a session row is not UTF-8")
)

func (r *reader) more() bool { return r.at < len(r.text) }

func (r *reader) fail(err error) {
	if r.err == nil && err != nil {
		r.err, r.at = err, len(r.text)
	}
}

func (r *reader) number() uint64 {
	if r.at < len(r.text) && r.text[r.at] < 0x80 {
		r.at++
		return uint64(r.text[r.at-1])
	}
	return r.longNumber()
}

func (r *reader) longNumber() uint64 {
	v, n := protowire.ConsumeVarint([]byte(r.text[r.at:min(r.at+10, len(r.text))]))
	if n < 0 {
		r.fail(protowire.ParseError(n))
		return 0
	}
	r.at += n
	return v
}

func (r *reader) bytes() string { return r.pass(r.number()) }

func (r *reader) pass(n uint64) string {
	if n > uint64(len(r.text)-r.at) {
		r.fail(errTruncated)
		return ""
	}
	r.at += int(n)
	return r.text[r.at-int(n) : r.at]
}

func (r *reader) string() string {
	text := r.bytes()
	if !utf8.ValidString(text) {
		r.fail(errNotUTF8)
	}
	return text
}

// skip passes over a field that is not known here. This contract has no groups.
func (r *reader) skip(key uint64) {
	field, kind := protowire.DecodeTag(key)
	switch {
	case r.err != nil:
	case field < protowire.MinValidNumber || field > protowire.MaxValidNumber:
		r.fail(errBadField)
	case kind == protowire.VarintType:
		r.number()
	case kind == protowire.BytesType:
		r.bytes()
	case kind == protowire.Fixed32Type:
		r.pass(4)
	case kind == protowire.Fixed64Type:
		r.pass(8)
	default:
		r.fail(errBadField)
	}
}
