package etcd_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestOpenRefuses(t *testing.T) {
	https := []string{"https://etcd:2379"}
	for _, row := range []struct {
		name    string
		options etcd.Options
		setting string
		says    string
	}{
		{"NoEndpoints", etcd.Options{}, "endpoints", "required"},
		{"NoPort", etcd.Options{Endpoints: []string{"etcd"}}, "endpoints", "no host and port"},
		{"NoHost", etcd.Options{Endpoints: []string{":2379"}}, "endpoints", "no host and port"},
		{"AnotherScheme", etcd.Options{Endpoints: []string{"ftp://etcd:2379"}}, "endpoints", "neither http nor https"},
		{"APath", etcd.Options{Endpoints: []string{"http://etcd:2379/v3"}}, "endpoints", "more than a host"},
		{"AUser", etcd.Options{Endpoints: []string{"http://jeff:hunter2@etcd:2379"}}, "endpoints", "no user"},
		{"AUserAndAPercent", etcd.Options{Endpoints: []string{"https://jeff:hunter%2@etcd:2379"}}, "endpoints", "no user"},
		{"AUserAndAHash", etcd.Options{Endpoints: []string{"jeff:hunter#2@etcd:2379"}}, "endpoints", "no user"},
		{"AUserAndASlash", etcd.Options{Endpoints: []string{"http:/jeff:hunter2@etcd:2379"}}, "endpoints", "no user"},
		{"Unreadable", etcd.Options{Endpoints: []string{"http://etcd:x"}}, "endpoints", "cannot be read"},
		{"Mixed", etcd.Options{Endpoints: []string{"http://a:1", "https://b:1"}}, "endpoints", "not both"},
		{"CertificateWithoutTLS", etcd.Options{Endpoints: []string{"http://a:1"}, CAFile: "x"}, "endpoints", "is not https"},
		{"Spaces", etcd.Options{Endpoints: https, Prefix: "/a b"}, "prefix", "white space"},
		{"LongPrefix", etcd.Options{Endpoints: https, Prefix: strings.Repeat("x", 300)}, "prefix", "at most"},
		{"PasswordAlone", etcd.Options{Endpoints: https, Password: account.Secret("hunter2")}, "username", "no name"},
		{"UsernameAlone", etcd.Options{Endpoints: https, Username: "jeff"}, "password_file", "no password"},
		{"KeyAlone", etcd.Options{Endpoints: https, KeyFile: "x"}, "cert_file", "go together"},
		{"NoCAFile", etcd.Options{Endpoints: https, CAFile: "/nowhere/ca.pem"}, "ca_file", "/nowhere/ca.pem"},
		{"NoCA", etcd.Options{Endpoints: https, CAFile: "open_test.go"}, "ca_file", "no certificate"},
		{"NoCertificate", etcd.Options{Endpoints: https, CertFile: "open_test.go", KeyFile: "open_test.go"}, "cert_file", "cannot be used"},
		{"DialTimeout", etcd.Options{Endpoints: https, DialTimeout: -1}, "dial_timeout", "no time"},
		{"RequestTimeout", etcd.Options{Endpoints: https, RequestTimeout: -1}, "request_timeout", "no time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := etcd.Open(t.Context(), row.options)
			refused, ok := errors.AsType[*account.Error](err)
			if !ok || refused.Kind != account.KindInvalid || refused.Field != "plugin.settings."+row.setting {
				t.Fatalf("it ended with %v, want Invalid for %s", err, row.setting)
			}
			if !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q does not say %q, or says too much", err, row.says)
			}
		})
	}
}

func TestOpenUnavailable(t *testing.T) {
	c := start(t)
	t.Run("NobodyListens", func(t *testing.T) {
		p := tapped(t, c.Endpoints()[0])
		p.listener.Close()
		_, err := etcd.Open(t.Context(), etcd.Options{
			Endpoints: []string{p.endpoint()}, DialTimeout: impatient,
			Username: "jeff", Password: account.Secret("hunter2"),
		})
		unavailable(t, err, p.endpoint(), "connection refused")
	})
	t.Run("NobodyAnswers", func(t *testing.T) {
		endpoint := silent(t)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := etcd.Open(ctx, etcd.Options{Endpoints: []string{endpoint}})
		unavailable(t, err, endpoint, "no answer in time")
		if ctx.Err() != nil {
			t.Error("the caller's time was over before it heard why")
		}
	})
	t.Run("OneOfThree", func(t *testing.T) { // suffices
		down := tapped(t, c.Endpoints()[0])
		down.listener.Close()
		s := open(t, c, etcd.Options{Endpoints: []string{down.endpoint(), silent(t), c.Endpoints()[0]}, RequestTimeout: impatient})
		for range 10 {
			put(t, s, key("a"), "a")
		}
	})
	t.Run("Later", func(t *testing.T) {
		p := tapped(t, c.Endpoints()[0])
		s := open(t, c, etcd.Options{Endpoints: []string{p.endpoint()}, RequestTimeout: impatient})
		put(t, s, key("a"), "a")
		p.refuse(true)
		p.cut()
		err := s.View(t.Context(), func(r users.Reader) error {
			_, err := r.Get(key("a"))
			return err
		})
		unavailable(t, err, p.endpoint())
		unavailable(t, s.View(t.Context(), func(r users.Reader) error {
			r.Revision()
			return nil
		}), p.endpoint())
		_, _, err = count(t.Context(), s, nil)
		unavailable(t, err, p.endpoint())
		_, err = s.Watch(t.Context())
		unavailable(t, err, p.endpoint())
		p.refuse(false)
		eventually(t, "it can be read again", func() bool {
			return s.View(t.Context(), func(r users.Reader) error {
				got, err := r.Get(key("a"))
				if err == nil && string(got) != "a" {
					t.Errorf("after that it has %q", got)
				}
				return err
			}) == nil
		})
	})
}

// silent is an address that takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func unavailable(t *testing.T, err error, says ...string) {
	t.Helper()
	if account.KindOf(err) != account.KindUnavailable {
		t.Errorf("it ended with %v, want Unavailable", err)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q does not say %q, or says too much", err, s)
		}
	}
}
