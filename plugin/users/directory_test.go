package users_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// people is a Directory that a test changes.
type people struct {
	mu      sync.Mutex // guards the rest
	entries []users.Entry
	changed bool
	failure error
	before  func(context.Context) // run by Load
	loads   int
	closed  int
}

// is makes the entries what is told from now on.
func (p *people) is(entries ...users.Entry) *people {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries, p.changed = entries, true
	return p
}

func (p *people) set(fn func(*people)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn(p)
}

func (p *people) Load(ctx context.Context) ([]users.Entry, error) {
	p.mu.Lock()
	before := p.before
	p.loads++
	p.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case p.failure != nil:
		return nil, p.failure
	case !p.changed:
		return nil, users.ErrUnchanged
	}
	p.changed = false
	return slices.Clone(p.entries), nil
}

func (p *people) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	return nil
}

// Hashes of adminPassword, of two that cost the same and one that does not.
const (
	adminHash   = "$argon2id$v=19$m=19456,t=2,p=1$Wi963s+Y9pVxRfYOfS3RoQ$Rdo2sFC3JErZApOMqJGVw3K2vB98ltY14QXeL4hoAfk"
	anotherHash = "$argon2id$v=19$m=19456,t=2,p=1$C6TbeDx8P69Sr5PRe7TWPA$KMA+ENK0DyCDykeA96+esP46F/uh045xrJgUN9xL1Jw"
	slimHash    = "$argon2id$v=19$m=12288,t=3,p=1$cY8q1un+Fs248mYFU0jpoA$fZexnS9+bz9k3bkKEDEEhhldUN3j5MWhCt48RoaJTOg"
)

// staff are an ADMIN and a USER with adminPassword, and a suspended account that
// nobody can log in as.
func staff() []users.Entry {
	hash := account.Secret(adminHash)
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.FixedZone("", 3600))
	return []users.Entry{
		{Username: "root", Role: account.Admin, Enabled: true, PasswordHash: hash, CreatedAt: at, PasswordChangedAt: at},
		{Username: "jeff", Enabled: true, PasswordHash: hash, Grants: account.Grants{"billing": {account.Write, account.Read}}},
		{Username: "gone", PasswordHash: nil},
	}
}

// costing returns a hash of that cost, of a password that nobody knows.
func costing(cost string) account.Secret {
	return account.Secret(strings.Replace(adminHash, "m=19456,t=2", cost, 1))
}

// imported returns the hash as that of an account of the Java original.
func imported(hash account.Secret) account.Secret {
	return account.Secret(strings.Replace(string(hash), "$argon2id$", "$argon2id-sha512$", 1))
}

// directing configures a Service over the directory.
func directing(t *testing.T, id string, d users.Directory) (*users.Service, account.Description, *syncBuffer) {
	t.Helper()
	s, log := undirected(t, id, d)
	described, err := s.Configure(t.Context(), account.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	return s, described, log
}

func undirected(t *testing.T, id string, d users.Directory) (*users.Service, *syncBuffer) {
	t.Helper()
	log := &syncBuffer{}
	logger := hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace})
	before := hclog.L()
	hclog.SetDefault(logger) // as plugin.Serve does
	t.Cleanup(func() { hclog.SetDefault(before) })
	s := users.New(users.Backend{Name: "test", Open: func(context.Context, string, map[string]string) (users.Store, error) {
		return users.ReadOnly(id, d), nil
	}}, logger)
	s.SetCost(64, 1)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, log
}

func login(t *testing.T, s *users.Service, username, password string) (account.Login, error) {
	t.Helper()
	return s.Authenticate(t.Context(), account.Credentials{Username: username, Password: account.Secret(password)})
}

