package management

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// commands names every call as administrators type it after "concourse"; two
// belong to every command. It is the closed list of what is observed.
var commands = map[string]string{
	managementv1.Management_Login_FullMethodName:         "login",
	managementv1.Management_Request_FullMethodName:       "request",
	managementv1.Management_Create_FullMethodName:        "users create",
	managementv1.Management_Edit_FullMethodName:          "users edit",
	managementv1.Management_Password_FullMethodName:      "users password",
	managementv1.Management_Delete_FullMethodName:        "users delete",
	managementv1.Management_Grant_FullMethodName:         "users grant",
	managementv1.Management_Revoke_FullMethodName:        "users revoke",
	managementv1.Management_Suspend_FullMethodName:       "users suspend",
	managementv1.Management_Enable_FullMethodName:        "users enable",
	managementv1.Management_Apply_FullMethodName:         "users apply",
	managementv1.Management_Plan_FullMethodName:          "users apply --dry-run",
	managementv1.Management_Show_FullMethodName:          "users show",
	managementv1.Management_List_FullMethodName:          "users list",
	managementv1.Management_CheckPassword_FullMethodName: "users check-password",
	managementv1.Management_Export_FullMethodName:        "users export",
	managementv1.Management_Sessions_FullMethodName:      "users sessions",
	managementv1.Management_CountSessions_FullMethodName: "users sessions --count-by",
	managementv1.Management_Disconnect_FullMethodName:    "users disconnect",
	managementv1.Operator_Sessions_FullMethodName:        "sessions",
	managementv1.Operator_CountSessions_FullMethodName:   "sessions --count-by",
	managementv1.Operator_Backup_FullMethodName:          "backup",
	managementv1.Operator_PluginStatus_FullMethodName:    "plugin status",
	managementv1.Operator_PluginReload_FullMethodName:    "plugin reload",
}

// CommandEnded hears how long a call took, and how it ended, as its caller sees
// it. The command is one of a closed list.
type CommandEnded func(command string, took time.Duration, refusal error)

var errPanicked = errors.New("panic")

// tell makes a call and tells of its end, even by a panic.
func (ended CommandEnded) tell(method string, call func() error) error {
	command, ok := commands[method]
	if ended == nil || !ok {
		return call()
	}
	began, err := time.Now(), errPanicked
	defer func() { ended(command, time.Since(began), wire.FromStatus(wire.ToStatus(err))) }()
	err = call()
	return err
}

func (ended CommandEnded) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	err = ended.tell(info.FullMethod, func() error {
		resp, err = next(ctx, req)
		return err
	})
	return resp, err
}

func (ended CommandEnded) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return ended.tell(info.FullMethod, func() error { return next(srv, stream) })
}
