package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

const (
	backupContract  = `the rpc Backup: the whole store as of one revision, in the form of shared/backup`
	restoreContract = `the rpc Restore: it checks a backup to its end, then gives the store its contents and nothing else, all at once, under a new store_id`
)

var (
	needsBackup  = []string{account.CapabilityChange, account.CapabilityBackup}
	needsRestore = []string{account.CapabilityChange, account.CapabilityDurable, account.CapabilityBackup, account.CapabilityRestore}
)

var backupCases = []Case{
	{
		Name: "backup/shows-that-it-is-whole", Contract: backupContract + `: the first line says what it is of, the last how many entries there are and what they sum up to`, Needs: needsBackup,
		run: func(t *T) {
			p := t.Open()
			began := time.Now()
			p.Create("target", account.User)
			s, err := backup.Verify(t.ctx, bytes.NewReader(p.backup()))
			if _, flawed := errors.AsType[*backup.Flaw](err); flawed {
				t.Fatalf("the backup is not a whole one: %v", err)
			}
			t.OK(err, "read the backup")
			if s.Backend != p.About.Name || s.BackendVersion != p.About.Version || s.StoreID != p.About.StoreID {
				t.Errorf("its first line names backend %q %q, store %q; want %q %q, %q", s.Backend, s.BackendVersion, s.StoreID, p.About.Name, p.About.Version, p.About.StoreID)
			}
			t.Recent(s.TakenAt, began, "when it was taken")
			if s.Accounts != 2 {
				t.Errorf("its last line says %d accounts, want 2", s.Accounts)
			}
		},
	},
	{
		Name: "backup/comes-in-small-messages", Contract: `BackupResponse.data: at most 64 KiB`, Needs: append(slices.Clone(needsBackup), account.CapabilityApply),
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			grants := account.Grants{}
			for n := range 800 {
				grants[fmt.Sprintf("%0200d", n)] = []account.Permission{account.Read}
			}
			p.apply(account.Desired{Username: "target", Grants: grants})
			stream, err := p.Raw.Backup(t.ctx, &usersv1.BackupRequest{})
			t.OK(err, "back up")
			total := 0
			for {
				m, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					break
				}
				t.OK(err, "receive a backup")
				if total += len(m.GetData()); len(m.GetData()) > 64<<10 {
					t.Fatalf("a message has %d bytes of data", len(m.GetData()))
				}
			}
			if total < 800*200 {
				t.Errorf("the backup has %d bytes, less than the names of the environments in it", total)
			}
		},
	},
	{
		Name: "backup/restores-everything", Contract: restoreContract, Needs: needsRestore,
		run: restoresEverything,
	},
	{
		Name: "backup/is-of-one-revision", Contract: backupContract, Needs: needsRestore,
		run: ofOneRevision,
	},
	{
		Name: "backup/a-damaged-one-is-refused", Contract: restoreContract + `; one that is damaged is INVALID_ARGUMENT and changes nothing`, Needs: needsRestore,
		run: damagedIsRefused,
	},
	{
		Name: "backup/a-restore-cut-short-changes-nothing", Contract: restoreContract, Needs: needsRestore,
		run: func(t *T) {
			p := t.Open()
			p.Create("target", account.User)
			data := p.backup()
			p.Create("later", account.User)
			before, id := p.holdings(), p.About.StoreID
			ctx, cancel := context.WithCancel(t.ctx)
			defer cancel()
			stream, err := p.Raw.Restore(ctx)
			t.OK(err, "begin a restore")
			t.OK(stream.Send(&usersv1.RestoreRequest{Data: data[:len(data)-1]}), "send most of a backup")
			time.Sleep(50 * time.Millisecond)
			cancel()
			time.Sleep(200 * time.Millisecond) // for what goes on without its caller
			p = p.Restart()
			p.Untouched(before, "after a restore whose caller went away")
			if p.About.StoreID != id {
				t.Errorf("after a restore whose caller went away the store id has changed")
			}
		},
	},
}

// backup takes one.
func (p *Plugin) backup() []byte {
	var b bytes.Buffer
	p.t.OK(p.Users.Backup(p.t.ctx, &b), "back up")
	return b.Bytes()
}

// restore gives the process's store the backup, and returns the next process on
// it, whose administrator is that of the backup.
func (p *Plugin) restore(data []byte, from *Plugin) *Plugin {
	t := p.t
	r, err := p.Users.Restore(t.ctx, bytes.NewReader(data))
	t.OK(err, "restore")
	if how := p.Shutdown(); how != "exit status 0" {
		t.Errorf("after the restore the process was shut down and ended with %q", how)
	}
	p.admin, p.Admin = from.admin, from.Admin
	next := p.again()
	if next.About.StoreID != r.StoreID || !next.About.Initialized {
		t.Errorf("after the restore the store id is %q, initialized %t; want %q, as Restore said, and true", next.About.StoreID, next.About.Initialized, r.StoreID)
	}
	return next
}

