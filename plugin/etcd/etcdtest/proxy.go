package etcdtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// listen takes connections at a free port of the loopback address until the
// test ends, and gives each to serve.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// serveClient passes a client's connection on to the member.
func (m *member) serveClient(near net.Conn) {
	far, err := net.Dial("unix", m.clientSocket())
	if err != nil {
		near.Close()
		return
	}
	m.clients.join(near, far)
}

// servePeer passes on what the member says to another: it was told to reach its
// peers, by names that only this proxy knows, by asking here for a tunnel. A
// member asks for one with https only, and listens on a socket without; so TLS
// ends here.
func (m *member) servePeer(near net.Conn) {
	in := bufio.NewReader(near)
	to, err := tunnel(in)
	if err != nil || to < 0 || to >= len(m.cluster.members) || in.Buffered() > 0 {
		near.Close()
		return
	}
	far, err := net.Dial("unix", m.cluster.members[to].peerSocket())
	if err != nil {
		near.Close()
		return
	}
	if _, err := near.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		near.Close()
		far.Close()
		return
	}
	m.peers[to].join(tls.Server(near, m.cluster.peerTLS), far)
}

// tunnel reads a CONNECT request and returns the number of the member that it
// names.
func tunnel(in *bufio.Reader) (to int, err error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(line, "CONNECT "+peerHost+" ", &to); err != nil {
		return 0, err
	}
	for strings.TrimSpace(line) != "" {
		if line, err = in.ReadString('\n'); err != nil {
			return 0, err
		}
	}
	return to, nil
}

// peerHost is the form of the members' names among each other; they resolve
// nowhere.
const peerHost = "member%d.test:2380"

// selfSigned is enough for members that were told to trust whoever answers.
func selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}, nil
}
