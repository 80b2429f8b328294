package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestParse(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "password"), "hunter2\nand what comes after it\n", 0o600)
	got, err := parse(home, map[string]string{
		"endpoints": " https://a:1, https://b:2 ,", "prefix": "/x/", "username": "jeff", "password_file": "password",
		"ca_file": "/etc/ca.pem", "cert_file": "tls/cert.pem", "key_file": "tls/key.pem", "dial_timeout": "7s", "request_timeout": "900ms",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := etcd.Options{
		Endpoints: []string{"https://a:1", "https://b:2"}, Prefix: "/x/", Username: "jeff", Password: account.Secret("hunter2"),
		CAFile: "/etc/ca.pem", CertFile: filepath.Join(home, "tls/cert.pem"), KeyFile: filepath.Join(home, "tls/key.pem"),
		DialTimeout: 7 * time.Second, RequestTimeout: 900 * time.Millisecond,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if string(got.Password) != "hunter2" {
		t.Error("the password is not the file's first line")
	}
}

func TestParseRefuses(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "open"), "hunter2\n", 0o640)
	write(t, filepath.Join(home, "empty"), "\nhunter2", 0o600)
	write(t, filepath.Join(home, "long"), strings.Repeat("hunter2", 1000), 0o600)
	for _, row := range []struct{ name, value, says string }{
		{"endpoint", "https://a:1", "it has endpoints, prefix"},
		{"password", "hunter2", "password_file"},
		{"prefix", "", "is empty"},
		{"username", "", "is empty"},
		{"ca_file", "", "is empty"},
		{"password_file", "", "is empty"},
		{"password_file", "missing", filepath.Join(home, "missing")},
		{"password_file", ".", "is not a file"},
		{"password_file", "open", "chmod 600"},
		{"password_file", "empty", "first line"},
		{"password_file", "long", "more than"},
		{"dial_timeout", "5", "a time from 50ms to 1m0s"},
		{"dial_timeout", "1h", "a time from"},
		{"request_timeout", "-1s", "a time from"},
		{"request_timeout", "", "a time from"},
	} {
		t.Run(row.name+"="+row.value, func(t *testing.T) {
			_, err := parse(home, map[string]string{"endpoints": "https://a:1", row.name: row.value})
			refused, ok := errors.AsType[*account.Error](err)
			if !ok || refused.Kind != account.KindInvalid || refused.Field != "plugin.settings."+row.name {
				t.Fatalf("it ended with %v, want Invalid for %s", err, row.name)
			}
			if !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q does not say %q, or says too much", err, row.says)
			}
		})
	}
}

func TestOpenRefusesNoEndpoints(t *testing.T) {
	s, err := open(t.Context(), t.TempDir(), nil)
	if s != nil || account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), "plugin.settings.endpoints") {
		t.Errorf("it ended with %v, %v, want no store and Invalid for plugin.settings.endpoints", s, err)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
