package wire

import (
	"fmt"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

func callerToProto(c account.Caller) *usersv1.Caller {
	return &usersv1.Caller{
		Username: c.Username, AccountId: string(c.AccountID),
		Generation: uint64(c.Generation), SessionId: c.SessionID,
	}
}

func callerFromProto(p *usersv1.Caller) account.Caller {
	return account.Caller{
		Username: p.GetUsername(), AccountID: account.ID(p.GetAccountId()),
		Generation: account.Generation(p.GetGeneration()), SessionID: p.GetSessionId(),
	}
}

func invocationToProto(in account.Invocation) *usersv1.Invocation {
	return &usersv1.Invocation{RequestId: in.RequestID.String(), Caller: callerToProto(in.Caller), Host: in.Host}
}

func invocationFromProto(p *usersv1.Invocation) (account.Invocation, error) {
	id, err := account.ParseRequestID(p.GetRequestId())
	if err != nil {
		return account.Invocation{}, err
	}
	if len(p.GetHost()) > maxID {
		return account.Invocation{}, account.Invalid("host", "a host's id may have at most %d bytes", maxID)
	}
	return account.Invocation{RequestID: id, Caller: callerFromProto(p.GetCaller()), Host: p.GetHost()}, nil
}

func changeToProto(c account.Change) *usersv1.Change {
	return &usersv1.Change{
		Changed: c.Changed, Account: AccountToProto(c.Account), Gone: c.Gone,
		Revision: uint64(c.Revision), Repeated: c.Repeated, Note: c.Note,
	}
}

func changeFromProto(p *usersv1.Change) (account.Change, error) {
	a, err := AccountFromProto(p.GetAccount())
	if err != nil {
		return account.Change{}, err
	}
	return account.Change{
		Changed: p.GetChanged(), Account: a, Gone: p.GetGone(),
		Revision: account.Revision(p.GetRevision()), Repeated: p.GetRepeated(), Note: clean(p.GetNote()),
	}, nil
}

func snapshotToProto(s *account.Snapshot) *usersv1.Snapshot {
	return &usersv1.Snapshot{
		Username: s.Username, AccountId: string(s.ID), Generation: uint64(s.Generation), Role: RoleToProto(s.Role),
		Enabled: s.Enabled, Grants: GrantsToProto(s.Grants), Revision: uint64(s.Revision),
	}
}

func snapshotFromProto(p *usersv1.Snapshot) (*account.Snapshot, error) {
	if len(p.GetAccountId()) > maxID || len(p.GetUsername()) > account.MaxUsername {
		return nil, fmt.Errorf("a snapshot's account id or username is too long")
	}
	role, err := RoleFromProto(p.GetRole())
	if err != nil {
		return nil, err
	}
	grants, err := grantsFromProto(p.GetGrants())
	if err != nil {
		return nil, err
	}
	return &account.Snapshot{
		Username: p.GetUsername(), ID: account.ID(p.GetAccountId()), Generation: account.Generation(p.GetGeneration()),
		Role: role, Enabled: p.GetEnabled(), Grants: grants, Revision: account.Revision(p.GetRevision()),
	}, nil
}

func recordToProto(r account.Record) *usersv1.Record {
	return &usersv1.Record{
		RequestId: r.RequestID.String(), Host: r.Host, CallerId: string(r.Caller), CallerName: r.CallerName,
		Verb: string(r.Verb), Target: r.Target, Changed: r.Changed, AccountId: string(r.AccountID),
		Generation: uint64(r.Generation), At: TimeToProto(r.At),
	}
}

func recordFromProto(p *usersv1.Record) (account.Record, error) {
	id, err := account.ParseRequestID(p.GetRequestId())
	if err != nil {
		return account.Record{}, err
	}
	at, err := TimeFromProto(p.GetAt())
	if err != nil {
		return account.Record{}, err
	}
	return account.Record{
		RequestID: id, Host: p.GetHost(), Caller: account.ID(p.GetCallerId()), CallerName: p.GetCallerName(),
		Verb: account.Verb(p.GetVerb()), Target: p.GetTarget(), Changed: p.GetChanged(),
		AccountID: account.ID(p.GetAccountId()), Generation: account.Generation(p.GetGeneration()), At: at,
	}, nil
}