// session logs in and returns who it is.
func session(t *testing.T, s *users.Service, username string) account.Caller {
	t.Helper()
	in, err := login(t, s, username, adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	return account.Caller{Username: username, AccountID: in.Account.ID, Generation: in.Account.Generation, SessionID: "a session"}
}

func TestReadOnly(t *testing.T) {
	t.Run("Describes", func(t *testing.T) {
		_, first, _ := directing(t, "file a", (&people{}).is(staff()...))
		_, again, _ := directing(t, "file a", (&people{}).is())
		_, other, _ := directing(t, "file b", (&people{}).is())
		if !first.Initialized || !slices.Equal(first.Capabilities, []string{account.CapabilityDurable, account.CapabilityExport}) {
			t.Errorf("it says %+v", first)
		}
		if first.StoreID == "" || first.StoreID != again.StoreID || first.StoreID == other.StoreID {
			t.Errorf("stores %q, %q of the same id and %q of another", first.StoreID, again.StoreID, other.StoreID)
		}
	})
	t.Run("Reads", func(t *testing.T) {
		s, _, _ := directing(t, "file", (&people{}).is(staff()...))
		root := session(t, s, "root")
		list, next, err := s.List(t.Context(), root, "")
		if err != nil || next != "" || len(list) != 3 || list[0].Username != "gone" || list[1].Username != "jeff" || list[2].Username != "root" {
			t.Fatalf("List: %v, %q, %v", list, next, err)
		}
		if diff := cmp.Diff(account.Grants{"billing": {account.Read, account.Write}}, list[1].Grants); diff != "" {
			t.Error(diff)
		}
		if at := list[2].CreatedAt; at != time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) || !list[1].CreatedAt.IsZero() {
			t.Errorf("created at %v and %v", at, list[1].CreatedAt)
		}
		if matches, err := s.CheckPassword(t.Context(), root, account.Password{Username: "jeff", Password: account.Secret(adminPassword)}); err != nil || !matches {
			t.Errorf("CheckPassword: %t, %v", matches, err)
		}
		exported, _, err := s.Export(t.Context(), root, "")
		if err != nil || len(exported) != 3 || len(exported[1].PasswordHash) == 0 {
			t.Errorf("Export: %d accounts, %v", len(exported), err)
		}
		if records, _, err := s.Records(t.Context(), account.RequestID{}); err != nil || len(records) != 0 {
			t.Errorf("Records: %v, %v", records, err)
		}
		if exists, err := s.Exists(t.Context(), "gone"); err != nil || !exists {
			t.Errorf("Exists: %t, %v", exists, err)
		}
		if _, err := s.Show(t.Context(), session(t, s, "jeff"), "root"); account.KindOf(err) != account.KindNotPermitted {
			t.Errorf("a USER's Show: %v", err)
		}
	})
	t.Run("LogsIn", func(t *testing.T) {
		s, _, log := directing(t, "file", (&people{}).is(staff()...))
		for _, c := range []struct {
			username, password string
			kind               account.Kind
		}{
			{"root", adminPassword, 0},
			{"jeff", otherPassword, account.KindNotAuthenticated},
			{"nobody", adminPassword, account.KindNotAuthenticated},
			{"gone", "", account.KindNotAuthenticated},
			{"gone", adminPassword, account.KindNotAuthenticated},
		} {
			if _, err := login(t, s, c.username, c.password); account.KindOf(err) != c.kind {
				t.Errorf("%s with %q: %v", c.username, c.password, err)
			}
		}
		if err := s.Close(); err != nil { // which waits for what a login leaves behind
			t.Error(err)
		}
		if log.String() != "" {
			t.Errorf("logins that cannot be written down are remarked on: %s", log)
		}
	})
	t.Run("ErrUnsupported", func(t *testing.T) {
		s, _, _ := directing(t, "file", (&people{}).is(staff()...))
		who := session(t, s, "root")
		in := account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: who}
		ctx, password := t.Context(), account.Secret(newPassword)
		for name, c := range map[string]struct {
			capability string
			call       func() error
		}{
			"Initialize": {account.CapabilityChange, func() error {
				_, err := s.Initialize(ctx, account.FirstAdministrator{Username: "a", Password: password, RequestID: in.RequestID})
				return err
			}},
			"Create": {account.CapabilityChange, func() error {
				_, err := s.Create(ctx, in, account.Create{Username: "a", Password: password, Role: account.User})
				return err
			}},
			"Edit": {account.CapabilityChange, func() error {
				_, err := s.Edit(ctx, in, account.Edit{Username: "jeff", Role: account.Admin})
				return err
			}},
			"Password": {account.CapabilityChange, func() error {
				_, err := s.Password(ctx, in, account.Password{Username: "jeff", Password: password})
				return err
			}},
			"Delete": {account.CapabilityChange, func() error {
				_, err := s.Delete(ctx, in, account.Delete{Username: "nobody", IfExists: true})
				return err
			}},
			"Grant": {account.CapabilityChange, func() error {
				_, err := s.Grant(ctx, in, account.Grant{Username: "jeff", Permission: account.Read, Environment: "e"})
				return err
			}},
			"Revoke": {account.CapabilityChange, func() error {
				_, err := s.Revoke(ctx, in, account.Revoke{Username: "jeff", Environment: "e"})
				return err
			}},
			"Suspend": {account.CapabilityChange, func() error { _, err := s.Suspend(ctx, in, "jeff"); return err }},
			"Enable":  {account.CapabilityChange, func() error { _, err := s.Enable(ctx, in, "jeff"); return err }},
			"Apply": {account.CapabilityApply, func() error {
				_, err := s.Apply(ctx, in, account.Desired{Username: "jeff", Role: account.Admin})
				return err
			}},
			"Plan": {account.CapabilityApply, func() error {
				_, err := s.Plan(ctx, who, account.Desired{Username: "jeff"})
				return err
			}},
			"Backup": {account.CapabilityBackup, func() error { return s.Backup(ctx, io.Discard) }},
			"Recover": {account.CapabilityRecover, func() error {
				_, err := s.Recover(ctx, account.Recovery{Username: "jeff", Password: password, RequestID: in.RequestID})
				return err
			}},
			"Restore": {account.CapabilityRestore, func() error { _, err := s.Restore(ctx, strings.NewReader("")); return err }},
		} {
			refusal, ok := errors.AsType[*account.Error](c.call())
			if !ok || refusal.Kind != account.KindUnsupported || refusal.Subject != c.capability {
				t.Errorf("%s: %+v, want Unsupported for %s", name, refusal, c.capability)
			}
		}
		if list, _, err := s.List(ctx, who, ""); err != nil || len(list) != 3 {
			t.Errorf("List: %v, %v", list, err)
		}
	})
	t.Run("SeesEveryChange", func(t *testing.T) {
		d, all := &people{}, staff()
		s, _, _ := directing(t, "file", d.is(all...))
		who := session(t, s, "jeff")
		all[1].Enabled = false
		d.is(all...)
		if _, err := login(t, s, "jeff", adminPassword); account.ReasonOf(err) != account.ReasonSuspended {
			t.Errorf("a login right after the suspension: %v", err)
		}
		if _, err := s.Sessions(t.Context(), who, nil); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("a call of a session from before: %v", err)
		}
	})
}

