package thrift_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
)

// files are a certificate and its key.
type files struct {
	certificate, key string
	trusted          *x509.CertPool
	loaded           *thrift.Certificate

	mu       sync.Mutex
	warnings []string
}

func (f *files) warn(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.warnings = append(f.warnings, err.Error())
}

func (f *files) warned() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.warnings
}

// pair makes a certificate of that number and its key, and trusts it.
func (f *files) pair(t *testing.T, number int64) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	f.trusted.AppendCertsFromPEM(certificate)
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func (f *files) write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secure opens a client port with the certificate 1.
func secure(t *testing.T) (*port, *files) {
	t.Helper()
	f, withTLS := certified(t)
	return open(t, withTLS, func(o *thrift.Options) { o.FirstByte = 5 * time.Second }), f
}

// certified makes the certificate 1, for a port that has TLS.
func certified(t *testing.T) (*files, func(*thrift.Options)) {
	t.Helper()
	dir := t.TempDir()
	f := &files{certificate: filepath.Join(dir, "c.pem"), key: filepath.Join(dir, "k.pem"), trusted: x509.NewCertPool()}
	certificate, key := f.pair(t, 1)
	f.write(t, f.certificate, certificate)
	f.write(t, f.key, key)
	var err error
	if f.loaded, err = thrift.LoadCertificate(f.certificate, f.key, f.warn); err != nil {
		t.Fatal(err)
	}
	return f, func(o *thrift.Options) { o.Certificate = f.loaded }
}

// number returns the number of the certificate that a new connection is shown.
func (f *files) number(t *testing.T, p *port) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", p.address, &tls.Config{RootCAs: f.trusted.Clone()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestCertificate(t *testing.T) {
	p, f := secure(t)
	d := driver.Dial(t, p.address, driver.Options{TLS: &tls.Config{RootCAs: f.trusted}})
	token, err := d.Login("ann", right, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Logout(token, ""); err != nil {
		t.Error(err)
	}
	if _, err := tls.Dial("tcp", p.address, &tls.Config{RootCAs: f.trusted, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("a handshake of TLS 1.1 succeeds")
	}
	plain := request(t, "core:login", driver.Call{})
	d = p.dial(t, driver.Bare)
	d.Send(plain)
	if reply, err := d.Receive(); err == nil {
		t.Errorf("without TLS: %+v", reply)
	}
	silent, err := net.Dial("tcp", p.address) // shakes no hands
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silent.SetReadDeadline(time.Now().Add(patience))
	if _, err := silent.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("a connection without a handshake: %v", err)
	}
}

func TestCertificate_Reloaded(t *testing.T) {
	t.Parallel()
	p, f := secure(t)
	before := driver.Dial(t, p.address, driver.Options{TLS: &tls.Config{RootCAs: f.trusted.Clone()}})
	token, err := before.Login("ann", right, "")
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := f.pair(t, 2)

	f.write(t, f.certificate, certificate[:len(certificate)/2])
	await(t, "half a certificate is noticed", func() bool { return f.number(t, p) == 1 && len(f.warned()) == 1 })
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if n := f.number(t, p); n != 1 {
			t.Fatalf("with half a certificate, number %d is shown", n)
		}
	}
	if warned := f.warned(); len(warned) != 1 || !strings.Contains(warned[0], f.certificate) {
		t.Errorf("warnings: %q", warned)
	}

	f.write(t, f.certificate, certificate) // with the key before
	await(t, "that the key is another's is noticed", func() bool { return f.number(t, p) == 1 && len(f.warned()) == 2 })

	f.write(t, f.key, key)
	await(t, "the new pair is shown", func() bool { return f.number(t, p) == 2 })

	if err := os.Remove(f.key); err != nil {
		t.Fatal(err)
	}
	await(t, "a missing key is noticed", func() bool { return f.number(t, p) == 2 && len(f.warned()) == 3 })
	if err := before.Logout(token, ""); err != nil {
		t.Errorf("a connection of before: %v", err)
	}
}

// A pipe in the place of a file, which nobody writes to, keeps nobody out, and does
// not keep the server from its end.
func TestCertificate_Pipe(t *testing.T) {
	t.Parallel()
	p, f := secure(t)
	if err := errors.Join(os.Remove(f.key), syscall.Mkfifo(f.key, 0o600)); err != nil {
		t.Fatal(err)
	}
	await(t, "the pipe is noticed", func() bool { return f.number(t, p) == 1 && len(f.warned()) == 1 })
	if warned := f.warned()[0]; !strings.Contains(warned, f.key+" is no regular file") {
		t.Errorf("the warning is %q", warned)
	}
	if n := f.number(t, p); n != 1 {
		t.Errorf("after that, number %d is shown", n)
	}
	if _, err := thrift.LoadCertificate(f.certificate, f.key, f.warn); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("at a start: %v", err)
	}
}

// A disk that does not answer keeps nobody out, has one read wait and no more, and
// does not keep the server from its end. Once it answers, the new pair is used.
func TestCertificate_Hangs(t *testing.T) {
	t.Parallel()
	f, withTLS := certified(t)
	again := make(chan struct{})
	waiting := f.loaded.HangFiles(again)
	p := open(t, withTLS)
	certificate, key := f.pair(t, 2)
	f.write(t, f.certificate, certificate)
	f.write(t, f.key, key)
	await(t, "the files are looked at", func() bool { return f.number(t, p) == 1 && len(waiting) > 0 })
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if n := f.number(t, p); n != 1 {
			t.Fatalf("while the disk does not answer, number %d is shown", n)
		}
	}
	if n := len(waiting); n != 1 {
		t.Errorf("%d reads wait", n)
	}
	p.Stop(patience)

	close(again)
	p = open(t, withTLS)
	await(t, "the new pair is shown", func() bool { return f.number(t, p) == 2 })
	if warned := f.warned(); len(warned) != 0 {
		t.Errorf("warnings: %q", warned)
	}
}

func TestLoadCertificate_Refused(t *testing.T) {
	dir := t.TempDir()
	f := &files{trusted: x509.NewCertPool()}
	certificate, _ := f.pair(t, 1)
	_, key := f.pair(t, 2)
	c, k := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	f.write(t, c, certificate)
	for want, path := range map[string]string{"no such file": filepath.Join(dir, "none"), "does not match": k} {
		f.write(t, k, key)
		if _, err := thrift.LoadCertificate(c, path, f.warn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A key that everybody may read is used, since it was all along, and warned of:
// when it is read, and when it has become such a one.
func TestLoadCertificate_KeyForAll(t *testing.T) {
	t.Parallel()
	p, f := secure(t)
	if warned := f.warned(); len(warned) != 0 {
		t.Errorf("warnings: %q", warned)
	}
	if err := os.Chmod(f.key, 0o644); err != nil {
		t.Fatal(err)
	}
	await(t, "the mode is noticed", func() bool { return f.number(t, p) == 1 && len(f.warned()) == 1 })
	if _, err := thrift.LoadCertificate(f.certificate, f.key, f.warn); err != nil {
		t.Error(err)
	}
	want := "everybody may read the key " + f.key + "; run chmod o-r on it"
	if warned := f.warned(); !cmp.Equal(warned, []string{want, want}) {
		t.Errorf("warnings: %q, want %q twice", warned, want)
	}
}
