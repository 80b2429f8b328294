package users_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// fixture is what the store of a populated harness holds, and its admin.
type fixture struct {
	contents map[string]string // by "space/name"
	header   backup.Header
	admin    account.Caller
}

func newFixture(t *testing.T) *fixture {
	h := populated(t)
	s, err := backup.Verify(t.Context(), bytes.NewReader(h.backup()))
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{h.contents(), s.Header, h.caller("admin")}
}

// fixtures makes one, for all inputs.
func fixtures() func(*testing.T) *fixture {
	var once sync.Once
	var made *fixture
	return func(t *testing.T) *fixture {
		once.Do(func() { made = newFixture(t) })
		return made
	}
}

// values are what may stand in a store, by "space/name", good and bad.
var values = map[string][]string{
	"accounts/jeff": {
		`{"id":"0123456789abcdef0123456789abcdef","generation":3,"role":"USER","enabled":true,"hash":"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw","grants":{"default":["READ"]},"created_at":"2026-11-02T12:00:00Z","password_changed_at":"2026-11-02T12:00:00Z"}`,
		`null`, `{}`, `[]`, `{"id":"x","role":"GOD","enabled":true,"hash":"$argon2id$","grants":{"\u202e":["SUDO"],"a":null}}`, `{"id":"1","newer":true}`, `{"id":"1"}{"id":"2"}`, "\xff", "",
		`{"generation":18446744073709551615,"role":"ADMIN","enabled":true}`, `{"created_at":"9999-12-31T23:59:59.999999999+23:59"}`, `{"hash":"$argon2id-sha512$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw"}`,
	},
	"accounts/\xff\xfe":         {`{"id":"2","role":"USER","enabled":true}`},
	"accounts/\u202enimda":      {`{"id":"2","role":"ADMIN","enabled":true}`},
	"meta/admins":               {`0`, `-1`, `1e3`, `"2"`, `9223372036854775807`},
	"meta/store":                {`{"format":1,"store_id":"s","created_at":"2026-11-02T12:00:00Z"}`, `{"format":3}`, `{"format":2,"store_id":""}`, `{}`, `x`},
	"meta/initialized":          {`{}`, `{"at":1}`},
	"requests/not an id":        {`{}`},
	"requests/\x00":             {`{"verb":"create","target":"\u001b[31m"}`},
	"signins/0123456789abcdef0": {`{"at":"0001-01-01T00:00:00Z"}`, `{}`},
	"nowhere/x":                 {`1`},
}

func addValues(f *testing.F) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		space, name, _ := strings.Cut(key, "/")
		for _, value := range values[key] {
			f.Add(space, name, []byte(value))
		}
	}
}

// affordable reports whether a login with what the value says is one that a test
// can wait for: a store may name a hash of up to 1 GiB.
func affordable(value []byte) bool {
	var v struct {
		Hash string `json:"hash"`
	}
	if json.NewDecoder(bytes.NewReader(value)).Decode(&v) != nil || v.Hash == "" {
		return true
	}
	var memory, passes, lanes int
	_, params, _ := strings.Cut(v.Hash, "$v=19$")
	n, _ := fmt.Sscanf(params, "m=%d,t=%d,p=%d$", &memory, &passes, &lanes)
	return n == 3 && memory <= 1024 && passes <= 3 && lanes <= 4
}

// FuzzStoredValue has somebody who can write to the store put whatever there is
// under any key: every call is answered or refused, in bounded time, without a
// panic, and no hash gets into an error or the log (rule 9).
func FuzzStoredValue(f *testing.F) {
	addValues(f)
	fixture := fixtures()
	f.Fuzz(func(t *testing.T, space, name string, value []byte) {
		if !affordable(value) {
			return
		}
		from := fixture(t)
		store := mem.New()
		if _, err := store.Update(t.Context(), func(tx users.Tx) error {
			for key, value := range from.contents {
				space, name, _ := strings.Cut(key, "/")
				if err := tx.Put(users.Key{Space: users.Space(space), Name: name}, []byte(value)); err != nil {
					return err
				}
			}
			return tx.Put(users.Key{Space: users.Space(space), Name: name}, append([]byte{}, value...))
		}); err != nil {
			return // not a key
		}
		log := &syncBuffer{}
		s := users.New(users.Backend{Name: "test", Open: func(context.Context, string, map[string]string) (users.Store, error) {
			return store, nil
		}}, hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}))
		s.SetCost(64, 1)
		defer s.Close()
		_, err := s.Configure(t.Context(), account.Configuration{})
		said := []error{err}
		if err == nil {
			said = everything(t, s, from.admin, name)
		}
		for _, err := range said {
			if err != nil && strings.Contains(err.Error(), "$argon2id") {
				t.Errorf("a hash is told: %v", err)
			}
		}
		if text := log.String(); strings.Contains(text, "$argon2id") {
			t.Errorf("a hash is logged: %s", text)
		}
	})
}

