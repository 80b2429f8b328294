package wire

import (
	"context"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Handshake is what a plugin's process and its host tell each other before
// anything else. The cookie is no secret: it only tells a person who runs the
// executable by hand from a host.
var Handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  Protocol,
	MagicCookieKey:   "CONCOURSE_USERS_PLUGIN",
	MagicCookieValue: "6f1c63c0-users",
}

// Protocol is the newest version of the contract that this code speaks, and
// PluginName the name under which go-plugin knows the service.
const (
	Protocol   = 1
	PluginName = "users"
)

// MaxMessage bounds a message in either direction, in bytes.
const MaxMessage = 4 << 20

// window is how much of the other side's messages may be under way, in bytes. It
// is the same all the time: gRPC would find out by a ping for every message,
// which takes a fifth of a short call, and could come to 16 MiB.
const window = 1 << 20

// Plugin registers the service with go-plugin on the plugin's side, and makes
// a *Client on the host's.
type Plugin struct {
	goplugin.NetRPCUnsupportedPlugin
	Users  account.Users // nil on the host's side
	Logger hclog.Logger  // takes the causes of internal errors; nil on the host's side
}

var _ goplugin.GRPCPlugin = (*Plugin)(nil)

// GRPCServer registers Users.
func (p *Plugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(service, &server{users: p.Users})
	return nil
}

// GRPCClient returns a *Client.
func (p *Plugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}

// ServerPlugins is what a plugin serves, by protocol version.
func ServerPlugins(users account.Users, logger hclog.Logger) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{1: {PluginName: &Plugin{Users: users, Logger: logger}}}
}

// ClientPlugins is what a host understands, by protocol version.
func ClientPlugins() map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{1: {PluginName: &Plugin{}}}
}

// ServerOptions are the options of a server of either service: message limits,
// the outgoing error table, and panics turned into internal errors whose cause
// goes to the log only.
func ServerOptions(logger hclog.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.ForceServerCodecV2(unreadCodec()),
		grpc.ChainUnaryInterceptor(unaryErrors(logger)),
		grpc.ChainStreamInterceptor(streamErrors(logger)),
	}
}

// DialOptions are the options of a client of either service.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
	}
}
