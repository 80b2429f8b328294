package conformance

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

var recordsCases = []Case{
	{
		Name: "records/say-what-was-done", Contract: `the message Record: request id, host, caller, verb, target, whether it changed anything, resulting account id and generation, and when`, Needs: needsChange,
		run: recordsSay,
	},
	{
		Name: "records/hold-no-password", Contract: `the message Record: never a password, a hash, or a digest of one`, Needs: needsChange,
		run: func(t *T) {
			p := t.Open()
			var passwords []account.Secret
			for range 2 {
				_, password := p.Create("target", account.User)
				passwords = append(passwords, password, NewPassword(), NewPassword())
				p.password("target", passwords[len(passwords)-1])
				p.edit(account.Edit{Username: "target", Password: passwords[len(passwords)-2]})
				if p.Declares(account.CapabilityExport) {
					page, _, err := p.Users.Export(t.ctx, p.Admin, "")
					t.OK(err, "export")
					for _, e := range page {
						passwords = append(passwords, e.PasswordHash)
					}
				}
				p.delete("target")
			}
			answer, err := p.Raw.Records(t.ctx, &usersv1.RecordsRequest{})
			t.OK(err, "read request records")
			sent, err := proto.Marshal(answer)
			t.OK(err, "write the answer down")
			for _, secret := range append(passwords, p.admin.Password) {
				if bytes.Contains(sent, secret) {
					t.Errorf("the request records hold a password or a hash")
				}
			}
		},
	},
	{
		Name: "records/in-order-page-by-page", Contract: `the rpc Records: in the order of their ids, those after the given id, at most 1000 at once; next is empty after the last`, Needs: needsChange,
		run: recordsInOrder,
	},
}

func recordsSay(t *T) {
	p := t.Open()
	began := time.Now()
	known := map[account.RequestID]bool{}
	for _, id := range p.holdings().records {
		known[id] = true
	}
	var want []account.Record
	note := func(in account.Invocation, verb account.Verb, c account.Change) {
		known[in.RequestID] = true
		want = append(want, account.Record{
			RequestID: in.RequestID, Host: host, Caller: p.Admin.AccountID, CallerName: p.Admin.Username, Verb: verb,
			Target: c.Account.Username, Changed: c.Changed, AccountID: c.Account.ID, Generation: c.Account.Generation,
		})
	}
	var prepared int
	for _, m := range p.mutations() {
		target := "target-" + string(m.verb)
		m.prepare(p, target)
		for _, id := range p.holdings().records { // of the preparation
			if !known[id] {
				known[id] = true
				prepared++
			}
		}
		in := p.New()
		c, err := m.ask(t.ctx, p, in, target)
		t.OK(err, "%s", m.verb)
		note(in, m.verb, c)
		_, err = m.ask(t.ctx, p, in, target)
		t.OK(err, "the repeat of %s", m.verb)
	}
	in := p.New()
	c, err := p.Users.Enable(t.ctx, in, p.Admin.Username)
	t.OK(err, "enable an enabled account")
	note(in, account.VerbEnable, c)
	in = p.New()
	c, err = p.Users.Delete(t.ctx, in, account.Delete{Username: "nobody", IfExists: true})
	t.OK(err, "delete nobody")
	note(in, account.VerbDelete, c)

	got := map[account.RequestID]account.Record{}
	for _, r := range p.records() {
		if got[r.RequestID].Verb != "" {
			t.Errorf("two records have the id %s", r.RequestID)
		}
		got[r.RequestID] = r
	}
	for _, w := range want {
		r, ok := got[w.RequestID]
		if !ok {
			t.Errorf("the %s of %s has no record", w.Verb, w.Target)
			continue
		}
		t.Recent(r.At, began, "the time of the %s of %s", w.Verb, w.Target)
		if r.At = (time.Time{}); r != w {
			t.Errorf("the record of the %s of %s is %+v, want %+v", w.Verb, w.Target, r, w)
		}
	}
	if len(got) != len(known) {
		t.Errorf("there are %d records of %d changes; repeats and refusals have none", len(got), len(known))
	}
	initialized := slices.ContainsFunc(p.records(), func(r account.Record) bool {
		return r.Verb == account.VerbInitialize && r.Target == p.Admin.Username && r.AccountID == p.Admin.AccountID && r.Changed
	})
	if !initialized {
		t.Errorf("no record has the verb %q and the first administrator as its target", account.VerbInitialize)
	}
}

// records reads them all.
func (p *Plugin) records() (all []account.Record) {
	var next account.RequestID
	for {
		page, after, err := p.Users.Records(p.t.ctx, next)
		p.t.OK(err, "read request records")
		all = append(all, page...)
		if next = after; next.IsZero() {
			return all
		}
	}
}

func recordsInOrder(t *T) {
	p := t.Open()
	const records, callers = 1040, 8
	ids := make(chan account.RequestID, records)
	var asking sync.WaitGroup
	for range callers {
		asking.Go(func() {
			for range records / callers {
				in := p.New()
				_, err := settled(func() (account.Change, error) { return p.Users.Enable(t.ctx, in, p.Admin.Username) })
				if err != nil {
					t.Errorf("enable an enabled account: %s", describe(err))
					return
				}
				ids <- in.RequestID
			}
		})
	}
	asking.Wait()
	close(ids)
	if t.failed() {
		return
	}
	all := p.records()
	found := map[account.RequestID]bool{}
	for i, r := range all {
		found[r.RequestID] = true
		if i > 0 && r.RequestID.String() <= all[i-1].RequestID.String() {
			t.Errorf("the record %s comes after %s", r.RequestID, all[i-1].RequestID)
		}
	}
	missing := 0
	for id := range ids {
		if !found[id] {
			missing++
		}
	}
	if missing > 0 || len(all) != records+1 {
		t.Errorf("of %d changes %d have no record among the %d that came", records+1, missing, len(all))
	}
	if t.failed() {
		return
	}
	middle := len(all) / 2
	page, _, err := p.Users.Records(t.ctx, all[middle].RequestID)
	t.OK(err, "read request records")
	if len(page) == 0 || page[0].RequestID != all[middle+1].RequestID {
		t.Errorf("after %s comes another record than the next", all[middle].RequestID)
	}
	page, next, err := p.Users.Records(t.ctx, all[len(all)-1].RequestID)
	t.OK(err, "read request records")
	if len(page) != 0 || !next.IsZero() {
		t.Errorf("after the last record come %d more, and next is %s", len(page), next)
	}
}
