package management

import (
	"context"

	"google.golang.org/grpc/peer"

	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// MaxConnections bounds the connections of one uid.
const MaxConnections = maxConnections

// NewOperator returns the service alone.
func NewOperator(o Options) managementv1.OperatorServer {
	return &operator{owner: o.Owner, plugin: o.Plugin, gate: o.Gate}
}

// From returns the context of a call that a process of that user makes.
func From(ctx context.Context, uid int) context.Context {
	return peer.NewContext(ctx, &peer.Peer{AuthInfo: &connection{uid: uid}})
}
