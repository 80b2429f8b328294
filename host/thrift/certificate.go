package thrift

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// lookAtFilesEvery is how often a certificate's files are looked at, at most.
	lookAtFilesEvery = time.Second

	// awaitFiles is how long the handshake that has them looked at waits for what is
	// in them. Others don't.
	awaitFiles = time.Second
)

// Certificate is a certificate and its key, in two files of PEM. When the files
// change, handshakes from then on use what is in them. Files that cannot be read,
// even those of a disk that does not answer, keep no handshake from the pair before.
type Certificate struct {
	certificate, key string
	warn             func(error)
	read             func(path string) (content, error) // readFile

	mu      sync.Mutex // guards the rest
	looked  time.Time
	looking bool // a goroutine does, and it alone uses from and warned
	pair    *tls.Certificate

	from   string // the state of the files that pair was read from
	warned string // the state of files that a warning was about
}

// LoadCertificate reads a certificate and its key. Later, when the files were
// changed and are no such pair, which may be so while they are being written, the
// pair before stays, and warn hears of it once. It hears of a key, too, that
// everybody may read.
func LoadCertificate(certificate, key string, warn func(error)) (*Certificate, error) {
	c := &Certificate{certificate: certificate, key: key, warn: warn, read: readFile, looked: time.Now()}
	if err := c.load(c.state()); err != nil {
		return nil, err
	}
	return c, nil
}

// Config returns settings of TLS that serve with the certificate as it is at
// each handshake.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(h.Context()), nil },
	}
}

func (c *Certificate) current(ctx context.Context) *tls.Certificate {
	if done := c.beginLook(); done != nil {
		late := time.NewTimer(awaitFiles)
		defer late.Stop()
		select {
		case <-done:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair
}

// beginLook has the files looked at, if it is time, and returns what is closed then;
// otherwise nil.
func (c *Certificate) beginLook() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.looking || now.Sub(c.looked) < lookAtFilesEvery {
		return nil
	}
	c.looking, c.looked = true, now
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.look()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.looking = false
	}()
	return done
}

// look reads the files if they are not as they were. A broken pair is read again
// at each look.
func (c *Certificate) look() {
	state := c.state()
	if state == c.from {
		return
	}
	if err := c.load(state); err != nil && state != c.warned {
		c.warned = state
		c.warn(fmt.Errorf("the certificate before is still in use: %w", err))
	}
}

// load reads the files, which were in that state, or a later one, which the next
// look then notices.
func (c *Certificate) load(state string) error {
	pair, err := c.readPair()
	if err != nil {
		return fmt.Errorf("the certificate %s and its key %s: %w", c.certificate, c.key, err)
	}
	c.from = state
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pair = &pair
	return nil
}

func (c *Certificate) readPair() (pair tls.Certificate, err error) {
	certificate, err := c.read(c.certificate)
	if err != nil {
		return pair, err
	}
	key, err := c.read(c.key)
	if err != nil {
		return pair, err
	}
	if pair, err = tls.X509KeyPair(certificate.bytes, key.bytes); err != nil {
		return pair, err
	}
	if key.mode.Perm()&0o004 != 0 {
		c.warn(fmt.Errorf("everybody may read the key %s; run chmod o-r on it", c.key))
	}
	return pair, nil
}

// state says which files stand at the paths, since when they are so, and who may
// read them.
func (c *Certificate) state() string {
	var all string
	for _, path := range []string{c.certificate, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			all += err.Error()
			continue
		}
		inode := uint64(info.Sys().(*syscall.Stat_t).Ino)
		all += fmt.Sprintf("%d %d %d %v;", inode, info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return all
}
