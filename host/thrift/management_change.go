package thrift

import (
	"context"
	"strings"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

// change carries out what a tool asks for, as the gate does for the command line,
// under an id of the host's own.
type change func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error

var anew account.RequestID // the gate makes one

// changes are those that the management service has, by its own names.
var changes = map[string]change{
	"createUser": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		role, err := parseRole(a.role)
		if err != nil {
			return err
		}
		_, err = g.Create(ctx, c, anew, account.Create{Username: a.username, Password: a.password, Role: role})
		return err
	},
	"setUserPassword": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		_, err := g.Password(ctx, c, anew, account.Password{Username: a.username, Password: a.password})
		return err
	},
	"setUserRole": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		role, err := parseRole(a.role)
		if err != nil {
			return err
		}
		_, err = g.Edit(ctx, c, anew, account.Edit{Username: a.username, Role: role})
		return err
	},
	"enableUser": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		_, err := g.Enable(ctx, c, anew, a.username)
		return err
	},
	"disableUser": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		_, err := g.Suspend(ctx, c, anew, a.username)
		return err
	},
	"deleteUser": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		_, err := g.Delete(ctx, c, anew, account.Delete{Username: a.username, IfExists: true}) // as tools know it
		return err
	},
	"grant": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		permission, err := parsePermission(a.permission)
		if err != nil {
			return err
		}
		environment, err := cleanEnvironment(a.environment)
		if err != nil {
			return err
		}
		_, err = g.Grant(ctx, c, anew, account.Grant{Username: a.username, Permission: permission, Environment: environment})
		return err
	},
	"revoke": func(ctx context.Context, g *gate.Gate, c gate.Caller, a arguments) error {
		environment, err := cleanEnvironment(a.environment)
		if err != nil {
			return err
		}
		_, err = g.Revoke(ctx, c, anew, account.Revoke{Username: a.username, Environment: environment})
		return err
	},
}

func (p *tools) change(ctx context.Context, r *request, c gate.Caller, do change) error {
	a, err := r.arguments()
	if err != nil {
		return r.malformed(err)
	}
	if err := do(ctx, p.Gate, c, a); err != nil {
		return r.refuseTool(err, a)
	}
	return r.void()
}

// parseRole reads a role in any case. It refuses with Invalid, in the words that
// tools know.
func parseRole(text string) (account.Role, error) {
	role, err := account.ParseRole(text)
	switch {
	case err == nil:
		return role, nil
	case strings.EqualFold(text, "service"):
		return "", account.Invalid("role", serviceRole)
	}
	return "", account.Invalid("role", "%s%s", noRole, account.Printable(strings.ToUpper(text)))
}

func parsePermission(text string) (account.Permission, error) {
	permission, err := account.ParsePermission(text)
	if err != nil {
		return "", account.Invalid("permission", "%s%s", noPermission, account.Printable(strings.ToUpper(text)))
	}
	return permission, nil
}

// cleanEnvironment cleans an environment's name as a data server does; an empty
// one stays, for the default. It refuses with Invalid a name of which nothing is
// left.
func cleanEnvironment(name string) (string, error) {
	clean := account.CleanEnvironment(name)
	if clean == "" && name != "" {
		return "", account.Invalid("environment", "the environment's name '%s' has no letter, digit or _", account.Printable(name))
	}
	return clean, nil
}
