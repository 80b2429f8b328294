package wire

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

// DesiredParts are the fields that the Desired of both services have in common.
type DesiredParts interface {
	GetUsername() string
	GetRole() accountv1.Role
	GetCreatedAt() *timestamppb.Timestamp
	GetPasswordChangedAt() *timestamppb.Timestamp
	GetLastLoginAt() *timestamppb.Timestamp
	GetOnlyNew() bool
}

// DesiredFromProto converts what the generated types of the two services spell
// alike; what they spell as optional comes beside. Grants that are not nil are
// exactly those.
func DesiredFromProto(p DesiredParts, enabled *bool, grants *[]*accountv1.Grant, password, hash []byte) (account.Desired, error) {
	d := account.Desired{
		Username: p.GetUsername(), Enabled: enabled, OnlyNew: p.GetOnlyNew(),
		Password: OptionalSecret(password), PasswordHash: OptionalSecret(hash),
	}
	var err error
	if d.Role, err = RoleFromProto(p.GetRole()); err != nil {
		return d, err
	}
	if grants != nil {
		if len(*grants) > account.MaxEnvironments {
			return d, account.Refused(account.ReasonTooManyGrants, d.Username,
				"'%s' would hold grants in %d environments; %d is the most that one account may", account.Printable(d.Username), len(*grants), account.MaxEnvironments)
		}
		if d.Grants, err = grantsFromProto(*grants); err != nil {
			return d, err
		}
		if d.Grants == nil {
			d.Grants = account.Grants{}
		}
	}
	for _, t := range []struct {
		to    *time.Time
		field string
		from  *timestamppb.Timestamp
	}{
		{&d.CreatedAt, "created_at", p.GetCreatedAt()},
		{&d.PasswordChangedAt, "password_changed_at", p.GetPasswordChangedAt()},
		{&d.LastLoginAt, "last_login_at", p.GetLastLoginAt()},
	} {
		if *t.to, err = TimeFromProto(t.from); err != nil {
			return d, account.Invalid(t.field, "%s is not a time", t.field)
		}
	}
	return d, nil
}

func desiredFromProto(p *usersv1.Desired) (account.Desired, error) {
	if p == nil {
		return account.Desired{}, account.Invalid("desired", "what the account is to be is missing")
	}
	var grants *[]*accountv1.Grant
	if p.Grants != nil {
		grants = &p.Grants.Grants
	}
	return DesiredFromProto(p, p.Enabled, grants, p.Password, p.PasswordHash)
}

func desiredToProto(d account.Desired) *usersv1.Desired {
	p := &usersv1.Desired{
		Username: d.Username, Role: RoleToProto(d.Role), Enabled: d.Enabled, OnlyNew: d.OnlyNew,
		Password: d.Password, PasswordHash: d.PasswordHash,
		CreatedAt: TimeToProto(d.CreatedAt), PasswordChangedAt: TimeToProto(d.PasswordChangedAt), LastLoginAt: TimeToProto(d.LastLoginAt),
	}
	if d.Grants != nil {
		p.Grants = &usersv1.Grants{Grants: GrantsToProto(d.Grants)}
	}
	return p
}

func appliedToProto(a account.Applied) *usersv1.Applied {
	p := &usersv1.Applied{Change: changeToProto(a.Change), PasswordSet: a.PasswordSet}
	if a.Before != nil {
		p.Before = AccountToProto(*a.Before)
	}
	return p
}

func appliedFromProto(p *usersv1.Applied) (a account.Applied, err error) {
	if a.Change, err = changeFromProto(p.GetChange()); err != nil {
		return account.Applied{}, err
	}
	if p.GetBefore() != nil {
		before, err := AccountFromProto(p.GetBefore())
		if err != nil {
			return account.Applied{}, err
		}
		a.Before = &before
	}
	a.PasswordSet = p.GetPasswordSet()
	return a, nil
}

// maxHash bounds a password hash of another's making, in bytes.
const maxHash = 1024

func exportedFromProto(p *usersv1.ExportedAccount) (account.Exported, error) {
	a, err := AccountFromProto(p.GetAccount())
	if err == nil && len(p.GetPasswordHash()) > maxHash {
		err = errors.New("a password hash is too long")
	}
	return account.Exported{Account: a, PasswordHash: p.GetPasswordHash()}, err
}

func loadToProto(l *account.Load) *usersv1.Load {
	if l == nil {
		return nil
	}
	return &usersv1.Load{Hashing: l.Hashing, HashWaiting: l.HashWaiting}
}

func loadFromProto(p *usersv1.Load) *account.Load {
	if p == nil {
		return nil
	}
	return &account.Load{Hashing: p.GetHashing(), HashWaiting: p.GetHashWaiting()}
}
