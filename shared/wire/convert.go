package wire

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
)

// RoleToProto returns ROLE_UNSPECIFIED for an empty role.
func RoleToProto(r account.Role) accountv1.Role {
	switch r {
	case account.Admin:
		return accountv1.Role_ROLE_ADMIN
	case account.User:
		return accountv1.Role_ROLE_USER
	}
	return accountv1.Role_ROLE_UNSPECIFIED
}

// RoleFromProto returns an empty role for ROLE_UNSPECIFIED, and refuses what
// it does not know.
func RoleFromProto(r accountv1.Role) (account.Role, error) {
	switch r {
	case accountv1.Role_ROLE_UNSPECIFIED:
		return "", nil
	case accountv1.Role_ROLE_ADMIN:
		return account.Admin, nil
	case accountv1.Role_ROLE_USER:
		return account.User, nil
	}
	return "", account.Invalid("role", "role number %d is unknown here", r)
}

// PermissionToProto returns PERMISSION_UNSPECIFIED for an empty permission.
func PermissionToProto(p account.Permission) accountv1.Permission {
	switch p {
	case account.Read:
		return accountv1.Permission_PERMISSION_READ
	case account.Write:
		return accountv1.Permission_PERMISSION_WRITE
	}
	return accountv1.Permission_PERMISSION_UNSPECIFIED
}

// PermissionFromProto refuses what it does not know, unspecified included.
func PermissionFromProto(p accountv1.Permission) (account.Permission, error) {
	switch p {
	case accountv1.Permission_PERMISSION_READ:
		return account.Read, nil
	case accountv1.Permission_PERMISSION_WRITE:
		return account.Write, nil
	case accountv1.Permission_PERMISSION_UNSPECIFIED:
		return "", account.Invalid("permission", "a permission is required; use READ or WRITE")
	}
	return "", account.Invalid("permission", "permission number %d is unknown here", p)
}

// ListenerToProto returns LISTENER_UNSPECIFIED for an empty listener.
func ListenerToProto(l account.Listener) accountv1.Listener {
	switch l {
	case account.ManagementListener:
		return accountv1.Listener_LISTENER_MANAGEMENT
	case account.ClientListener:
		return accountv1.Listener_LISTENER_CLIENT
	}
	return accountv1.Listener_LISTENER_UNSPECIFIED
}

// ListenerFromProto refuses what it does not know.
func ListenerFromProto(l accountv1.Listener) (account.Listener, error) {
	switch l {
	case accountv1.Listener_LISTENER_MANAGEMENT:
		return account.ManagementListener, nil
	case accountv1.Listener_LISTENER_CLIENT:
		return account.ClientListener, nil
	}
	return "", account.Invalid("listener", "listener number %d is unknown here", l)
}

// GrantsToProto returns one entry for each environment, in no order.
func GrantsToProto(g account.Grants) []*accountv1.Grant {
	var out []*accountv1.Grant
	for environment, ps := range g {
		grant := &accountv1.Grant{Environment: environment}
		for _, p := range ps {
			grant.Permissions = append(grant.Permissions, PermissionToProto(p))
		}
		out = append(out, grant)
	}
	return out
}

func grantsFromProto(in []*accountv1.Grant) (account.Grants, error) {
	if len(in) > account.MaxEnvironments {
		return nil, fmt.Errorf("grants in %d environments, more than %d", len(in), account.MaxEnvironments)
	}
	if len(in) == 0 {
		return nil, nil
	}
	g := make(account.Grants, len(in))
	for _, grant := range in {
		if err := account.CheckEnvironment(grant.GetEnvironment()); err != nil {
			return nil, err
		}
		ps := g[grant.GetEnvironment()]
		for _, p := range grant.GetPermissions() {
			permission, err := PermissionFromProto(p)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(ps, permission) {
				ps = append(ps, permission)
			}
		}
		if len(ps) == 0 { // no permission: no grant
			continue
		}
		slices.Sort(ps)
		g[grant.GetEnvironment()] = ps
	}
	return g, nil
}

// AccountToProto converts an account.
func AccountToProto(a account.Account) *accountv1.Account {
	return &accountv1.Account{
		Id: string(a.ID), Generation: uint64(a.Generation), Username: a.Username,
		Role: RoleToProto(a.Role), Enabled: a.Enabled, Grants: GrantsToProto(a.Grants),
		CreatedAt: TimeToProto(a.CreatedAt), PasswordChangedAt: TimeToProto(a.PasswordChangedAt),
		LastLoginAt: TimeToProto(a.LastLoginAt),
	}
}

// AccountFromProto converts an account and refuses one whose parts no account
// can have. A missing message is an account without a name.
func AccountFromProto(p *accountv1.Account) (a account.Account, err error) {
	if len(p.GetId()) > maxID || len(p.GetUsername()) > account.MaxUsername {
		return a, fmt.Errorf("an account's id or username is too long")
	}
	a = account.Account{
		ID: account.ID(p.GetId()), Generation: account.Generation(p.GetGeneration()),
		Username: p.GetUsername(), Enabled: p.GetEnabled(),
	}
	if a.Role, err = RoleFromProto(p.GetRole()); err != nil {
		return a, err
	}
	if a.Grants, err = grantsFromProto(p.GetGrants()); err != nil {
		return a, err
	}
	for _, t := range []struct {
		to   *time.Time
		from *timestamppb.Timestamp
	}{{&a.CreatedAt, p.GetCreatedAt()}, {&a.PasswordChangedAt, p.GetPasswordChangedAt()}, {&a.LastLoginAt, p.GetLastLoginAt()}} {
		if *t.to, err = TimeFromProto(t.from); err != nil {
			return a, err
		}
	}
	return a, nil
}

// maxID bounds an account id or session id of another's making, in bytes.
const maxID = 64

// TimeToProto returns nil for no time.
func TimeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// TimeFromProto returns no time for nil.
func TimeFromProto(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	return t.AsTime(), t.CheckValid()
}
