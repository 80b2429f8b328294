package main

import (
	"math/rand/v2"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that this one stands before
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// raw is sent as it is, in place of a message.
type raw []byte

func noise(size int) raw {
	b := make(raw, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// codec is gRPC's own, and sends what is raw as it is.
type codec struct{}

var right = encoding.GetCodecV2("proto")

func (codec) Name() string { return right.Name() }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(raw); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return right.Marshal(v)
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error { return right.Unmarshal(data, v) }

func emptied(answer any) any {
	proto.Reset(answer.(proto.Message))
	return answer
}

// unchanged makes a change one that nothing came of.
func unchanged(answer any) any {
	if c, ok := answer.(*usersv1.Change); ok {
		c.Changed = false
		if a := c.GetAccount(); a != nil && a.Generation > 0 {
			a.Enabled = true
			a.Generation--
		}
	}
	return answer
}

// named gives every account in an answer another name.
func named(name string) func(any) any {
	return func(answer any) any {
		rename(answer.(proto.Message).ProtoReflect(), protoreflect.ValueOfString(name))
		return answer
	}
}

func rename(m protoreflect.Message, name protoreflect.Value) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "username":
			m.Set(f, name)
		case f.IsMap() || f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				rename(v.List().Get(i).Message(), name)
			}
		default:
			rename(v.Message(), name)
		}
		return true
	})
}