// vacant is a process on a store that has no account.
func (t *T) vacant() *Plugin {
	p := t.Launch(Launch{})
	p.configure()
	return p
}

func restoresEverything(t *T) {
	p := t.Open()
	var suspension account.Invocation
	for _, m := range p.mutations() {
		in := p.carriedOut(m, "target-"+string(m.verb))
		if m.verb == account.VerbSuspend {
			suspension = in
		}
	}
	_, password := p.Create("jeff", account.User)
	before := p.holdings()
	data := p.backup()
	other := t.Open()
	other.Create("stranger", account.Admin)
	was := other.About.StoreID
	q := other.restore(data, p)
	q.Untouched(before, "after a restore over other accounts")
	if q.About.StoreID == p.About.StoreID || q.About.StoreID == was {
		t.Errorf("the restored store has the id of the one that the backup is of, or that it had before")
	}
	_, err := q.login("jeff", password)
	t.OK(err, "log in to the restored store with the password of before")
	again, err := q.Users.Suspend(t.ctx, suspension, "target-suspend")
	if err != nil || !again.Repeated {
		t.Errorf("the repeat of a request that the backup has the record of: %s, want it repeated", outcome(again, err))
	}
	if _, err := q.Users.Enable(t.ctx, q.New(), "target-suspend"); err != nil {
		t.Errorf("a change in the restored store: %s", describe(err))
	}
}

// ofOneRevision has two accounts changed in turns, and looks for a state that
// never was.
func ofOneRevision(t *T) {
	p := t.Open()
	pair := []string{"a", "b"} // a first
	for _, name := range pair {
		p.Create(name, account.User)
	}
	ctx, stop := context.WithCancel(t.ctx)
	var writing sync.WaitGroup
	began := make(chan struct{})
	writing.Go(func() {
		for n := range 900 {
			for _, name := range pair {
				in := p.New()
				_, err := settled(func() (account.Change, error) {
					return p.Users.Grant(ctx, in, account.Grant{Username: name, Permission: account.Read, Environment: fmt.Sprintf("e%d", n)})
				})
				if err != nil {
					if ctx.Err() == nil {
						t.Errorf("grant: %s", describe(err))
					}
					return
				}
			}
			if n == 5 {
				close(began)
			}
		}
	})
	<-began
	data := p.backup()
	stop()
	writing.Wait()
	q := t.vacant().restore(data, p)
	a, b := q.Show("a").Grants, q.Show("b").Grants
	if len(a)-len(b) != 0 && len(a)-len(b) != 1 {
		t.Errorf("a has %d grants and b has %d; a always got one first and b the same next: there was no such state", len(a), len(b))
	}
	for n := range max(len(a), len(b)) {
		e := fmt.Sprintf("e%d", n)
		if n < len(a) && !a.Holds(e, account.Read) || n < len(b) && !b.Holds(e, account.Read) {
			t.Fatalf("the grant in %s is missing, and later ones are there", e)
		}
	}
}

func damagedIsRefused(t *T) {
	p := t.Open()
	p.Create("target", account.User)
	data := p.backup()
	p.Create("later", account.User)
	before, id := p.holdings(), p.About.StoreID
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines = lines[:len(lines)-1]
	last := len(lines) - 1
	damages := map[string][]byte{
		"nothing":               nil,
		"something else":        []byte("username,password\njeff,secret\n"),
		"one without its end":   bytes.Join(lines[:last], nil),
		"one cut in the middle": data[:len(data)/2],
		"one without an entry":  slices.Concat(bytes.Join(lines[:last/2], nil), bytes.Join(lines[last/2+1:], nil)),
		"one and more":          slices.Concat(data, lines[last]),
		"one with an altered byte": func() []byte {
			altered := bytes.Clone(data)
			altered[len(lines[0])+len(lines[1])/2] ^= 1
			return altered
		}(),
	}
	for _, what := range slices.Sorted(maps.Keys(damages)) {
		_, err := p.Users.Restore(t.ctx, bytes.NewReader(damages[what]))
		t.Refused(err, account.KindInvalid, "", "restore %s", what)
		p = p.Restart()
		if p.About.StoreID != id {
			t.Errorf("restore %s: the store id has changed", what)
			return
		}
		p.Untouched(before, "after the refusal to restore %s", what)
	}
}
