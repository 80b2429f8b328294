// Command floor answers gRPC's health check and does nothing else, in the three
// places where the system does its work:
//
//	floor                  as a plugin, which go-plugin starts
//	floor serve SOCKET     at a unix socket
//	floor forward SOCKET   at a unix socket, asking a plugin of its own each time
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

var handshake = goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "FLOOR_PLUGIN", MagicCookieValue: "floor"}

func main() {
	if os.Getenv(handshake.MagicCookieKey) != "" {
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig: handshake, Plugins: goplugin.PluginSet{"nothing": nothing{}},
			GRPCServer: goplugin.DefaultGRPCServer, Logger: hclog.NewNullLogger(),
		})
		return
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(how, socket string) error {
	h := &health{}
	if how == "forward" {
		plugin := goplugin.NewClient(&goplugin.ClientConfig{
			HandshakeConfig: handshake, Plugins: goplugin.PluginSet{}, Cmd: exec.Command(os.Args[0]),
			AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, AutoMTLS: true, Logger: hclog.NewNullLogger(),
		})
		defer plugin.Kill()
		client, err := plugin.Client()
		if err != nil {
			return err
		}
		h.behind = client
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	fmt.Println("serving")
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, h)
	go func() {
		os.Stdin.Read(make([]byte, 1)) // ends with whoever started this process
		server.Stop()
	}()
	return server.Serve(listener)
}

// nothing is a service without methods. Without any, go-plugin would not speak
// gRPC.
type nothing struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (nothing) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (nothing) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

type health struct {
	grpc_health_v1.UnimplementedHealthServer
	behind goplugin.ClientProtocol // nil: nothing
}

func (h *health) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if h.behind != nil {
		if err := h.behind.Ping(); err != nil {
			return nil, err
		}
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}
