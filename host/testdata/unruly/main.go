// Command unruly is the bolt backend with a layer before it that misbehaves as
// it is told by the file "unruly" in the home: the name of a fault, or of one of
// calls and one of streams with a comma between them, a time that some of them
// take, and a number: every so many-th call is spoiled, 1 for all. Without the
// file it behaves. What a start needs is never spoiled.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/process"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// go-plugin replaces both.
var realStdout, realStderr = os.Stdout, os.Stderr

func main() {
	process.ForbidCoreDumps()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGHUP)
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: realStderr, JSONFormat: true})
	hclog.SetDefault(logger)
	service := users.New(users.Backend{Name: "unruly", Version: "1", Open: open}, logger)
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(service, logger),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			o = append(o, wire.ServerOptions(logger)...)
			return grpc.NewServer(append(o,
				grpc.ChainUnaryInterceptor(spoilCall), grpc.ChainStreamInterceptor(spoilStream),
				grpc.ForceServerCodecV2(codec{}), grpc.MaxSendMsgSize(1<<30))...)
		},
		Logger: logger,
	})
	service.Close()
}

func open(ctx context.Context, home string, _ map[string]string) (users.Store, error) {
	orders.Store(&home)
	return bolt.Open(ctx, filepath.Join(home, "accounts.db"), bolt.Options{Logger: hclog.L(), Failed: func(error) { os.Exit(1) }})
}

var (
	orders atomic.Pointer[string] // the home; nil before it is configured
	count  atomic.Int64           // of calls while there is an order
)

// order is what the file says.
type order struct {
	fault string
	lasts time.Duration
}

// told returns what is to be done to this call; the zero order is nothing.
func told() (o order) {
	home := orders.Load()
	if home == nil {
		return o
	}
	text, err := os.ReadFile(filepath.Join(*home, "unruly"))
	if err != nil {
		return o
	}
	every := int64(1)
	var lasts string
	if n, _ := fmt.Sscan(string(text), &o.fault, &lasts, &every); n == 3 {
		o.lasts, err = time.ParseDuration(lasts)
	}
	if err != nil || every < 1 || count.Add(1)%every != 0 {
		return order{}
	}
	return o
}

// among returns what the order names of these, nil if nothing.
func among[F any](these map[string]F, o order) (named F) {
	for name := range strings.SplitSeq(o.fault, ",") {
		if f, ok := these[name]; ok {
			named = f
		}
	}
	return named
}

// obeyed takes the order away, for what is to happen once.
func obeyed() { os.Remove(filepath.Join(*orders.Load(), "unruly")) }

// spoilCall spoils calls of the users service.
func spoilCall(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	service, method := filepath.Split(info.FullMethod)
	switch method {
	case "Configure", "Initialize", "Records":
		return handle(ctx, request)
	}
	o := told()
	if spoil := among(spoilers, o); spoil != nil && strings.HasSuffix(service, ".Users/") {
		return spoil(ctx, o, func(ctx context.Context) (any, error) { return handle(ctx, request) })
	}
	return handle(ctx, request)
}

// spoilers spoil one call; right is the call.
var spoilers = map[string]func(ctx context.Context, o order, right func(context.Context) (any, error)) (any, error){
	// The true answer, late.
	"late": func(ctx context.Context, o order, right func(context.Context) (any, error)) (any, error) {
		answer, err := right(ctx)
		time.Sleep(o.lasts)
		return answer, err
	},
	// Carried out late, when nobody may want it any more.
	"tardy": func(ctx context.Context, o order, right func(context.Context) (any, error)) (any, error) {
		time.Sleep(o.lasts)
		return right(context.WithoutCancel(ctx))
	},
	// Carried out, and never answered.
	"mute": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		right(context.WithoutCancel(ctx))
		<-ctx.Done()
		return nil, ctx.Err()
	},
	// Carried out twice, at once and one after the other.
	"twice": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		other := make(chan struct{})
		go func() {
			defer close(other)
			right(context.WithoutCancel(ctx))
		}()
		right(ctx)
		<-other
		return right(ctx)
	},
	// Carried out, and the connection is cut before the answer.
	"cut": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		right(context.WithoutCancel(ctx))
		obeyed()
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	// Refused for a reason, and not carried out.
	"refuse": func(context.Context, order, func(context.Context) (any, error)) (any, error) {
		return nil, account.Unavailable("the store is not in the mood")
	},
	// Carried out, and said to have been refused: a lie.
	"deny": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		if _, err := right(ctx); err != nil {
			return nil, err
		}
		return nil, account.Conflict("it is as it was, cross my heart")
	},
	// Carried out, then a panic.
	"panic": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		right(ctx)
		panic("after it was carried out")
	},
	// The true answer behind a flood of what nobody wants to read.
	"flood": func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		for range 200 {
			fmt.Fprint(realStderr, strings.Repeat("[ERROR] nonsense \x1b[2J\xff\n", 50))
			fmt.Fprint(realStdout, strings.Repeat("1|2|unix|\x00", 50))
		}
		return right(ctx)
	},
	"unchanged": garbled(unchanged), // and said to have come to nothing: another lie
	"stranger":  garbled(named("somebody")),
	"nobody":    garbled(named("")),
	"empty":     garbled(emptied),
	"noise":     garbled(func(any) any { return noise(300) }),
	"huge":      garbled(func(any) any { return noise(wire.MaxMessage + 1) }),
}

// garbled carries the call out and spoils the answer, if there is one.
func garbled(spoil func(answer any) any) func(context.Context, order, func(context.Context) (any, error)) (any, error) {
	return func(ctx context.Context, _ order, right func(context.Context) (any, error)) (any, error) {
		answer, err := right(ctx)
		if err != nil {
			return nil, err
		}
		return spoil(answer), nil
	}
}
