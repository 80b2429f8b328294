package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// identity is what a host proves itself with: a certificate of its own, like
// the one that go-plugin makes for each process.
type identity struct {
	certificate tls.Certificate
	pem         []byte
}

// identity makes one, and none for a subject without TLS.
func (t *T) identity() *identity {
	if t.run.subject.WithoutTLS {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	t.OK(err, "make a key")
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	t.OK(err, "make a serial number")
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, SerialNumber: serial,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	t.OK(err, "make a certificate")
	return &identity{
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem:         pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
}

// trust returns what the host connects with: its certificate, and trust in the
// one of the greeting alone. A nil identity is a host without TLS.
func (i *identity) trust(t *T, g greeting) credentials.TransportCredentials {
	if i == nil {
		return insecure.NewCredentials()
	}
	der, err := base64.RawStdEncoding.DecodeString(g.certificate)
	t.OK(err, "decode the certificate of the handshake, base64 without padding")
	theirs, err := x509.ParseCertificate(der)
	t.OK(err, "read the certificate of the handshake")
	roots := x509.NewCertPool()
	roots.AddCert(theirs)
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{i.certificate}, RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12,
	})
}

// stranger returns what somebody else connects with, who has no certificate if
// the identity is nil.
func (i *identity) stranger() credentials.TransportCredentials {
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	if i != nil {
		c.Certificates = []tls.Certificate{i.certificate}
	}
	return credentials.NewTLS(c)
}
