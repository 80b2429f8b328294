package docs_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/cinchapi/concourse-users/host/verify"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/conformance"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// files are the two that the example reads, with admin, an ADMIN, and jeff.
type files struct {
	t                     *testing.T
	executable            string
	users, groups         string // paths
	usersText, groupsText string // as they begin
}

func newFiles(t *testing.T) files {
	t.Helper()
	executable, err := htpasswd()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	f := files{
		t: t, executable: executable,
		users: filepath.Join(directory, "htpasswd"), groups: filepath.Join(directory, "htgroup"),
		usersText:  "admin:" + adminHash + "\njeff:" + jeffHash + "\n",
		groupsText: "admin: admin\nread:billing: jeff\n",
	}
	f.write(f.usersText, f.groupsText)
	return f
}

func (f files) settings() map[string]string {
	return map[string]string{"users_file": f.users, "groups_file": f.groups}
}

// write replaces both files, each at once.
func (f files) write(users, groups string) {
	f.t.Helper()
	for path, text := range map[string]string{f.users: users, f.groups: groups} {
		write(f.t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			f.t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start starts a process as a host does, and configures nothing.
func (f files) start() *wire.Client {
	f.t.Helper()
	s, err := verify.Open(verify.Options{Path: f.executable})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close() })
	p, err := s.Launch(f.t.Context(), conformance.Launch{Output: func(string, []byte) {}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if end := p.Shutdown(patience); end != "exit status 0" {
			f.t.Errorf("it ended with %s", end)
		}
	})
	return wire.NewClient(p.Conn())
}

func (f files) configure(p *wire.Client) (account.Description, error) {
	return p.Configure(context.Background(), account.Configuration{Home: filepath.Dir(f.users), Settings: f.settings()})
}

func authenticate(t *testing.T, p *wire.Client, username, password string) (account.Login, error) {
	t.Helper()
	return p.Authenticate(t.Context(), account.Credentials{
		Username: username, Password: account.Secret(password), Listener: account.ClientListener,
	})
}

// greeting starts a process with such an environment, until the test ends, and
// returns its first line.
func (f files) greeting(env ...string) string {
	f.t.Helper()
	runtime.LockOSThread() // it dies with the thread that starts it
	f.t.Cleanup(runtime.UnlockOSThread)
	directory, err := os.MkdirTemp("", "p") // short, for the socket
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { os.RemoveAll(directory) })
	cmd := exec.Command(f.executable)
	cmd.Env = append(env, "PLUGIN_UNIX_SOCKET_DIR="+directory, "PLUGIN_PROTOCOL_VERSIONS=1",
		wire.Handshake.MagicCookieKey+"="+wire.Handshake.MagicCookieValue)
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// certificate makes one as go-plugin does, on the same curve.
func certificate(t *testing.T) (own tls.Certificate, text string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, SerialNumber: big.NewInt(1),
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// transport trusts the certificate of a greeting, and shows its own.
func transport(t *testing.T, greeted string, own ...tls.Certificate) credentials.TransportCredentials {
	t.Helper()
	der, err := base64.RawStdEncoding.DecodeString(greeted)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(theirs)
	return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: own, ServerName: "localhost"})
}
