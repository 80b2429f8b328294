package users

import (
	"time"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// fastestClock bounds how far another host's clock may be ahead of ours.
const fastestClock = 5 * time.Minute

// mostHost bounds a host's own id, in bytes.
const mostHost = 255

// requestValue is what the Requests space keeps under a request id (rule 2).
// Never a password or anything made from one.
type requestValue struct {
	Host       string             `json:"host"`
	Caller     account.ID         `json:"caller"`
	CallerName string             `json:"caller_name"`
	Verb       account.Verb       `json:"verb"`
	Target     string             `json:"target"`
	Changed    bool               `json:"changed"`
	AccountID  account.ID         `json:"account_id,omitempty"`
	Generation account.Generation `json:"generation,omitempty"`
	At         time.Time          `json:"at"`
}

func requestKey(id account.RequestID) Key { return Key{Requests, id.String()} }

// checkInvocation refuses an id that is none. Its age is checkAge's.
func checkInvocation(in account.Invocation) error {
	if _, err := account.ParseRequestID(in.RequestID.String()); err != nil {
		return err
	}
	if len(in.Host) > mostHost || !utf8.ValidString(in.Host) {
		return account.Invalid("host", "a host's id must be valid UTF-8 of at most %d bytes", mostHost)
	}
	return nil
}

// checkAge refuses new work under an id of a time for which no record can be
// relied on: it may have been carried out and its record pruned. Only an id
// without a record has an age: one that has a record is answered from it,
// however late the repeat comes.
func checkAge(id account.RequestID) error {
	switch age := time.Since(id.Time()); {
	case age > account.RequestLifetime:
		e := account.Invalid("request_id", "the request id %s is older than an hour; look at the account, then ask anew without it", id)
		e.Reason = account.ReasonRequestExpired
		return e
	case age < -fastestClock:
		return account.Invalid("request_id", "the request id %s is from the future; set the clock of the host that made it", id)
	}
	return nil
}

// repeated returns the recorded outcome if the request was carried out before,
// nil if not. It refuses with REQUEST_REUSED an id under which another caller,
// verb or target is recorded, and what checkAge refuses if nothing is. It comes
// before everything else, so that a caller who demoted itself still learns that
// it did.
func repeated(r Reader, in account.Invocation, verb account.Verb, target string) (*account.Change, error) {
	var v requestValue
	if found, err := get(r, requestKey(in.RequestID), &v); err != nil {
		return nil, err
	} else if !found {
		return nil, checkAge(in.RequestID)
	}
	if v.Caller != in.Caller.AccountID || v.Verb != verb || v.Target != target {
		e := account.Invalid("request_id", "the request id %s was used for something else; ask again without it", in.RequestID)
		e.Reason = account.ReasonRequestReused
		return nil, e
	}
	change := &account.Change{Repeated: true, Changed: v.Changed}
	now, err := accountIn(r, target)
	if err != nil {
		return nil, err
	}
	if now != nil && now.ID == v.AccountID {
		change.Revision = r.Revision()
		change.Account, err = publicIn(r, target, now)
		return change, err
	}
	change.Account = account.Account{ID: v.AccountID, Generation: v.Generation, Username: target}
	if change.Gone = now == nil; change.Gone {
		change.Revision = r.Revision()
	}
	// Otherwise the name is another account's now. The outcome says nothing
	// about that one, and its revision of 0 makes it older than any snapshot.
	return change, nil
}

// record writes the outcome, in the transaction of the change.
func record(tx Tx, in account.Invocation, verb account.Verb, change account.Change, at time.Time) error {
	return put(tx, requestKey(in.RequestID), requestValue{
		Host: in.Host, Caller: in.Caller.AccountID, CallerName: in.Caller.Username,
		Verb: verb, Target: change.Account.Username, Changed: change.Changed,
		AccountID: change.Account.ID, Generation: change.Account.Generation, At: at,
	})
}
