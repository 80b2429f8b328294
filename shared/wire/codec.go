package wire

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Unread is a message as it came, whatever it is: one without fields of its own
// keeps those of any other, as unknown ones.
type Unread = emptypb.Empty

// LeaveUnread makes a call whose answer is an Unread faster: the usual codec
// would look at each field.
func LeaveUnread() grpc.CallOption { return grpc.ForceCodecV2(unreadCodec()) }

type codec struct{ encoding.CodecV2 }

func unreadCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Unmarshal leaves it to whoever reads an Unread to find out what is wrong with it.
func (c codec) Unmarshal(data mem.BufferSlice, m any) error {
	unread, ok := m.(*Unread)
	if !ok {
		return c.CodecV2.Unmarshal(data, m)
	}
	unread.ProtoReflect().SetUnknown(data.Materialize())
	return nil
}
