package fault_test

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// remains are what is found after a power cut, once the audit log was completed.
type remains struct {
	initialized bool
	accounts    map[string]account.Account
	records     map[string]bool // request ids; nil: not known
	changed     bool            // the first administrator's password was
	lines       []audit.Entry
}

// judge says what is wrong with what a cut at a time has left: something that
// was acknowledged before is missing, or is only known from its record; something
// was not asked for yet; a change is there by half; or the audit log has a gap.
func (l *life) judge(at time.Time, r remains) error {
	if !r.initialized && l.ready.Before(at) {
		return fmt.Errorf("the store is empty, and was in use")
	}
	log, err := l.logOf(r)
	if err != nil {
		return err
	}
	want := 0
	if r.initialized {
		want++ // the first administrator
	}
	for _, c := range l.clerks {
		held, err := c.held(at, r.accounts[c.name])
		if err == nil {
			err = c.proven(at, held, r.records, log)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if c.state(held).Username != "" {
			want++
		}
	}
	held := 0
	if r.changed {
		held = 1
	}
	if least, most := l.admin.told(at); held < least || held > most {
		return fmt.Errorf("the first administrator's password was changed %d times, want %d to %d", held, least, most)
	}
	if err := l.admin.proven(at, held, r.records, log); err != nil {
		return fmt.Errorf("%s: %w", l.admin.name, err)
	}
	if len(r.accounts) != want {
		return fmt.Errorf("there are %d accounts, want %d", len(r.accounts), want)
	}
	if len(log) > 0 {
		return fmt.Errorf("there are lines of changes that nobody asked for: %v", log)
	}
	return l.loggedIn(at, r.lines)
}

// logOf returns the outcome lines of changes by request id, without those that
// only repeat an answer.
func (l *life) logOf(r remains) (map[string][]audit.Entry, error) {
	log, initialized := map[string][]audit.Entry{}, 0
	for i, e := range r.lines {
		if e.Seq != uint64(i)+1 {
			return nil, fmt.Errorf("line %d of the audit log has the number %d", i+1, e.Seq)
		}
		switch {
		case e.Event != audit.Change || e.Outcome != audit.OK || strings.HasPrefix(e.Detail, "repeated"):
		case e.Verb == account.VerbInitialize:
			initialized++
		default:
			log[e.RequestID] = append(log[e.RequestID], e)
		}
	}
	if (initialized == 1) != r.initialized || initialized > 1 {
		return nil, fmt.Errorf("%d lines say that the store was initialised, which it was: %v", initialized, r.initialized)
	}
	return log, nil
}

// told returns how many changes were acknowledged before, and how many may have
// taken effect.
func (c *clerk) told(at time.Time) (least, most int) {
	for least < len(c.deeds) && !c.deeds[least].acked.IsZero() && c.deeds[least].acked.Before(at) {
		least++
	}
	if most = least; most < len(c.deeds) && c.deeds[most].began.Before(at) {
		most++
	}
	return least, most
}

// held returns how many of the clerk's changes the account shows.
func (c *clerk) held(at time.Time, there account.Account) (int, error) {
	there = plain(there)
	least, most := c.told(at)
	for n := most; n >= least; n-- {
		if reflect.DeepEqual(plain(c.state(n)), there) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%d changes were acknowledged, which left %+v, and there is %+v", least, c.state(least), there)
}

// plain leaves out what a clerk does not know.
func plain(a account.Account) account.Account {
	a = account.Account{Username: a.Username, Role: a.Role, Enabled: a.Enabled, Grants: a.Grants}
	if len(a.Grants) == 0 {
		a.Grants = nil
	}
	return a
}

// proven compares records and lines with the changes that are there, and takes
// those lines from the log.
func (c *clerk) proven(at time.Time, held int, records map[string]bool, log map[string][]audit.Entry) error {
	least, _ := c.told(at)
	for n, d := range c.deeds {
		lines, want := log[d.id], 0
		if n < held {
			want = 1
		}
		if records != nil && records[d.id] != (want == 1) {
			return fmt.Errorf("change %d of %d that are there, %s: it has a record: %v", n, held, d.id, records[d.id])
		}
		if len(lines) != want {
			return fmt.Errorf("change %d of %d that are there, %s, has %d lines in the audit log", n, held, d.id, len(lines))
		}
		if n < least && lines[0].Recovered && !d.asked {
			return fmt.Errorf("change %d, %s, was acknowledged, and its line was not on disk", n, d.id)
		}
		delete(log, d.id)
	}
	return nil
}

// loggedIn looks for the lines of logins.
func (l *life) loggedIn(at time.Time, lines []audit.Entry) error {
	want, there := 0, 0
	for _, c := range append(l.clerks, l.admin) {
		for _, login := range c.logins {
			if login.Before(at) {
				want++
			}
		}
	}
	for _, e := range lines {
		if e.Event == audit.Login && e.Outcome == audit.OK {
			there++
		}
	}
	if there < want {
		return fmt.Errorf("%d logins were accepted, and the audit log knows of %d", want, there)
	}
	return nil
}
