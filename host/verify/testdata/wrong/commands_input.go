package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// alter is the fault of the calls, if there is one.
var alter atomic.Pointer[func(proto.Message) error]

func alterCalls(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if f := alter.Load(); f != nil {
		if err := (*f)(req.(proto.Message)); err != nil {
			return nil, err
		}
	}
	return handle(ctx, req)
}

// Faults of what is done with bad input.
var _ = add(map[string]fault{
	"unknown-role-is-admin":       {calls: enums("Role", 1)},
	"unknown-permission-is-write": {calls: enums("Permission", 2)},
	"unknown-fields-are-refused": {calls: func(m proto.Message) error {
		return every(m.ProtoReflect(), func(m protoreflect.Message) error {
			if len(m.GetUnknown()) > 0 {
				return account.Invalid("message", "a field is unknown")
			}
			return nil
		})
	}},
	"any-request-id-will-do": {calls: func(m proto.Message) error {
		return every(m.ProtoReflect(), func(m protoreflect.Message) error {
			if in, ok := m.Interface().(*usersv1.Invocation); ok {
				if _, err := account.ParseRequestID(in.RequestId); err != nil {
					in.RequestId = account.NewRequestID(time.Now()).String()
				}
			}
			return nil
		})
	}},
	"dies-of-a-large-message": {calls: func(m proto.Message) error {
		if proto.Size(m) > 1<<19 {
			os.Exit(1)
		}
		return nil
	}},
	"no-caller-is-the-host": {users: func(u account.Users) account.Users {
		a := &altered{Users: u}
		a.list = func(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
			a.saw(who)
			if who == (account.Caller{}) {
				who = a.asAdmin().Caller
			}
			return u.List(ctx, who, after)
		}
		return a
	}},
	"usernames-are-mended": {users: creating(func(ctx context.Context, u account.Users, in account.Invocation, r account.Create) (account.Change, error) {
		r.Username = strings.Join(strings.Fields(r.Username), "_")
		return u.Create(ctx, in, r)
	})},
	"list-after-a-long-name-begins-anew": {users: func(u account.Users) account.Users {
		return &altered{Users: u, list: func(ctx context.Context, who account.Caller, after string) ([]account.Account, string, error) {
			if len(after) > account.MaxUsername {
				after = ""
			}
			return u.List(ctx, who, after)
		}}
	}},
})

// enums gives what is unknown of an enumeration a number that is known.
func enums(name protoreflect.Name, known protoreflect.EnumNumber) func(proto.Message) error {
	return func(m proto.Message) error {
		return every(m.ProtoReflect(), func(m protoreflect.Message) error {
			fields := m.Descriptor().Fields()
			for i := range fields.Len() {
				d := fields.Get(i)
				if d.Enum() == nil || d.Enum().Name() != name || d.IsList() {
					continue
				}
				if !slices.Contains([]protoreflect.EnumNumber{0, 1, 2}, m.Get(d).Enum()) {
					m.Set(d, protoreflect.ValueOfEnum(known))
				}
			}
			return nil
		})
	}
}

// every calls f with a message and those in it.
func every(m protoreflect.Message, f func(protoreflect.Message) error) error {
	err := f(m)
	m.Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if err == nil && d.Message() != nil && !d.IsList() && !d.IsMap() {
			err = every(v.Message(), f)
		}
		return err == nil
	})
	return err
}
