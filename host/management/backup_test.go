package management_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// saved is a double of the plugin that can be backed up.
type saved struct {
	page
	backup func(context.Context, io.Writer) error
}

func (s saved) Backup(ctx context.Context, w io.Writer) error { return s.backup(ctx, w) }

func sends(pieces ...string) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		for _, p := range pieces {
			if _, err := io.WriteString(w, p); err != nil {
				return err
			}
		}
		return nil
	}
}

// backupLines returns the outcomes in the audit log's lines about backups.
func backupLines(t *testing.T, f *fixture) (outcomes []string) {
	t.Helper()
	for e, err := range audit.Read(filepath.Join(filepath.Dir(f.path), "audit"), time.Time{}) {
		if err == nil && e.Event == audit.Backup {
			if e.Caller == nil || e.Caller.UID == nil || e.Caller.PID == 0 {
				t.Errorf("the line says %+v", e)
			}
			outcomes = append(outcomes, e.Outcome)
		}
	}
	return outcomes
}

// operatorOf connects without a login.
func operatorOf(t *testing.T, f *fixture) *management.Client {
	t.Helper()
	c, err := management.Dial(t.Context(), f.path, management.DialOptions{AnswerWithin: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func expectLines(t *testing.T, f *fixture, want ...string) {
	t.Helper()
	if got := backupLines(t, f); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		big := strings.Repeat("x", 200<<10)
		f := run(t, saved{backup: sends("a", big, "z")}, control{}, -1)
		var got bytes.Buffer
		if err := operatorOf(t, f).Backup(t.Context(), &got); err != nil || got.String() != "a"+big+"z" {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		expectLines(t, f, audit.OK)
	})
	// The line is on disk before the first byte leaves.
	t.Run("LineFirst", func(t *testing.T) {
		var f *fixture
		first := true
		f = run(t, saved{backup: sends(strings.Repeat("x", 200<<10))}, control{}, -1)
		if err := operatorOf(t, f).Backup(t.Context(), to(func([]byte) error {
			if first {
				expectLines(t, f, audit.OK)
				first = false
			}
			return nil
		})); err != nil || first {
			t.Errorf("nothing came: %v; %v", first, err)
		}
	})
	t.Run("ErrNoLine", func(t *testing.T) {
		f := run(t, saved{backup: sends("secret")}, control{}, -1)
		f.log.Close()
		var got bytes.Buffer
		if err := operatorOf(t, f).Backup(t.Context(), &got); err == nil || got.Len() > 0 {
			t.Errorf("%q left without a line (%v)", got.String(), err)
		}
	})
	t.Run("ErrBeforeTheFirstByte", func(t *testing.T) {
		f := run(t, saved{backup: func(context.Context, io.Writer) error { return account.Unsupported("backup") }}, control{}, -1)
		err := operatorOf(t, f).Backup(t.Context(), io.Discard)
		expectKind(t, err, account.KindUnsupported, "backup is unsupported")
		expectLines(t, f, "unsupported")
	})
	t.Run("ErrHalfway", func(t *testing.T) {
		f := run(t, saved{backup: func(ctx context.Context, w io.Writer) error {
			return errors.Join(sends(strings.Repeat("x", 100<<10))(ctx, w), account.Unavailable("it broke"))
		}}, control{}, -1)
		err := operatorOf(t, f).Backup(t.Context(), io.Discard)
		expectKind(t, err, account.KindUnavailable, "it broke")
		expectLines(t, f, audit.OK, "unavailable")
	})
	t.Run("ErrOneAtATime", func(t *testing.T) {
		began, end := make(chan struct{}), make(chan struct{})
		f := run(t, saved{backup: func(context.Context, io.Writer) error { close(began); <-end; return nil }}, control{}, -1)
		first := make(chan error, 1)
		c := operatorOf(t, f)
		go func() { first <- c.Backup(context.Background(), io.Discard) }()
		<-began
		expectKind(t, operatorOf(t, f).Backup(t.Context(), io.Discard), account.KindConflict, "another backup")
		close(end)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrNotTheOperator", func(t *testing.T) {
		o := management.NewOperator(management.Options{Owner: 1000})
		err := o.Backup(nil, &backupStream{ctx: management.From(t.Context(), 1001)})
		expectKind(t, err, account.KindNotPermitted, "uid 1000")
		if account.ReasonOf(err) != account.ReasonNeedsOperator {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrReader", func(t *testing.T) {
		given := make(chan error, 1)
		f := run(t, saved{backup: func(ctx context.Context, w io.Writer) error {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					given <- err
					return err
				}
			}
		}}, control{}, -1)
		full := errors.New("the disk is full")
		if err := operatorOf(t, f).Backup(t.Context(), to(func([]byte) error { return full })); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		if <-given == nil {
			t.Error("the plugin was not told")
		}
	})
	t.Run("ErrInterrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := run(t, saved{backup: func(ctx context.Context, w io.Writer) error { cancel(); <-ctx.Done(); return ctx.Err() }}, control{}, -1)
		expectKind(t, operatorOf(t, f).Backup(ctx, io.Discard), account.KindInterrupted, "interrupted")
	})
	// A backup that is still being gathered is neither given up nor logged.
	t.Run("ErrLongGathered", func(t *testing.T) {
		f := run(t, saved{backup: func(ctx context.Context, w io.Writer) error {
			for range 10 {
				time.Sleep(100 * time.Millisecond)
				if _, err := w.Write(nil); err != nil {
					return err
				}
			}
			return account.Unavailable("the store is damaged")
		}}, control{}, -1)
		c, err := management.Dial(t.Context(), f.path, management.DialOptions{AnswerWithin: 700 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		expectKind(t, c.Backup(t.Context(), io.Discard), account.KindUnavailable, "damaged")
		expectLines(t, f, "unavailable")
	})
	// Only a host that sends nothing is given up, not a file that is slow.
	t.Run("ErrStalled", func(t *testing.T) {
		f := run(t, saved{backup: func(ctx context.Context, w io.Writer) error {
			if err := sends(strings.Repeat("x", 64<<10))(ctx, w); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}}, control{}, -1)
		// A machine that is too busy for the first piece is given longer.
		for within := 200 * time.Millisecond; ; within *= 2 {
			c, err := management.Dial(t.Context(), f.path, management.DialOptions{AnswerWithin: within})
			if err != nil {
				t.Fatal(err)
			}
			pieces := 0
			err = c.Backup(t.Context(), to(func([]byte) error {
				pieces++
				time.Sleep(within * 3 / 2) // a slow reader is no stalled host
				return nil
			}))
			c.Close()
			expectKind(t, err, account.KindUnavailable, "has sent nothing")
			if pieces == 0 && within < time.Minute {
				continue
			}
			if pieces != 1 {
				t.Errorf("%d pieces came", pieces)
			}
			return
		}
	})
}

type to func([]byte) error

func (w to) Write(p []byte) (int, error) { return len(p), w(p) }

type backupStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *backupStream) Context() context.Context { return s.ctx }
func (s *backupStream) Send(*managementv1.BackupResponse) error {
	return errors.New("something was sent")
}

// No listener offers what only the operator of a stopped host may do: no service
// has such a call, and what serves them all could not carry it out.
func TestNobodyOffersRecoverOrRestore(t *testing.T) {
	t.Parallel()
	offered := func(name string) bool {
		name = strings.ToLower(name)
		return strings.Contains(name, "recover") || strings.Contains(name, "restore")
	}
	calls := 0
	for _, service := range []grpc.ServiceDesc{managementv1.Management_ServiceDesc, managementv1.Operator_ServiceDesc} {
		for _, m := range service.Methods {
			calls++
			if offered(m.MethodName) {
				t.Errorf("%s offers %s", service.ServiceName, m.MethodName)
			}
		}
		for _, m := range service.Streams {
			calls++
			if offered(m.StreamName) {
				t.Errorf("%s offers %s", service.ServiceName, m.StreamName)
			}
		}
	}
	if calls < 20 {
		t.Errorf("only %d calls were looked at", calls)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[gate.Users](), reflect.TypeFor[*gate.Gate](), reflect.TypeFor[management.PluginControl]()} {
		for i := range of.NumMethod() {
			if offered(of.Method(i).Name) {
				t.Errorf("%v has %s", of, of.Method(i).Name)
			}
		}
	}
	// The contract's own names for them, sent to the socket, reach nothing.
	f := leased(t, page{})
	for _, method := range []string{"/concourse.users.v1.Users/Recover", "/concourse.management.v1.Operator/Recover", "/concourse.management.v1.Management/Restore"} {
		err := f.raw(t).Invoke(t.Context(), method, &managementv1.BackupRequest{}, &managementv1.BackupResponse{})
		if code := status.Code(err); code != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}
