package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// Exchange is one message to the backend, and what came back, or an event
// between messages. Passwords, hashes and contents of backups are left out.
type Exchange struct {
	Event    string // "process 1 was killed"; the rest is empty then
	Method   string // "Grant"
	Sent     string // JSON; empty: the backend sent without being asked
	Received string // JSON, or the status; empty: nothing yet
}

const (
	mostExchanges = 6       // beside them as many events
	mostText      = 4 << 10 // of a message
)

// record keeps a case's newest exchanges, and tells the run's sightings which
// secrets went out.
type record struct {
	seen *sightings

	mu    sync.Mutex // guards items, and what is in them
	items []*item
}

// item is an Exchange that is written out only if somebody wants to read it.
type item struct {
	event          string
	method         string
	sent, received any
	refusal        string
}

func newRecord(seen *sightings) *record { return &record{seen: seen} }

// begin notes what is sent, and returns where the answer belongs.
func (r *record) begin(method string, sent any) func(received any, err error) {
	e := &item{method: method[strings.LastIndex(method, "/")+1:], sent: sent}
	r.seen.secretsOf(sent)
	r.add(e)
	return func(received any, err error) {
		refusal := ""
		if err != nil {
			st := status.Convert(err)
			refusal = fmt.Sprintf("%s: %q", st.Code(), st.Message())
			for _, d := range st.Details() {
				refusal += fmt.Sprintf(" %v", d)
			}
			r.seen.status(e.method, refusal)
		} else {
			r.seen.secretsOf(received)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if e.refusal = refusal; err == nil {
			e.received = received
		}
	}
}

// note puts an event between the exchanges.
func (r *record) note(format string, args ...any) { r.add(&item{event: fmt.Sprintf(format, args...)}) }

func (r *record) add(e *item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, e)
	events := 0
	for _, e := range r.items {
		if e.event != "" {
			events++
		}
	}
	for events > mostExchanges || len(r.items)-events > mostExchanges {
		if r.items[0].event != "" {
			events--
		}
		r.items = r.items[1:]
	}
}

func (r *record) newest() (items []Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.items {
		items = append(items, Exchange{Event: e.event, Method: e.method, Sent: render(e.sent), Received: cmp.Or(e.refusal, render(e.received))})
	}
	return items
}

// render writes a message as JSON, without what is secret in it.
func render(m any) string {
	message, ok := m.(proto.Message)
	if !ok || message == nil || !message.ProtoReflect().IsValid() {
		return ""
	}
	clean := proto.Clone(message)
	hide(clean.ProtoReflect(), func(name string, value []byte) []byte { return nil })
	if c, ok := clean.(*usersv1.ConfigureRequest); ok {
		for name := range c.GetSettings() { // one may be a password for the store
			c.Settings[name] = "…"
		}
	}
	text, err := protojson.Marshal(clean)
	if err != nil {
		return fmt.Sprintf("a message that cannot be written as JSON: %v", err)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, text) == nil { // protojson's spaces vary on purpose
		text = compact.Bytes()
	}
	if len(text) > mostText {
		return strings.ToValidUTF8(string(text[:mostText]), "") + "…"
	}
	return string(text)
}

// hidden are the fields that no result shows.
var hidden = []protoreflect.Name{"password", "password_hash", "data"}

// hide calls f with each hidden field that is set, and keeps what that returns.
func hide(m protoreflect.Message, f func(name string, value []byte) []byte) {
	m.Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case d.Kind() == protoreflect.BytesKind && !d.IsList() && slices.Contains(hidden, d.Name()):
			if kept := f(string(d.Name()), v.Bytes()); kept == nil {
				m.Clear(d)
			}
		case d.Message() == nil || d.IsMap():
		case d.IsList():
			for i := range v.List().Len() {
				hide(v.List().Get(i).Message(), f)
			}
		default:
			hide(v.Message(), f)
		}
		return true
	})
}

// conn records what goes over a connection.
type conn struct {
	grpc.ClientConnInterface
	record *record
}

func (c conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	end := c.record.begin(method, args)
	err := c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	end(reply, err)
	return err
}

func (c conn) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s, err := c.ClientConnInterface.NewStream(ctx, d, method, opts...)
	if err != nil {
		c.record.begin(method, nil)(nil, err)
		return nil, err
	}
	return stream{s, c.record, method}, nil
}

type stream struct {
	grpc.ClientStream
	record *record
	method string
}

func (s stream) SendMsg(m any) error {
	s.record.begin(s.method, m)
	return s.ClientStream.SendMsg(m)
}

func (s stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	s.record.begin(s.method, nil)(m, err)
	return err
}
