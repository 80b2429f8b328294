package users_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// lasting is a Replacer that outlives its Service.
type lasting struct{ *mem.Store }

func (lasting) Close() error { return nil }

// serve configures a Service over the store.
func serve(t *testing.T, store users.Store) (*users.Service, account.Description) {
	t.Helper()
	s := users.New(users.Backend{
		Name: "test", Version: "1.2.3",
		Open: func(context.Context, string, map[string]string) (users.Store, error) { return store, nil },
	}, quiet())
	s.SetCost(64, 1)
	d, err := s.Configure(t.Context(), account.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, d
}

func contentsOf(t *testing.T, store users.Store) map[string]string {
	t.Helper()
	return (&harness{t: t, store: &hooked{Store: store}}).contents()
}

func TestRestore(t *testing.T) {
	t.Run("RoundTrip", func(t *testing.T) {
		h := populated(t)
		id := account.NewRequestID(time.Now())
		done := h.as("admin")
		done.RequestID = id
		h.must(h.Enable(t.Context(), done, "root"))
		data, before := h.backup(), h.contents()

		store := lasting{mem.New()}
		s, empty := serve(t, store)
		got, err := s.Restore(t.Context(), bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		summary, err := backup.Verify(t.Context(), bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if got.Accounts != 4 || !got.TakenAt.Equal(summary.TakenAt) || got.StoreID == summary.StoreID || got.StoreID == empty.StoreID {
			t.Errorf("it says %+v", got)
		}
		after := contentsOf(t, store)
		delete(before, "meta/store")
		delete(after, "meta/store")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the store differs from the one that was backed up: %s", diff)
		}

		again, d := serve(t, store)
		if d.StoreID != got.StoreID || !d.Initialized {
			t.Errorf("the store says %+v", d)
		}
		restored := &harness{Service: again, t: t, store: &hooked{Store: store}}
		if _, err := restored.login("jeff", newPassword); err != nil {
			t.Errorf("an account cannot log in: %v", err)
		}
		_, err = restored.login("Zoë", newPassword)
		refusal(t, err, account.KindNotPermitted, account.ReasonSuspended)
		if c := restored.must(again.Enable(t.Context(), done, "root")); !c.Repeated {
			t.Error("what the backup holds a record of was carried out again")
		}
		restored.checkAdmins()
	})
	t.Run("ForgetsWhatCameAfter", func(t *testing.T) {
		store := lasting{mem.New()}
		s, _ := serve(t, store)
		if _, err := s.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		h := &harness{Service: s, t: t, store: &hooked{Store: store}}
		h.create("jeff", account.User)
		data := h.backup()
		later := h.as("admin")
		h.must(s.Suspend(t.Context(), later, "jeff"))
		h.create("late", account.User)
		if _, err := s.Restore(t.Context(), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		again, _ := serve(t, store)
		h.Service = again
		if all := h.all(); len(all) != 2 || !all["jeff"].Enabled {
			t.Errorf("the store has %+v", all)
		}
		if c := h.must(again.Suspend(t.Context(), later, "jeff")); c.Repeated || !c.Changed {
			t.Errorf("a change from after the backup is answered as done: %+v", c)
		}
	})
	t.Run("OfAnEarlierFormat", func(t *testing.T) {
		data := forged(t, func(h *backup.Header, all map[string]any) {
			h.Format = 1
			all["meta/store"].(map[string]any)["format"] = 1
		})
		store := lasting{mem.New()}
		s, _ := serve(t, store)
		if _, err := s.Restore(t.Context(), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		fresh := lasting{mem.New()}
		serve(t, fresh)
		if got, want := formatOf(t, store), formatOf(t, fresh); got != want {
			t.Errorf("the restored store has format %v, an empty one %v", got, want)
		}
	})
	t.Run("OfAHashThatWasGiven", func(t *testing.T) { // and a record, of which other tests spoil a part
		data := forged(t, func(h *backup.Header, all map[string]any) {
			recorded("verb", "grant")(h, all)
			all["accounts/jeff"].(map[string]any)["hash"] = argon2idOf(256<<10, 3)
		})
		s, _ := serve(t, lasting{mem.New()})
		if got, err := s.Restore(t.Context(), bytes.NewReader(data)); err != nil || got.Accounts != 4 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("OnlyCloseMayFollow", func(t *testing.T) {
		for name, data := range map[string][]byte{"Done": forged(t, nil), "Failed": []byte("not a backup")} {
			s, _ := serve(t, lasting{mem.New()})
			s.Restore(t.Context(), bytes.NewReader(data))
			_, _, err := s.Records(t.Context(), account.RequestID{})
			refusal(t, err, account.KindUnavailable, "")
			_, err = s.Restore(t.Context(), bytes.NewReader(data))
			refusal(t, err, account.KindUnavailable, "")
			if err := s.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("ErrUnsupported", func(t *testing.T) {
		h := populated(t)
		before := h.contents()
		_, err := h.Restore(t.Context(), bytes.NewReader(h.backup()))
		refusal(t, err, account.KindUnsupported, "")
		h.unchanged(before)
		h.create("later", account.User)
	})
	t.Run("ErrNotConfigured", func(t *testing.T) {
		_, err := unconfigured(t, &hooked{Store: mem.New()}).Restore(t.Context(), bytes.NewReader(nil))
		refusal(t, err, account.KindUnavailable, "")
	})
}

func formatOf(t *testing.T, store users.Store) any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(contentsOf(t, store)["meta/store"]), &v); err != nil {
		t.Fatal(err)
	}
	return v["format"]
}

// forged returns a backup of a populated store that was changed by somebody who
// can make one that is whole.
func forged(t *testing.T, change func(h *backup.Header, all map[string]any)) []byte {
	t.Helper()
	h := populated(t)
	s, err := backup.Verify(t.Context(), bytes.NewReader(h.backup()))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for key, text := range h.contents() {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		all[key] = v
	}
	if change != nil {
		change(&s.Header, all)
	}
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, s.Header)
	if err != nil {
		t.Fatal(err)
	}
	accounts := uint64(0)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		space, name, _ := strings.Cut(key, "/")
		if space == "accounts" {
			accounts++
		}
		value, err := json.Marshal(all[key])
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Put(backup.Entry{Space: space, Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(accounts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRestoreErrContents(t *testing.T) {
	jeff := func(field string, value any) func(*backup.Header, map[string]any) {
		return func(_ *backup.Header, all map[string]any) { all["accounts/jeff"].(map[string]any)[field] = value }
	}
	set := func(key string, value any) func(*backup.Header, map[string]any) {
		return func(_ *backup.Header, all map[string]any) {
			if all[key] = value; value == nil {
				delete(all, key)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*backup.Header, map[string]any)
		kind   account.Kind
		says   string
	}{
		"NewerFormat":       {func(h *backup.Header, _ map[string]any) { h.Format = 99 }, account.KindUnsupported, "format 99"},
		"AnotherStore":      {func(h *backup.Header, _ map[string]any) { h.StoreID = "other" }, account.KindInvalid, "first line"},
		"AnotherFormat":     {func(h *backup.Header, _ map[string]any) { h.Format = 1 }, account.KindInvalid, "first line"},
		"UnheardOfSpace":    {set("other/x", 1), account.KindInvalid, `"other"`},
		"UnheardOfMeta":     {set("meta/x", 1), account.KindInvalid, `"x" in meta`},
		"NoIdentity":        {set("meta/store", nil), account.KindInvalid, "first line"},
		"NoMarker":          {set("meta/initialized", nil), account.KindInvalid, "marker"},
		"NoCounter":         {set("meta/admins", nil), account.KindInvalid, "counts 0"},
		"WrongCounter":      {set("meta/admins", 2), account.KindInvalid, "counts 2"},
		"NoADMIN":           {set("accounts/admin", nil), account.KindInvalid, "no enabled ADMIN"},
		"UnheardOfField":    {jeff("unheard_of", 1), account.KindInvalid, `"jeff" in accounts`},
		"Hash":              {jeff("hash", "$md5$secret"), account.KindInvalid, "hash"},
		"NoHash":            {jeff("hash", ""), account.KindInvalid, "hash"},
		"CostlyHash":        {jeff("hash", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHRzYWx0$c2VjcmV0c2VjcmV0c2VjcmV0"), account.KindInvalid, "hash"},
		"Role":              {jeff("role", "KING"), account.KindInvalid, "role"},
		"ID":                {jeff("id", "1"), account.KindInvalid, "account id"},
		"Generation":        {jeff("generation", 0), account.KindInvalid, "generation"},
		"Time":              {jeff("created_at", "0001-01-01T00:00:00Z"), account.KindInvalid, "time"},
		"Environment":       {jeff("grants", map[string]any{"a b": []string{"READ"}}), account.KindInvalid, "a b"},
		"Permission":        {jeff("grants", map[string]any{"a": []string{"OWN"}}), account.KindInvalid, "OWN"},
		"PermissionsOrder":  {jeff("grants", map[string]any{"a": []string{"WRITE", "READ"}}), account.KindInvalid, "form"},
		"NoPermissions":     {jeff("grants", map[string]any{"a": []string{}}), account.KindInvalid, "form"},
		"Username":          {set("accounts/a b", map[string]any{}), account.KindInvalid, "normal form"},
		"UsernameForm":      {set("accounts/Zoe\u0308", map[string]any{}), account.KindInvalid, "normal form"},
		"RequestID":         {set("requests/x", map[string]any{}), account.KindInvalid, `"x" in requests`},
		"SignInOfNobody":    {set("signins/jeff", map[string]any{"at": time.Now()}), account.KindInvalid, "account id"},
		"SignIn":            {set("signins/"+strings.Repeat("0", 32), "yesterday"), account.KindInvalid, "signins"},
		"LongName":          {set("requests/"+strings.Repeat("n", 256), 1), account.KindInvalid, "256 bytes"},
		"TooManyGrants":     {jeff("grants", environments(1025)), account.KindInvalid, "1024"},
		"CostlierThanGiven": {jeff("hash", argon2idOf(256<<10, 4)), account.KindInvalid, "hash"},
		"LastGeneration":    {jeff("generation", json.Number("18446744073709551615")), account.KindInvalid, "generation"},
		"TwoOfOneID": {func(_ *backup.Header, all map[string]any) {
			all["accounts/jeff"].(map[string]any)["id"] = all["accounts/admin"].(map[string]any)["id"]
		}, account.KindInvalid, "id of another"},
		"NullMarker":        {set("meta/initialized", json.RawMessage("null")), account.KindInvalid, "null"},
		"EmptyMarker":       {set("meta/initialized", map[string]any{}), account.KindInvalid, "time"},
		"NullAccount":       {set("accounts/jeff", json.RawMessage("null")), account.KindInvalid, "null"},
		"NullRecord":        {set("requests/"+someRequest, json.RawMessage("null")), account.KindInvalid, "null"},
		"RecordOfNoVerb":    {recorded("verb", ""), account.KindInvalid, "verb"},
		"RecordOfNoTarget":  {recorded("target", ""), account.KindInvalid, "username"},
		"RecordOfNoTime":    {recorded("at", time.Time{}), account.KindInvalid, "time"},
		"RecordOfLongHost":  {recorded("host", strings.Repeat("h", 256)), account.KindInvalid, "host"},
		"RecordOfNobody":    {recorded("caller", "jeff"), account.KindInvalid, "caller"},
		"SignInOfNoTime":    {set("signins/"+strings.Repeat("0", 32), map[string]any{}), account.KindInvalid, "time"},
		"NotAnAccountAtAll": {set("accounts/jeff", []int{1}), account.KindInvalid, `"jeff" in accounts`},
	} {
		t.Run(name, func(t *testing.T) {
			store := lasting{mem.New()}
			s, _ := serve(t, store)
			before := contentsOf(t, store)
			_, err := s.Restore(t.Context(), bytes.NewReader(forged(t, c.change)))
			refusal(t, err, c.kind, "")
			if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("it says %q, want %q", err, c.says)
			}
			if diff := cmp.Diff(before, contentsOf(t, store)); diff != "" {
				t.Errorf("the store changed: %s", diff)
			}
		})
	}
	t.Run("Damaged", func(t *testing.T) {
		whole := forged(t, nil)
		for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
			store := lasting{mem.New()}
			s, _ := serve(t, store)
			before := contentsOf(t, store)
			_, err := s.Restore(t.Context(), bytes.NewReader(whole[:n]))
			invalid(t, err, "backup", "")
			if diff := cmp.Diff(before, contentsOf(t, store)); diff != "" {
				t.Errorf("the store changed: %s", diff)
			}
		}
	})
}

var someRequest = account.NewRequestID(time.Now()).String()

// recorded adds a request record that is good but for one field.
func recorded(field string, value any) func(*backup.Header, map[string]any) {
	return func(_ *backup.Header, all map[string]any) {
		r := map[string]any{
			"host": "h", "caller": strings.Repeat("0", 32), "caller_name": "admin", "verb": "grant",
			"target": "jeff", "changed": true, "at": time.Now(),
		}
		r[field] = value
		all["requests/"+someRequest] = r
	}
}

func argon2idOf(memory, passes int) string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", memory, passes, strings.Repeat("c2Fs", 6), strings.Repeat("c2Fs", 12))
}

func environments(n int) map[string]any {
	all := map[string]any{}
	for i := range n {
		all[fmt.Sprint("e", i)] = []string{"READ"}
	}
	return all
}