// Tokens outlive a restart, and end with what a directory changes.
func TestReadOnlyGenerations(t *testing.T) {
	all := staff()
	jeff := func(change func(*users.Entry)) account.Account {
		entries := slices.Clone(all)
		change(&entries[1])
		s, _, _ := directing(t, "file", (&people{}).is(entries...))
		a, err := s.Show(t.Context(), session(t, s, "root"), entries[1].Username)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := jeff(func(*users.Entry) {})
	if before.Generation == 0 || before.Generation>>63 != 0 || len(before.ID) != 32 {
		t.Errorf("generation %d of account %q", before.Generation, before.ID)
	}
	for name, c := range map[string]struct {
		change                func(*users.Entry)
		sameID, sameGeneraton bool
	}{
		"Restart":  {func(*users.Entry) {}, true, true},
		"Grants":   {func(e *users.Entry) { e.Grants = nil }, true, true},
		"Hash":     {func(e *users.Entry) { e.PasswordHash = account.Secret(anotherHash) }, true, false},
		"Role":     {func(e *users.Entry) { e.Role = account.Admin }, true, false},
		"Enabled":  {func(e *users.Entry) { e.Enabled = false }, true, false},
		"Username": {func(e *users.Entry) { e.Username = "geoff" }, false, true},
		"ID":       {func(e *users.Entry) { e.ID = "17" }, false, true},
	} {
		after := jeff(c.change)
		if (after.ID == before.ID) != c.sameID || (after.Generation == before.Generation) != c.sameGeneraton {
			t.Errorf("%s: id %q is %q, generation %d is %d", name, before.ID, after.ID, before.Generation, after.Generation)
		}
	}
	if a, b := jeff(func(e *users.Entry) { e.ID = "17" }), jeff(func(e *users.Entry) { e.ID, e.Username = "17", "geoff" }); a.ID != b.ID {
		t.Errorf("a renamed account is %q and was %q", b.ID, a.ID)
	}
	dated := func(day int) account.Generation {
		return jeff(func(e *users.Entry) {
			e.PasswordHash, e.PasswordChangedAt = nil, time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)
		}).Generation
	}
	if first, again := dated(1), dated(1); first != again || first == dated(2) {
		t.Error("without a hash the generation does not follow the time of the password")
	}
}