// everything asks for what may be asked of the account jeff, and of the name.
func everything(t *testing.T, s *users.Service, admin account.Caller, name string) (said []error) {
	ctx := t.Context()
	as := func() account.Invocation {
		return account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: admin, Host: "h"}
	}
	says := func(_ any, err error) { said = append(said, err) }
	paged := func(_ any, _ any, err error) { said = append(said, err) }
	for _, who := range []string{"jeff", name} {
		says(s.Authenticate(ctx, account.Credentials{Username: who, Password: account.Secret("wrong"), Listener: account.ClientListener}))
		says(s.Exists(ctx, who))
		says(s.Show(ctx, admin, who))
		says(s.CheckPassword(ctx, admin, account.Password{Username: who, Password: account.Secret("wrong")}))
		says(s.Plan(ctx, admin, account.Desired{Username: who, Grants: account.Grants{}}))
		says(s.Apply(ctx, as(), account.Desired{Username: who, Role: account.User}))
		says(s.Grant(ctx, as(), account.Grant{Username: who, Permission: account.Read, Environment: "prod"}))
		says(s.Revoke(ctx, as(), account.Revoke{Username: who, Environment: "prod"}))
		says(s.Edit(ctx, as(), account.Edit{Username: who, Role: account.Admin}))
		says(s.Suspend(ctx, as(), who))
		says(s.Enable(ctx, as(), who))
	}
	paged(s.List(ctx, admin, ""))
	paged(s.Export(ctx, admin, ""))
	paged(s.Records(ctx, account.RequestID{}))
	said = append(said, s.Backup(ctx, &bytes.Buffer{}))
	requests := make(chan account.WatchRequest, 2)
	requests <- account.WatchRequest{Read: []string{"jeff", name}}
	requests <- account.WatchRequest{Heartbeat: 1}
	close(requests)
	said = append(said, s.Watch(ctx, requests, func(account.WatchEvent) error { return nil }))
	says(s.Delete(ctx, as(), account.Delete{Username: "jeff"}))
	return said
}

// FuzzRestore puts whatever there is into a backup that is whole in all else:
// either it is refused and the store stays as it was, or the store has a use.
func FuzzRestore(f *testing.F) {
	addValues(f)
	fixture := fixtures()
	f.Fuzz(func(t *testing.T, space, name string, value []byte) {
		from := fixture(t)
		all := maps.Clone(from.contents)
		all[space+"/"+name] = string(value)
		var b bytes.Buffer
		w, err := backup.NewWriter(&b, from.header)
		accounts := uint64(0)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			space, name, _ := strings.Cut(key, "/")
			if space == "accounts" {
				accounts++
			}
			if err == nil {
				err = w.Put(backup.Entry{Space: space, Name: name, Value: []byte(all[key])})
			}
		}
		if err == nil {
			err = w.Close(accounts)
		}
		if err != nil {
			return // not a backup
		}
		store := lasting{mem.New()}
		s, _ := serve(t, store)
		before := contentsOf(t, store)
		if _, err := s.Restore(t.Context(), &b); err != nil {
			if k := account.KindOf(err); k != account.KindInvalid && k != account.KindUnsupported {
				t.Errorf("it is refused with %v: %v", k, err)
			}
			if strings.Contains(err.Error(), "$argon2id") {
				t.Errorf("a hash is told: %v", err)
			}
			if after := contentsOf(t, store); !maps.Equal(before, after) {
				t.Errorf("it is refused with %v, and the store has become %q", err, after)
			}
			return
		}
		again, d := serve(t, store)
		if !d.Initialized {
			t.Error("the store is not initialised")
		}
		h := &harness{Service: again, t: t, store: &hooked{Store: store}}
		h.checkAdmins()
		admin := "admin"
		if !h.kept(admin).Enabled || h.kept(admin).Role != account.Admin { // it is the one that was replaced
			return
		}
		page, _, err := again.List(t.Context(), h.caller(admin), "")
		if err != nil || uint64(len(page)) != accounts {
			t.Errorf("%d accounts are listed, %v", len(page), err)
		}
		for _, a := range page {
			if shown, err := again.Show(t.Context(), h.caller(admin), a.Username); err != nil || shown.ID != a.ID {
				t.Errorf("%q cannot be shown: %v", a.Username, err)
			}
		}
		if _, err := backup.Verify(t.Context(), bytes.NewReader(h.backup())); err != nil {
			t.Errorf("what was restored cannot be backed up: %v", err)
		}
	})
}
