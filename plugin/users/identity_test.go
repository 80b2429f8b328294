package users_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/shared/account"
)

// A store of the first format is opened, marked as one of ours, and keeps
// everything else.
func TestFormat(t *testing.T) {
	kept := mem.New()
	h := open(t, &hooked{Store: unclosed{kept}}, nil)
	first := account.FirstAdministrator{Username: "admin", Password: account.Secret(adminPassword), RequestID: account.NewRequestID(time.Now())}
	if _, err := h.Initialize(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	want := h.contents()
	var is map[string]any
	if err := json.Unmarshal([]byte(want["meta/store"]), &is); err != nil || is["format"] != 2.0 {
		t.Fatalf("a new store is %v, %v", is, err)
	}
	is["format"] = 1
	h.put("store", is)

	for range 2 {
		h = open(t, &hooked{Store: unclosed{kept}}, nil)
		if diff := cmp.Diff(want, h.contents()); diff != "" {
			t.Errorf("(-of this format +raised):\n%s", diff)
		}
	}
	if _, err := h.probe("admin", adminPassword); err != nil {
		t.Error(err)
	}
	at := h.revision()
	if again := open(t, &hooked{Store: unclosed{kept}}, nil); again.revision() != at {
		t.Error("a store of this format was written to")
	}
}
