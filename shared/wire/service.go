package wire

import (
	"context"
	"slices"

	"google.golang.org/grpc"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// service is the generated one, but for the method that takes session rows.
var service = func() *grpc.ServiceDesc {
	s := usersv1.Users_ServiceDesc
	s.Methods = slices.Clone(s.Methods)
	for i := range s.Methods {
		if s.Methods[i].MethodName == "Sessions" {
			s.Methods[i].Handler = sessionsHandler
		}
	}
	return &s
}()

// sessionsHandler reads the rows by itself; interceptors see the request without
// them.
func sessionsHandler(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	var unread Unread
	if err := decode(&unread); err != nil {
		return nil, err
	}
	request, rows, refusal := readSessionsRequest(&unread)
	handle := func(ctx context.Context, request any) (any, error) {
		if refusal != nil {
			return nil, refusal
		}
		return srv.(*server).sessions(ctx, callerFromProto(request.(*usersv1.SessionsRequest).GetCaller()), rows)
	}
	if intercept == nil {
		return handle(ctx, request)
	}
	return intercept(ctx, request, &grpc.UnaryServerInfo{Server: srv, FullMethod: usersv1.Users_Sessions_FullMethodName}, handle)
}
