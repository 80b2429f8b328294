package host_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestFrontTLS renews the certificate of a host that runs.
func TestFrontTLS(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, atFreePort, "client.tls.certificate: cert.pem", "client.tls.key: key.pem",
		"management.port: 0", "management.tls.certificate: cert.pem", "management.tls.key: key.pem")
	out := h.Run("", "start")
	if want := "Cannot use client.tls.certificate: "; out.Code != 2 || !strings.Contains(out.Stderr, want) {
		t.Errorf("without the files: %+v, want %q", out, want)
	}

	first := certify(t, h.Home)
	h.Start()
	early := driver.Dial(t, h.ClientAddress(), driver.Options{TLS: first})
	token, err := early.Login(hosttest.Administrator, hosttest.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Dial(t, h.ManagementAddress(), driver.Options{TLS: first, Management: true}).Login(hosttest.Administrator, hosttest.Password, ""); err != nil {
		t.Errorf("the management port: %v", err)
	}
	plain := driver.Dial(t, h.ClientAddress(), driver.Options{})
	if _, err := plain.Login(hosttest.Administrator, hosttest.Password, ""); err == nil {
		t.Error("a login without TLS is let in")
	}

	if err := os.WriteFile(filepath.Join(h.Home, "key.pem"), []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	hosttest.Await(t, "the host has seen the broken key", func() bool {
		c, err := driver.Connect(h.ClientAddress(), driver.Options{TLS: first})
		if err != nil {
			t.Fatalf("with a broken key in place: %v", err)
		}
		c.Close()
		return strings.Contains(h.Log(), "the certificate before is still in use")
	})

	second := certify(t, h.Home)
	hosttest.Await(t, "the new certificate is used", func() bool {
		c, err := driver.Connect(h.ClientAddress(), driver.Options{TLS: second})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	if c, err := driver.Connect(h.ClientAddress(), driver.Options{TLS: first}); err == nil {
		c.Close()
		t.Error("the old certificate is still used")
	}
	if err := early.Logout(token, ""); err != nil {
		t.Errorf("a connection from before: %v", err)
	}
}

// certify writes cert.pem and key.pem, for localhost, and returns what trusts them
// alone.
func certify(t *testing.T, home string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, data []byte) error {
		return os.WriteFile(filepath.Join(home, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
	}
	if err := errors.Join(write("cert.pem", "CERTIFICATE", certificate), write("key.pem", "PRIVATE KEY", private)); err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	return &tls.Config{RootCAs: trusted, ServerName: "localhost"}
}

// TestManagementPortTLS administers over TLS, with a certificate of the management
// port's own, which is renewed meanwhile.
func TestManagementPortTLS(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, atFreePort, "management.port: 0", "management.tls.certificate: cert.pem", "management.tls.key: key.pem")
	out := h.Run("", "start")
	if want := "Cannot use management.tls.certificate: "; out.Code != 2 || !strings.Contains(out.Stderr, want) {
		t.Errorf("without the files: %+v, want %q", out, want)
	}

	first := certify(t, h.Home)
	h.Start()
	enter := func(trusted *tls.Config) tool {
		t.Helper()
		d := driver.Dial(t, h.ManagementAddress(), driver.Options{Management: true, TLS: trusted})
		token, err := d.Login(hosttest.Administrator, hosttest.Password, "")
		if err != nil {
			t.Fatal(err)
		}
		return tool{d, token}
	}
	early := enter(first)
	early.do(t, "createUser", driver.Struct{1: "jeff", 2: secret, 3: "USER"})
	early.do(t, "grant", driver.Struct{1: "jeff", 2: "WRITE", 3: "e"})
	if diff := cmp.Diff(shown{account.User, true, map[string][]string{"e": {"WRITE"}}}, showOnCommandLine(t, h, "jeff")); diff != "" {
		t.Error(diff)
	}
	client, err := driver.Dial(t, h.ClientAddress(), driver.Options{}).Login("jeff", secret, "e") // whose port has none
	if err != nil || len(client) == 0 {
		t.Errorf("the client port: %v", err)
	}
	plain := driver.Dial(t, h.ManagementAddress(), driver.Options{Management: true})
	if _, err := plain.Login(hosttest.Administrator, hosttest.Password, ""); err == nil {
		t.Error("a login without TLS is let in")
	}
	stranger := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	if d, err := driver.Connect(h.ManagementAddress(), driver.Options{Management: true, TLS: stranger}); err == nil {
		d.Close()
		t.Error("the host shows a certificate that others vouch for, too")
	}

	second := certify(t, h.Home)
	hosttest.Await(t, "the new certificate is used", func() bool {
		d, err := driver.Connect(h.ManagementAddress(), driver.Options{Management: true, TLS: second})
		if err == nil {
			d.Close()
		}
		return err == nil
	})
	late := enter(second)
	late.do(t, "disableUser", driver.Struct{1: "jeff"})
	if s := showOnCommandLine(t, h, "jeff"); s.Enabled {
		t.Errorf("after the renewal: %+v", s)
	}
	early.do(t, "hasUser", driver.Struct{1: "jeff"}) // over the connection from before
	_, err = late.Call("hasUser", driver.Call{Token: early.token, Args: []driver.Arg{{ID: 1, Value: "jeff"}}})
	wantException(t, err, "SecurityException", "Invalid access token")

	early.Close()
	late.Close()
	hosttest.Await(t, "their sessions have ended", func() bool { return len(sessionsOf(t, h, hosttest.Administrator)) == 0 })
	h.Stop()
}
