package conformance

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// call is one method, asked for something that is in order.
type call struct {
	method     string
	capability string // which declares it; empty: every backend has it
	checks     bool   // that its caller is an ADMIN
	call       func(ctx context.Context, u account.Users) error
}

// everyCall returns every method but Configure, Authenticate and Watch, asked
// for by the caller.
func everyCall(who account.Caller) []call {
	const name = "conformance"
	mutation := func(method string, change func(context.Context, account.Users, account.Invocation) (account.Change, error)) call {
		return call{method: method, capability: account.CapabilityChange, checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := change(ctx, u, As(who))
			return err
		}}
	}
	return []call{
		{method: "Initialize", capability: account.CapabilityChange, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Initialize(ctx, firstAdministrator())
			return err
		}},
		mutation("Create", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Create(ctx, in, account.Create{Username: name, Password: NewPassword(), Role: account.User})
		}),
		mutation("Edit", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Edit(ctx, in, account.Edit{Username: name, Role: account.User})
		}),
		mutation("Password", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Password(ctx, in, account.Password{Username: name, Password: NewPassword()})
		}),
		mutation("Delete", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Delete(ctx, in, account.Delete{Username: name, IfExists: true})
		}),
		mutation("Grant", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Grant(ctx, in, account.Grant{Username: name, Permission: account.Read, Environment: "e"})
		}),
		mutation("Revoke", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Revoke(ctx, in, account.Revoke{Username: name, Environment: "e"})
		}),
		mutation("Suspend", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Suspend(ctx, in, name)
		}),
		mutation("Enable", func(ctx context.Context, u account.Users, in account.Invocation) (account.Change, error) {
			return u.Enable(ctx, in, name)
		}),
		{method: "Apply", capability: account.CapabilityApply, checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Apply(ctx, As(who), account.Desired{Username: name, Password: NewPassword()})
			return err
		}},
		{method: "Plan", capability: account.CapabilityApply, checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Plan(ctx, who, account.Desired{Username: name, Password: NewPassword()})
			return err
		}},
		{method: "Exists", call: func(ctx context.Context, u account.Users) error {
			_, err := u.Exists(ctx, name)
			return err
		}},
		{method: "Show", checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Show(ctx, who, name)
			return err
		}},
		{method: "List", checks: true, call: func(ctx context.Context, u account.Users) error {
			_, _, err := u.List(ctx, who, "")
			return err
		}},
		{method: "Export", capability: account.CapabilityExport, checks: true, call: func(ctx context.Context, u account.Users) error {
			_, _, err := u.Export(ctx, who, "")
			return err
		}},
		{method: "CheckPassword", checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := u.CheckPassword(ctx, who, account.Password{Username: name, Password: NewPassword()})
			return err
		}},
		{method: "Sessions", checks: true, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Sessions(ctx, who, nil)
			return err
		}},
		{method: "Records", call: func(ctx context.Context, u account.Users) error {
			_, _, err := u.Records(ctx, account.RequestID{})
			return err
		}},
		{method: "Backup", capability: account.CapabilityBackup, call: func(ctx context.Context, u account.Users) error {
			return u.Backup(ctx, io.Discard)
		}},
		{method: "Recover", capability: account.CapabilityRecover, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Recover(ctx, account.Recovery{Username: name, Password: NewPassword(), RequestID: account.NewRequestID(time.Now()), Host: host})
			return err
		}},
		{method: "Restore", capability: account.CapabilityRestore, call: func(ctx context.Context, u account.Users) error {
			_, err := u.Restore(ctx, bytes.NewReader(nil))
			return err
		}},
	}
}