func TestReadOnlyNotAcceptable(t *testing.T) {
	good := staff()
	for name, c := range map[string]struct {
		bad users.Entry
		why string
	}{
		"Username":    {users.Entry{Username: "two words"}, "must not contain white space"},
		"Duplicate":   {users.Entry{Username: "ｊeff"}, "the name is another's already"}, // in its normal form
		"Role":        {users.Entry{Username: "x", Role: "GOD"}, `"GOD" is not a role`},
		"Environment": {users.Entry{Username: "x", Grants: account.Grants{"a b": {account.Read}}}, `"a b" is not an environment's name`},
		"Permission":  {users.Entry{Username: "x", Grants: account.Grants{"a": {"FLY"}}}, `"FLY" is not a permission`},
		"Hash":        {users.Entry{Username: "x", PasswordHash: account.Secret("s3cret")}, "its password hash is not: use argon2id in PHC form"},
		"CheapHash":   {users.Entry{Username: "x", PasswordHash: costing("m=7167,t=5")}, "with m times t at least 35840, since no login makes it stronger"},
		"CheapImport": {users.Entry{Username: "x", PasswordHash: imported(costing("m=8,t=1"))}, "with m times t at least 35840"},
	} {
		t.Run(name, func(t *testing.T) {
			d := (&people{}).is(append(slices.Clone(good), c.bad)...)
			s, _ := undirected(t, "file", d)
			_, err := s.Configure(t.Context(), account.Configuration{})
			if account.KindOf(err) != account.KindUnavailable || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("Configure: %v, want Unavailable because %s", err, c.why)
			}
			if d.closed != 1 {
				t.Errorf("the directory was closed %d times", d.closed)
			}
		})
	}
	t.Run("SameID", func(t *testing.T) {
		s, _ := undirected(t, "file", (&people{}).is(users.Entry{Username: "a", ID: "1"}, users.Entry{Username: "b", ID: "1"}))
		if _, err := s.Configure(t.Context(), account.Configuration{}); err == nil || !strings.Contains(err.Error(), "its id is that of 'a'") {
			t.Errorf("Configure: %v", err)
		}
	})
	t.Run("UnchangedFromTheStart", func(t *testing.T) {
		s, _ := undirected(t, "file", &people{})
		if _, err := s.Configure(t.Context(), account.Configuration{}); account.KindOf(err) != account.KindUnavailable {
			t.Errorf("Configure: %v", err)
		}
	})
	// Strangers don't learn a name from it; the log is told once; and what comes
	// next is unchanged, and still not acceptable.
	t.Run("Later", func(t *testing.T) {
		d := &people{}
		s, _, log := directing(t, "file", d.is(good...))
		d.is(append(slices.Clone(good), good[1])...)
		for range 3 {
			_, err := login(t, s, "root", adminPassword)
			if account.KindOf(err) != account.KindUnavailable || strings.Contains(err.Error(), "jeff") {
				t.Errorf("a login meanwhile: %v", err)
			}
		}
		if n := strings.Count(log.String(), "account 4 of the directory, 'jeff', is not acceptable"); n != 1 {
			t.Errorf("the log has it %d times: %s", n, log)
		}
		d.is(good...)
		session(t, s, "root")
		if !strings.Contains(log.String(), "can be read again") {
			t.Errorf("the log does not say that it is over: %s", log)
		}
	})
	t.Run("Unreachable", func(t *testing.T) {
		d := &people{}
		s, _, _ := directing(t, "file", d.is(good...))
		d.set(func(d *people) { d.failure = account.Unavailable("no server today") })
		if _, err := login(t, s, "root", adminPassword); err == nil || err.Error() != "no server today" {
			t.Errorf("a login meanwhile: %v", err)
		}
		d.set(func(d *people) { d.failure = errors.New("a cause for the log") })
		if _, err := login(t, s, "root", adminPassword); account.KindOf(err) != account.KindUnavailable || strings.Contains(err.Error(), "cause") {
			t.Errorf("a login meanwhile: %v", err)
		}
		d.set(func(d *people) { d.failure = nil })
		session(t, s, "root")
	})
}

