package wire

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/cinchapi/concourse-users/shared/account"
)

func unaryErrors(logger hclog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
		err = guard(logger, info.FullMethod, func() error {
			resp, err = next(ctx, req)
			return err
		})
		return resp, err
	}
}

func streamErrors(logger hclog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return guard(logger, info.FullMethod, func() error { return next(srv, stream) })
	}
}

// guard runs one call. The value of a panic is not logged: it might quote an
// argument (rule 9); its type and the stack, which names functions only, are.
func guard(logger hclog.Logger, method string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			logger.Error("panic", "method", method, "type", fmt.Sprintf("%T", p), "stack", stackNames(debug.Stack()))
			err = ToStatus(fmt.Errorf("panic"))
		}
	}()
	err = call()
	if account.KindOf(err) == account.KindInternal && !isStatus(err) && !isContext(err) {
		logger.Error("internal error", "method", method, "error", err)
	}
	return ToStatus(err)
}
