package bolt_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// serve configures a Service over a file.
func serve(t testing.TB, path string) *users.Service {
	t.Helper()
	s := users.New(users.Backend{
		Name: "bolt", Version: "test",
		Open: func(ctx context.Context, _ string, _ map[string]string) (users.Store, error) {
			return bolt.Open(ctx, path, bolt.Options{})
		},
	}, hclog.NewNullLogger())
	if _, err := s.Configure(t.Context(), account.Configuration{Home: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		check(t, path)
	})
	return s
}

// TestService restores a backup of one file into another, through the logic
// that a plugin has.
func TestService(t *testing.T) {
	path := newPath(t)
	s := serve(t, path)
	password := account.Secret("correct horse battery")
	if _, err := s.Initialize(t.Context(), account.FirstAdministrator{Username: "admin", Password: password, RequestID: account.NewRequestID(time.Now())}); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	other := newPath(t)
	restored := serve(t, other)
	if got, err := restored.Restore(t.Context(), &backup); err != nil || got.Accounts != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	again := serve(t, other)
	if _, err := again.Authenticate(t.Context(), account.Credentials{Username: "admin", Password: password}); err != nil {
		t.Error(err)
	}
	r := account.Recovery{Username: "admin", Password: account.Secret("another password"), RequestID: account.NewRequestID(time.Now())}
	if c, err := again.Recover(t.Context(), r); err != nil || !c.Changed {
		t.Errorf("%+v, %v", c, err)
	}
}
