package wire

import (
	"context"
	"errors"
	"io"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// Watch serves one stream. A reader goroutine feeds the requests; it ends with
// the stream, whose context gRPC cancels when this method returns.
func (s *server) Watch(stream usersv1.Users_WatchServer) error {
	ctx := stream.Context()
	requests := make(chan account.WatchRequest)
	go func() {
		defer close(requests)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case requests <- account.WatchRequest{Read: r.GetRead(), Heartbeat: r.GetHeartbeat()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s.users.Watch(ctx, requests, func(e account.WatchEvent) error {
		p := &usersv1.WatchEvent{}
		switch {
		case e.Snapshot != nil:
			p.Event = &usersv1.WatchEvent_Snapshot{Snapshot: snapshotToProto(e.Snapshot)}
		case e.Heartbeat != nil:
			p.Event = &usersv1.WatchEvent_Heartbeat{Heartbeat: &usersv1.Heartbeat{
				Number: e.Heartbeat.Number, Revision: uint64(e.Heartbeat.Revision), StoreId: e.Heartbeat.StoreID,
				Load: loadToProto(e.Heartbeat.Load),
			}}
		}
		return stream.Send(p)
	})
}

// Watch opens one stream. It returns nil when requests was closed and the
// plugin ended the stream in order.
func (c *Client) Watch(ctx context.Context, requests <-chan account.WatchRequest, deliver func(account.WatchEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.users.Watch(ctx)
	if err != nil {
		cancel()
		return FromStatus(err)
	}
	sent := make(chan struct{})
	defer func() {
		cancel()
		<-sent
	}()
	go func() {
		defer close(sent)
		for {
			select {
			case r, ok := <-requests:
				if !ok {
					stream.CloseSend()
					return
				}
				if stream.Send(&usersv1.WatchRequest{Read: r.Read, Heartbeat: r.Heartbeat}) != nil {
					return // Recv says why
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		p, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return FromStatus(err)
		}
		event, err := watchEventFromProto(p)
		if err != nil {
			return badReply(err)
		}
		if err := deliver(event); err != nil {
			return err
		}
	}
}

func watchEventFromProto(p *usersv1.WatchEvent) (account.WatchEvent, error) {
	switch e := p.GetEvent().(type) {
	case *usersv1.WatchEvent_Snapshot:
		s, err := snapshotFromProto(e.Snapshot)
		return account.WatchEvent{Snapshot: s}, err
	case *usersv1.WatchEvent_Heartbeat:
		if len(e.Heartbeat.GetStoreId()) > maxID {
			return account.WatchEvent{}, errors.New("a store id is too long")
		}
		return account.WatchEvent{Heartbeat: &account.Heartbeat{
			Number: e.Heartbeat.GetNumber(), Revision: account.Revision(e.Heartbeat.GetRevision()), StoreID: e.Heartbeat.GetStoreId(),
			Load: loadFromProto(e.Heartbeat.GetLoad()),
		}}, nil
	}
	return account.WatchEvent{}, nil // of a newer peer: nothing that this code waits for
}
