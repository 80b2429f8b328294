package users_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestConfigure(t *testing.T) {
	t.Run("DescribesTheStore", func(t *testing.T) {
		store := &hooked{Store: mem.New()}
		got, err := unconfigured(t, store).Configure(t.Context(), account.Configuration{})
		if err != nil {
			t.Fatal(err)
		}
		if got.StoreID == "" {
			t.Error("the store has no id")
		}
		want := account.Description{Name: "test", Version: "1.2.3", Capabilities: []string{"change", "apply", "export", "backup", "recover"}, StoreID: got.StoreID}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		again := unconfigured(t, store)
		if _, err := again.Configure(t.Context(), account.Configuration{}); err != nil {
			t.Fatal(err)
		}
		if _, err := again.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}); err != nil {
			t.Fatal(err)
		}
		got, err = unconfigured(t, store).Configure(t.Context(), account.Configuration{})
		want.Initialized = true
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("EmptyStoresDiffer", func(t *testing.T) {
		first, err := unconfigured(t, &hooked{Store: mem.New()}).Configure(t.Context(), account.Configuration{})
		if err != nil {
			t.Fatal(err)
		}
		second, err := unconfigured(t, &hooked{Store: mem.New()}).Configure(t.Context(), account.Configuration{})
		if err != nil || first.StoreID == second.StoreID {
			t.Errorf("two stores have the id %q (%v)", first.StoreID, err)
		}
	})
	t.Run("ErrTwice", func(t *testing.T) {
		_, err := start(t).Configure(t.Context(), account.Configuration{})
		refusal(t, err, account.KindInvalid, "")
	})
	t.Run("AgainAfterARefusal", func(t *testing.T) {
		h := unconfigured(t, &hooked{Store: mem.New()})
		_, err := h.Configure(t.Context(), account.Configuration{Settings: map[string]string{"other": "x"}})
		invalid(t, err, "plugin.settings.other", "")
		if _, err := h.Configure(t.Context(), account.Configuration{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrSettings", func(t *testing.T) {
		for key, value := range map[string]string{
			"password.min_length": "2", "password.max_length": "9", "password.": "8", "unknown": "x",
			"password.min_strength": "5", "password.deny_common": "yes", "password.deny_file": "",
		} {
			h := unconfigured(t, &hooked{Store: mem.New()})
			_, err := h.Configure(t.Context(), account.Configuration{Settings: map[string]string{key: value}})
			invalid(t, err, "plugin.settings."+key, "")
		}
		for _, value := range []string{"", "many", "1025", "-8", "8.0", "99999999999999999999"} {
			h := unconfigured(t, &hooked{Store: mem.New()})
			_, err := h.Configure(t.Context(), account.Configuration{Settings: map[string]string{"password.min_length": value}})
			invalid(t, err, "plugin.settings.password.min_length", "")
		}
	})
	t.Run("KeepsTheCallersSettings", func(t *testing.T) {
		settings := map[string]string{"password.min_length": "12"}
		open(t, &hooked{Store: mem.New()}, settings)
		if len(settings) != 1 {
			t.Errorf("the caller's settings became %v", settings)
		}
	})
	t.Run("ErrNewerFormat", func(t *testing.T) {
		kept := mem.New()
		h := unconfigured(t, &hooked{Store: unclosed{kept}})
		h.put("store", map[string]any{"format": 3, "store_id": "x", "unheard_of": true})
		before := h.contents()
		_, err := h.Configure(t.Context(), account.Configuration{})
		refusal(t, err, account.KindUnsupported, "")
		if !strings.Contains(err.Error(), "format 3") {
			t.Errorf("%q does not name the format", err)
		}
		h.unchanged(before)
	})
	t.Run("ErrDamagedIdentity", func(t *testing.T) {
		for _, identity := range []any{"text", map[string]any{}, map[string]any{"format": 1}, map[string]any{"format": 1, "store_id": "x", "unheard_of": 1}} {
			h := unconfigured(t, &hooked{Store: mem.New()})
			h.put("store", identity)
			if _, err := h.Configure(t.Context(), account.Configuration{}); account.KindOf(err) != account.KindInternal {
				t.Errorf("%v: got %v, want an internal error", identity, err)
			}
		}
	})
	t.Run("ErrAccountsWithoutIdentity", func(t *testing.T) {
		h := unconfigured(t, &hooked{Store: mem.New()})
		if _, err := h.store.Update(t.Context(), func(tx users.Tx) error {
			return tx.Put(users.Key{Space: users.Accounts, Name: "stray"}, []byte("{}"))
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Configure(t.Context(), account.Configuration{}); account.KindOf(err) != account.KindInternal {
			t.Errorf("got %v, want an internal error", err)
		}
	})
	t.Run("AnotherWasFaster", func(t *testing.T) {
		store := &hooked{Store: mem.New()}
		var first account.Description
		store.beforeUpdate = func(ctx context.Context) (err error) {
			store.set(func(s *hooked) { s.beforeUpdate = nil })
			first, err = unconfigured(t, store).Configure(ctx, account.Configuration{})
			return err
		}
		second, err := unconfigured(t, store).Configure(t.Context(), account.Configuration{})
		if err != nil || second.StoreID != first.StoreID {
			t.Errorf("one store got the ids %q and %q (%v)", first.StoreID, second.StoreID, err)
		}
	})
}

func TestUnconfigured(t *testing.T) {
	calls := map[string]func(h *harness) error{
		"Initialize":   func(h *harness) error { _, err := h.Initialize(t.Context(), account.FirstAdministrator{}); return err },
		"Authenticate": func(h *harness) error { _, err := h.login("admin", adminPassword); return err },
		"Exists":       func(h *harness) error { _, err := h.Exists(t.Context(), "admin"); return err },
		"Show":         func(h *harness) error { _, err := h.Show(t.Context(), account.Caller{}, "admin"); return err },
		"List":         func(h *harness) error { _, _, err := h.List(t.Context(), account.Caller{}, ""); return err },
		"CheckPassword": func(h *harness) error {
			_, err := h.CheckPassword(t.Context(), account.Caller{}, account.Password{})
			return err
		},
		"Sessions": func(h *harness) error { _, err := h.Sessions(t.Context(), account.Caller{}, nil); return err },
		"Records":  func(h *harness) error { _, _, err := h.Records(t.Context(), account.RequestID{}); return err },
		"Plan":     func(h *harness) error { _, err := h.Plan(t.Context(), account.Caller{}, account.Desired{}); return err },
		"Export":   func(h *harness) error { _, _, err := h.Export(t.Context(), account.Caller{}, ""); return err },
		"Watch":    func(h *harness) error { return h.Watch(t.Context(), nil, nil) },
	}
	for _, v := range verbs {
		calls[string(v.name)] = func(h *harness) error { _, err := v.call(h, account.Invocation{}, "target"); return err }
	}
	for name, call := range calls {
		t.Run(name+"/ErrBeforeConfigure", func(t *testing.T) {
			refusal(t, call(unconfigured(t, &hooked{Store: mem.New()})), account.KindUnavailable, "")
		})
		t.Run(name+"/ErrAfterClose", func(t *testing.T) {
			h := open(t, &hooked{Store: mem.New()}, nil)
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			refusal(t, call(h), account.KindUnavailable, "")
		})
	}
	t.Run("Configure/ErrAfterClose", func(t *testing.T) {
		h := unconfigured(t, &hooked{Store: mem.New()})
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := h.Configure(t.Context(), account.Configuration{})
		refusal(t, err, account.KindUnavailable, "")
	})
}

func TestStoreErrors(t *testing.T) {
	broken := errors.New("the disk is on fire")
	t.Run("WrappedOnce", func(t *testing.T) {
		h := start(t)
		in := h.as("admin")
		h.store.set(func(s *hooked) { s.beforeUpdate = func(context.Context) error { return broken } })
		_, err := h.Enable(t.Context(), in, "admin")
		h.store.set(func(s *hooked) { s.beforeUpdate = nil })
		if !errors.Is(err, broken) || account.KindOf(err) != account.KindInternal || err.Error() != "enable 'admin': "+broken.Error() {
			t.Errorf("got %v", err)
		}
	})
	t.Run("AccountErrorsAsTheyAre", func(t *testing.T) {
		h := start(t)
		gone := account.Unavailable("the store's server cannot be reached")
		h.store.set(func(s *hooked) { s.beforeView = func(context.Context) error { return gone } })
		_, err := h.login("admin", adminPassword)
		h.store.set(func(s *hooked) { s.beforeView = nil })
		if err != error(gone) {
			t.Errorf("got %#v, want the store's own", err)
		}
	})
}

// unclosed is a store that others may still look into.
type unclosed struct{ users.Store }

func (unclosed) Close() error { return nil }

// put writes a Meta key.
func (h *harness) put(name string, value any) {
	h.t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.store.Update(h.t.Context(), func(tx users.Tx) error {
		return tx.Put(users.Key{Space: users.Meta, Name: name}, encoded)
	}); err != nil {
		h.t.Fatal(err)
	}
}
