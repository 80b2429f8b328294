package thrift

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// lookAtFilesEvery is how often a certificate's files are looked at, at most.
const lookAtFilesEvery = time.Second

// Certificate is a certificate and its key, in two files of PEM. When the files
// change, handshakes from then on use what is in them.
type Certificate struct {
	certificate, key string
	warn             func(error)

	mu     sync.Mutex // guards the rest
	looked time.Time
	pair   *tls.Certificate
	from   string // the state of the files that pair was read from
	warned string // the state of files that a warning was about
}

// LoadCertificate reads a certificate and its key. Later, when the files were
// changed and are no such pair, which may be so while they are being written, the
// pair before stays, and warn hears of it once.
func LoadCertificate(certificate, key string, warn func(error)) (*Certificate, error) {
	c := &Certificate{certificate: certificate, key: key, warn: warn, looked: time.Now()}
	if err := c.read(c.state()); err != nil {
		return nil, err
	}
	return c, nil
}

// Config returns settings of TLS that serve with the certificate as it is at
// each handshake.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

func (c *Certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookAtFilesEvery {
		c.looked = now
		c.look()
	}
	return c.pair
}

// look reads the files if they are not as they were. A broken pair is read again
// at each look.
func (c *Certificate) look() {
	state := c.state()
	if state == c.from {
		return
	}
	if err := c.read(state); err != nil && state != c.warned {
		c.warned = state
		c.warn(fmt.Errorf("the certificate before is still in use: %w", err))
	}
}

// read reads the files, which were in that state, or a later one, which the next
// look then notices.
func (c *Certificate) read(state string) error {
	pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err != nil {
		return fmt.Errorf("the certificate %s and its key %s: %w", c.certificate, c.key, err)
	}
	c.pair, c.from = &pair, state
	return nil
}

// state says which files stand at the paths, and since when they are so.
func (c *Certificate) state() string {
	var all string
	for _, path := range []string{c.certificate, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			all += err.Error()
			continue
		}
		inode := uint64(info.Sys().(*syscall.Stat_t).Ino)
		all += fmt.Sprintf("%d %d %d;", inode, info.Size(), info.ModTime().UnixNano())
	}
	return all
}