// verifying is a Directory that verifies passwords itself.
type verifying struct {
	people
	asked []string
}

func (v *verifying) Verify(_ context.Context, username string, password account.Secret) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, username)
	if username == "broken" {
		return true, account.Unavailable("no server today")
	}
	return string(password) == adminPassword, nil // whoever it is
}

func TestVerifier(t *testing.T) {
	d := &verifying{}
	d.is(users.Entry{Username: "root", Role: account.Admin, Enabled: true}, users.Entry{Username: "broken", Enabled: true},
		users.Entry{Username: "late"})
	s, described, _ := directing(t, "ldap", d)
	if !slices.Equal(described.Capabilities, []string{account.CapabilityDurable}) {
		t.Errorf("it declares %v", described.Capabilities)
	}
	for _, c := range []struct {
		username, password string
		kind               account.Kind
		asked              bool
	}{
		{"root", adminPassword, 0, true},
		{"root", otherPassword, account.KindNotAuthenticated, true},
		{"late", adminPassword, account.KindNotPermitted, true},
		{"nobody", adminPassword, account.KindNotAuthenticated, true}, // rule 9
		{"broken", adminPassword, account.KindUnavailable, true},
		{"root", "", account.KindNotAuthenticated, false}, // to an LDAP server, no password is right
		{"root", strings.Repeat("x", account.MaxPassword+1), account.KindNotAuthenticated, false},
		{"two words", adminPassword, account.KindNotAuthenticated, false},
	} {
		d.asked = nil
		_, err := login(t, s, c.username, c.password)
		if account.KindOf(err) != c.kind || (len(d.asked) == 1) != c.asked {
			t.Errorf("%s with %d bytes: %v, asked about %q", c.username, len(c.password), err, d.asked)
		}
	}
	who := session(t, s, "root")
	if matches, err := s.CheckPassword(t.Context(), who, account.Password{Username: "late", Password: account.Secret(adminPassword)}); err != nil || !matches {
		t.Errorf("CheckPassword: %t, %v", matches, err)
	}
	if _, _, err := s.Export(t.Context(), who, ""); account.KindOf(err) != account.KindUnsupported {
		t.Errorf("Export: %v", err)
	}
	d.is(users.Entry{Username: "root", Enabled: true, PasswordHash: account.Secret(adminHash)})
	if _, err := login(t, s, "root", adminPassword); account.KindOf(err) != account.KindUnavailable {
		t.Errorf("with a hash beside a Verifier: %v", err)
	}
}
