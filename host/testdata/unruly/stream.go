package main

import (
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// spoilStream spoils what the watch stream says.
func spoilStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if strings.HasSuffix(info.FullMethod, "/Watch") {
		stream = spoiled{stream}
	}
	return handle(service, stream)
}

type spoiled struct{ grpc.ServerStream }

// SendMsg sends other events than it was given. It is called by one goroutine
// at a time, as that of every stream.
func (s spoiled) SendMsg(m any) error {
	e, ok := m.(*usersv1.WatchEvent)
	spoil := among(streamSpoilers, told())
	if !ok || spoil == nil {
		return s.ServerStream.SendMsg(m)
	}
	events, err := spoil(e)
	for _, e := range events {
		if err := s.ServerStream.SendMsg(e); err != nil {
			return err
		}
	}
	return err
}

// streamSpoilers return what is sent in place of an event.
var streamSpoilers = map[string]func(*usersv1.WatchEvent) ([]any, error){
	"no-heartbeats": onHeartbeats(func(*usersv1.Heartbeat) []any { return nil }),
	"heartbeats-of-before": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		h.Number--
		return []any{beat(h)}
	}),
	"heartbeats-unasked": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		var all []any
		for n := range uint64(50) {
			more := proto.Clone(h).(*usersv1.Heartbeat)
			more.Number += 50 - n
			all = append(all, beat(more))
		}
		return append(all, beat(h), beat(h))
	}),
	"revisions-backwards": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		h.Revision -= min(h.Revision, 5)
		return []any{beat(h)}
	}),
	"another-store": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		h.StoreId += "-"
		return []any{beat(h)}
	}),
	"snapshots-of-nobody": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		return []any{&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Snapshot{Snapshot: &usersv1.Snapshot{}}}, beat(h)}
	}),
	"snapshots-of-strangers": onHeartbeats(func(h *usersv1.Heartbeat) []any {
		stranger := &usersv1.Snapshot{Username: "stranger", Revision: h.Revision + 1<<40}
		return []any{&usersv1.WatchEvent{Event: &usersv1.WatchEvent_Snapshot{Snapshot: stranger}}, beat(h)}
	}),
	"no-snapshots": func(e *usersv1.WatchEvent) ([]any, error) {
		if e.GetSnapshot() != nil {
			return nil, nil
		}
		return []any{e}, nil
	},
	"stream-noise": func(*usersv1.WatchEvent) ([]any, error) { return []any{noise(300)}, nil },
	"stream-cut":   func(*usersv1.WatchEvent) ([]any, error) { return nil, errors.New("the stream broke") },
}

func onHeartbeats(spoil func(*usersv1.Heartbeat) []any) func(*usersv1.WatchEvent) ([]any, error) {
	return func(e *usersv1.WatchEvent) ([]any, error) {
		if h := e.GetHeartbeat(); h != nil {
			return spoil(h), nil
		}
		return []any{e}, nil
	}
}

func beat(h *usersv1.Heartbeat) *usersv1.WatchEvent {
	return &usersv1.WatchEvent{Event: &usersv1.WatchEvent_Heartbeat{Heartbeat: h}}
}
