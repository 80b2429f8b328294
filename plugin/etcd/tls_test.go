package etcd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := newAuthority(t, dir, "ours"), newAuthority(t, dir, "theirs")
	serverCert, serverKey := ours.issue(t, "server", net.IPv4(127, 0, 0, 1))
	clientCert, clientKey := ours.issue(t, "client")
	own, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	c := etcdtest.StartWith(t, etcdtest.Options{
		Unsynced: true,
		Flags:    []string{"--cert-file=" + serverCert, "--key-file=" + serverKey, "--client-cert-auth", "--trusted-ca-file=" + ours.path},
		TLS:      &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{own}}, // its name is that of a socket
	})
	p := tapped(t, c.Endpoints()[0])
	options := etcd.Options{
		Endpoints: []string{p.endpoint()}, Prefix: fresh(t), RequestTimeout: impatient, DialTimeout: 5 * impatient,
		CAFile: ours.path, CertFile: clientCert, KeyFile: clientKey,
	}
	t.Run("Accepted", func(t *testing.T) {
		s := open(t, c, options)
		put(t, s, key("a"), "a")
		if got := get(t, s, key("a")); got != "a" {
			t.Errorf("it has %q", got)
		}
	})
	for name, row := range map[string]struct {
		alter func(*etcd.Options)
		says  string // nothing of a certificate that etcd refuses: it may just hang up
	}{
		"AnotherAuthority":   {func(o *etcd.Options) { o.CAFile = theirs.path }, "unknown authority"},
		"TheSystems":         {func(o *etcd.Options) { o.CAFile = ""; o.Endpoints = []string{"https://" + p.endpoint()} }, "unknown authority"},
		"NoCertificate":      {func(o *etcd.Options) { o.CertFile, o.KeyFile = "", "" }, ""},
		"AnotherCertificate": {func(o *etcd.Options) { o.CertFile, o.KeyFile = theirs.issue(t, "stranger") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := options
			row.alter(&o)
			_, err := etcd.Open(t.Context(), o)
			unavailable(t, err, p.endpoint(), row.says)
		})
	}
	t.Run("Renewed", func(t *testing.T) {
		s := open(t, c, options)
		become := func(cert, key string) {
			t.Helper()
			for to, from := range map[string]string{clientCert: cert, clientKey: key} {
				if err := os.Rename(from, to); err != nil {
					t.Fatal(err)
				}
			}
			p.cut()
		}
		become(theirs.issue(t, "stranger"))
		err := s.View(t.Context(), func(r users.Reader) error {
			_, err := r.Get(key("a"))
			return err
		})
		unavailable(t, err, p.endpoint())
		become(ours.issue(t, "renewed"))
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

func TestAuthentication(t *testing.T) {
	c := start(t, "--auth-token-ttl=1")
	prefix := fresh(t)
	root := direct(t, c)
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(root.UserAdd(ctx, "root", "for root only"))
	must(root.UserGrantRole(ctx, "root", "root"))
	must(root.UserAdd(ctx, "stranger", "hunter2"))
	must(root.UserAdd(ctx, "concourse", "hunter2"))
	must(root.RoleAdd(ctx, "accounts"))
	must(root.RoleGrantPermission(ctx, "accounts", prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.PermissionType(clientv3.PermReadWrite)))
	must(root.UserGrantRole(ctx, "concourse", "accounts"))
	must(root.AuthEnable(ctx))
	root, err := clientv3.New(clientv3.Config{Endpoints: c.Endpoints(), Username: "root", Password: "for root only", Logger: zap.NewNop()})
	must(nil, err)
	defer root.Close()

	options := etcd.Options{Endpoints: c.Endpoints(), Prefix: prefix, Username: "concourse", Password: account.Secret("hunter2")}
	for name, row := range map[string]struct {
		alter func(*etcd.Options)
		says  string
	}{
		"NoUser":        {func(o *etcd.Options) { o.Username, o.Password = "", nil }, "asks for a user"},
		"WrongPassword": {func(o *etcd.Options) { o.Password = account.Secret("hunter3") }, `the user "concourse" or its password`},
		"NoSuchUser":    {func(o *etcd.Options) { o.Username = "nobody" }, `the user "nobody" or its password`},
		"NotPermitted":  {func(o *etcd.Options) { o.Username = "stranger" }, "grant-permission ROLE --prefix readwrite " + prefix},
		"WiderPrefix":   {func(o *etcd.Options) { o.Prefix = "/" }, "grant-permission"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options
			row.alter(&o)
			_, err := etcd.Open(t.Context(), o)
			if account.KindOf(err) != account.KindInvalid || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("it ended with %v, want Invalid that says %q", err, row.says)
			}
		})
	}
	s := open(t, c, options)
	t.Run("Expired", func(t *testing.T) { // the token; its lifetime is 1 s
		w := watch(t, s)
		for i := range 3 {
			time.Sleep(1500 * time.Millisecond)
			at := put(t, s, key("a"), strings.Repeat("a", i+1))
			if e := next(t, w); e.Revision != at {
				t.Errorf("the stream is at %d, want %d", e.Revision, at)
			}
		}
	})
	t.Run("Revoked", func(t *testing.T) {
		must(root.UserRevokeRole(ctx, "concourse", "accounts"))
		defer func() { must(root.UserGrantRole(ctx, "concourse", "accounts")) }()
		_, _, err := count(t.Context(), s, nil)
		unavailable(t, err, "grant-permission")
		_, err = s.Update(t.Context(), func(tx users.Tx) error { return tx.Put(key("b"), nil) })
		unavailable(t, err, "grant-permission")
	})
	t.Run("PasswordChanged", func(t *testing.T) {
		must(root.UserChangePassword(ctx, "concourse", "hunter4"))
		time.Sleep(1500 * time.Millisecond)
		_, _, err := count(t.Context(), s, nil)
		unavailable(t, err, "its password")
		must(root.UserChangePassword(ctx, "concourse", "hunter2"))
		eventually(t, "it can be written again", func() bool {
			_, _, err := count(t.Context(), s, nil)
			return err == nil
		})
	})
}

// authority vouches for certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	path string // of the certificate
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{dir: dir, path: filepath.Join(dir, name+".pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, a.path, "CERTIFICATE", der)
	return a
}

// issue makes a certificate, of a server if it has addresses: etcd holds a
// client against those in its own.
func (a *authority) issue(t *testing.T, name string, of ...net.IP) (certPath, keyPath string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: of,
	}, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(a.dir, name+"-"+serial.String())
	write(t, base+".pem", "CERTIFICATE", der)
	write(t, base+".key", "PRIVATE KEY", private)
	return base + ".pem", base + ".key"
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
