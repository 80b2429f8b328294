package verify

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/conformance"
)

// Options say which backend to verify.
type Options struct {
	Path      string // a name to find in Directory, or a path
	Directory string
	SHA256    string // the pin; empty: none
	// WithoutTLS starts it as the setting plugin.auto_mtls: false does.
	WithoutTLS bool
	// Settings and Administrator are those of conformance.Subject.
	Settings      map[string]string
	Administrator account.Credentials
}

// Subject is an executable that can be started.
type Subject struct {
	conformance.Subject
	trials *supervisor.Trials
	dir    string
}

// Open finds the executable and takes a copy. Close it. Refuses: Invalid,
// Unavailable.
func Open(o Options) (*Subject, error) {
	dir, err := os.MkdirTemp("", "cv") // short: sockets live below it
	if err != nil {
		return nil, err
	}
	trials, err := supervisor.NewTrials(supervisor.Options{Path: o.Path, Directory: o.Directory, SHA256: o.SHA256, RunDir: dir})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Subject{trials: trials, dir: dir, Subject: conformance.Subject{
		Executable: trials.Copy(), Settings: o.Settings, WithoutTLS: o.WithoutTLS, Administrator: o.Administrator,
		Launch: func(ctx context.Context, l conformance.Launch) (conformance.Process, error) {
			t, err := trials.Launch(ctx, !l.WithoutTLS && !o.WithoutTLS, l.Output)
			if err != nil {
				return nil, err // not a Process of nil
			}
			return t, nil
		},
	}}, nil
}

// Path returns where the executable was found.
func (s *Subject) Path() string { return s.trials.Path() }

// Sum returns the executable's SHA-256 sum, in hexadecimal digits.
func (s *Subject) Sum() string { return s.trials.Sum() }

// Close removes the copy.
func (s *Subject) Close() error { return errors.Join(s.trials.Close(), os.RemoveAll(s.dir)) }

var _ conformance.Process = (*supervisor.Trial)(nil)

// Test runs every case against the executable as a subtest of t.
func Test(t *testing.T, o Options) {
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conformance.Test(t, s.Subject)
}
