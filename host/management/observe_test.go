package management_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// Every call has a command of its own, and nothing else has one.
func TestCommands(t *testing.T) {
	methods := map[string]bool{}
	for _, s := range []grpc.ServiceDesc{managementv1.Management_ServiceDesc, managementv1.Operator_ServiceDesc} {
		for _, m := range s.Methods {
			methods["/"+s.ServiceName+"/"+m.MethodName] = true
		}
		for _, m := range s.Streams {
			methods["/"+s.ServiceName+"/"+m.StreamName] = true
		}
	}
	of := map[string]string{}
	for method := range methods {
		command := management.Commands[method]
		if command == "" {
			t.Errorf("%s has no command", method)
		}
		if other, taken := of[command]; taken {
			t.Errorf("%s and %s are both %q", method, other, command)
		}
		of[command] = method
	}
	for method, command := range management.Commands {
		if !methods[method] || strings.ContainsAny(command, "/\"\\") {
			t.Errorf("%q is the command of %s", command, method)
		}
	}
}

func TestCommandEnded(t *testing.T) {
	type end struct {
		command string
		kind    account.Kind
	}
	var ends []end
	ended := management.CommandEnded(func(command string, took time.Duration, refusal error) {
		if took < time.Millisecond {
			t.Errorf("it took %v", took)
		}
		ends = append(ends, end{command, account.KindOf(refusal)})
	})
	call := func(method string, answer func() error) (err error) {
		return ended.Tell(method, func() error {
			time.Sleep(time.Millisecond)
			return answer()
		})
	}
	for name, row := range map[string]struct {
		answer error
		kind   account.Kind
	}{
		"Well":        {nil, 0},
		"Refused":     {account.NotFound("jeff"), account.KindNotFound},
		"Unknown":     {account.OutcomeUnknown(account.NewRequestID(time.Now())), account.KindOutcomeUnknown},
		"GaveUp":      {context.Canceled, account.KindInterrupted},
		"TookTooLong": {context.DeadlineExceeded, account.KindUnavailable},
		"Otherwise":   {errors.New("the disk is on fire"), account.KindInternal},
	} {
		t.Run(name, func(t *testing.T) {
			ends = nil
			if err := call(managementv1.Management_Show_FullMethodName, func() error { return row.answer }); err != row.answer {
				t.Errorf("the caller gets %v", err)
			}
			if want := (end{"users show", row.kind}); len(ends) != 1 || ends[0] != want {
				t.Errorf("told %v, want %v", ends, want)
			}
		})
	}
	t.Run("Panics", func(t *testing.T) {
		ends = nil
		defer func() {
			if want := (end{"login", account.KindInternal}); recover() == nil || len(ends) != 1 || ends[0] != want {
				t.Errorf("told %v, want %v", ends, want)
			}
		}()
		call(managementv1.Management_Login_FullMethodName, func() error { panic("x") })
	})
	t.Run("NoCommand", func(t *testing.T) {
		ends = nil
		for _, method := range []string{"", "/concourse.management.v1.Management/Nothing", healthv1.Health_Check_FullMethodName} {
			called := false
			if err := ended.Tell(method, func() error { called = true; return nil }); err != nil || !called || len(ends) != 0 {
				t.Errorf("%q: %v, told %v", method, err, ends)
			}
		}
	})
	t.Run("NobodyHears", func(t *testing.T) {
		if err := management.CommandEnded(nil).Tell(managementv1.Management_Show_FullMethodName, func() error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
