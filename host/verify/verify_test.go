package verify_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/verify"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/conformance"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestBolt(t *testing.T) {
	verify.Test(t, verify.Options{Path: hosttest.BuildPlain(t, "./plugin/cmd/concourse-users-bolt")})
}

// TestLeavesNothing shows that no process, socket or file is left of a run,
// whether it ends or is interrupted.
func TestLeavesNothing(t *testing.T) {
	plugins := filepath.Join(hosttest.Bin(t), "plugins")
	for name, interrupt := range map[string]bool{"Ended": false, "Interrupted": true} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "v") // short: sockets live below it
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			t.Setenv("TMPDIR", dir)
			s, err := verify.Open(verify.Options{Path: "bolt", Directory: plugins})
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var processes []conformance.Process
			launch := s.Launch
			s.Launch = func(ctx context.Context, l conformance.Launch) (conformance.Process, error) {
				p, err := launch(ctx, l)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					processes = append(processes, p)
				}
				return p, err
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			report, err := conformance.Run(ctx, s.Subject, conformance.Options{
				Run: regexp.MustCompile("^handshake/|^process/(ends-when|dies-with)"),
				Done: func(conformance.Result, int, int) {
					if interrupt {
						cancel()
					}
				},
			})
			if want := ctx.Err(); !errors.Is(err, want) {
				t.Errorf("it returned %v, want %v", err, want)
			}
			if n := len(report.Results); n == 0 || interrupt && n > 2 {
				t.Errorf("it tells of %d cases", n)
			}
			for _, p := range processes {
				select {
				case <-p.Exited():
				default:
					t.Errorf("process %d lives on", p.PID())
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("it leaves %v (%v)", left, err)
			}
		})
	}
}

// TestRun shows what ends a run before its first case.
func TestRun(t *testing.T) {
	plugins := filepath.Join(hosttest.Bin(t), "plugins")
	wrong := hosttest.BuildPlain(t, "./host/verify/testdata/wrong")
	fault := func(name string) map[string]string { return map[string]string{"fault": name} }
	run := func(o verify.Options) error {
		s, err := verify.Open(o)
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = conformance.Run(t.Context(), s.Subject, conformance.Options{})
		return err
	}
	for name, c := range map[string]struct {
		options verify.Options
		want    account.Kind
		says    string
	}{
		"ErrNotFound":  {verify.Options{Path: "nosuch", Directory: plugins}, account.KindInvalid, "no plugin named"},
		"ErrNoPlugin":  {verify.Options{Path: "/bin/sh"}, account.KindUnavailable, "before it began to serve"},
		"ErrPin":       {verify.Options{Path: "bolt", Directory: plugins, SHA256: "00"}, account.KindInvalid, "not a SHA-256 sum"},
		"ErrBadOption": {verify.Options{Path: "bolt", Directory: plugins, Settings: map[string]string{"x": "y"}}, account.KindInvalid, "not a setting"},
		"ErrConfigure": {verify.Options{Path: wrong, Settings: fault("fails-to-configure")}, account.KindUnavailable, "the disk is absent"},

		"ErrNoAdministrator": {verify.Options{Path: wrong, Settings: fault("cannot-change")}, account.KindInvalid, "cannot change accounts; name an administrator"},
		"ErrAdministrator": {verify.Options{Path: wrong, Settings: fault("cannot-change"), Administrator: account.Credentials{Username: "mary", Password: account.Secret("wrong password")}},
			account.KindInvalid, "refuses the login of its administrator 'mary'"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(c.options); account.KindOf(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v and %q", err, c.want, c.says)
			}
		})
	}
}
