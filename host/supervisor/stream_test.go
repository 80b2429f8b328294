package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// streaming starts a supervisor of a plugin whose backups and restores behave
// so, and who must answer within half a second.
func streaming(t *testing.T, behaviour string, change func(*supervisor.Options)) (*supervisor.Supervisor, supervisor.Options) {
	t.Helper()
	o := options(t)
	o.Configuration.Settings = map[string]string{"stream": behaviour}
	o.Pace.Silence, o.Pace.HealthInterval = 500*time.Millisecond, 50*time.Millisecond
	if change != nil {
		change(&o)
	}
	return start(t, o), o
}

const streamed = 12 * 64 << 10

// slowly passes on what is written, or read, in its own time.
type slowly struct {
	io.ReadWriter
	pause time.Duration
}

func (s slowly) Write(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.ReadWriter.Write(p)
}

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.ReadWriter.Read(p[:min(len(p), streamed/3)])
}

// unharmed checks that the plugin lives on and was asked once.
func unharmed(t *testing.T, s *supervisor.Supervisor, o supervisor.Options, what string) {
	t.Helper()
	if st := s.Status(); st.Restarts != 0 || !slices.Equal(lines(t, o, "streams"), []string{what}) {
		t.Errorf("asked for %q; status %+v", lines(t, o, "streams"), st)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	t.Run("LongerThanSilence", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "slow", func(o *supervisor.Options) { o.CallTimeout = time.Second })
		var got bytes.Buffer
		if err := s.Backup(t.Context(), &got); err != nil || got.Len() != streamed {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		unharmed(t, s, o, "backup")
	})
	t.Run("LongGathered", func(t *testing.T) { // says so, and has nothing to send yet
		t.Parallel()
		s, o := streaming(t, "gathers", func(o *supervisor.Options) { o.CallTimeout = time.Second })
		var got bytes.Buffer
		if err := s.Backup(t.Context(), &got); err != nil || got.Len() != streamed {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		unharmed(t, s, o, "backup")
	})
	t.Run("ToASlowFile", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "", func(o *supervisor.Options) { o.CallTimeout = 700 * time.Millisecond })
		var got bytes.Buffer
		out := slowly{&got, time.Second}
		if err := s.Backup(t.Context(), &few{to: out, rest: 3}); !errors.Is(err, syscall.ENOSPC) || got.Len() != streamed/4 {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		unharmed(t, s, o, "backup")
	})
	t.Run("ErrCrash", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "crash", nil)
		var got bytes.Buffer
		err := s.Backup(t.Context(), &got)
		wantKind(t, err, account.KindUnavailable, "plugin backend did not answer: it ended (exit status 7)")
		if got.Len() != streamed/12 {
			t.Errorf("%d bytes came", got.Len())
		}
		eventually(t, "the next plugin runs", func() bool { return s.Status().Restarts == 1 && s.Status().PID != 0 })
		if asked := lines(t, o, "streams"); len(asked) != 1 {
			t.Errorf("what was sent was sent again: %q", asked)
		}
	})
	t.Run("ErrStalls", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "hang", func(o *supervisor.Options) { o.Pace.Silence = time.Hour; o.CallTimeout = time.Second })
		err := s.Backup(t.Context(), io.Discard)
		wantKind(t, err, account.KindUnavailable, "sends no more of the backup")
		unharmed(t, s, o, "backup")
	})
	t.Run("ErrCallerGivesUp", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "hang", func(o *supervisor.Options) { o.Pace.Silence = time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Backup(ctx, &few{to: slowly{&bytes.Buffer{}, 0}, rest: 1, then: cancel})
		wantKind(t, err, account.KindInterrupted, "gave up")
		unharmed(t, s, o, "backup")
	})
}

// few takes so many writes. The one after calls then, or is refused.
type few struct {
	to   io.Writer
	rest int
	then func()
}

func (f *few) Write(p []byte) (int, error) {
	f.rest--
	if f.rest == 0 && f.then != nil {
		defer f.then()
	}
	if f.rest < 0 {
		return 0, syscall.ENOSPC
	}
	return f.to.Write(p)
}

func TestRestore(t *testing.T) {
	t.Parallel()
	input := func() io.ReadWriter { return bytes.NewBuffer(make([]byte, streamed)) }
	t.Run("LongerThanSilence", func(t *testing.T) { // to check it, and to take it in
		t.Parallel()
		s, o := streaming(t, "slow", func(o *supervisor.Options) { o.CallTimeout = time.Second })
		got, err := s.Restore(t.Context(), slowly{input(), 300 * time.Millisecond})
		if err != nil || got.Accounts != streamed || got.StoreID != "another" {
			t.Errorf("restored %+v, %v", got, err)
		}
		unharmed(t, s, o, "restore")
	})
	t.Run("ErrCrash", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "crash", nil)
		got, err := s.Restore(t.Context(), input())
		wantKind(t, err, account.KindUnavailable, "plugin backend did not answer: it ended (exit status 7)")
		if got != (account.Restored{}) {
			t.Errorf("restored %+v", got)
		}
		eventually(t, "the next plugin runs", func() bool { return s.Status().Restarts == 1 && s.Status().PID != 0 })
		if asked := lines(t, o, "streams"); len(asked) != 1 {
			t.Errorf("what was sent was sent again: %q", asked)
		}
	})
	t.Run("ErrReader", func(t *testing.T) {
		t.Parallel()
		s, o := streaming(t, "", nil)
		_, err := s.Restore(t.Context(), io.MultiReader(input(), broken{}))
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
		eventually(t, "the plugin was asked", func() bool { return noted(o, "streams") })
		unharmed(t, s, o, "restore")
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.EIO }
