package audit_test

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
)

// held is a file whose syncs wait until they are let go.
type held struct {
	audit.File
	sync func()
}

func (h held) Sync() error { h.sync(); return h.File.Sync() }

func TestWaiting(t *testing.T) {
	gate := make(chan struct{})
	l := open(t, newPath(t), audit.Options{OpenFile: func(path string) (audit.File, error) {
		real, err := disk(path)
		return held{real, func() { <-gate }}, err
	}})
	if n, since := l.Waiting(); n != 0 || !since.IsZero() {
		t.Errorf("of an empty log %d lines wait, since %v", n, since)
	}
	waiting := func(want int) time.Time {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			n, since := l.Waiting()
			if n == want {
				return since
			}
			if time.Now().After(end) {
				t.Fatalf("%d lines wait, want %d", n, want)
			}
		}
	}
	var appends sync.WaitGroup
	add := func() {
		appends.Go(func() {
			if err := l.Append(started("a")); err != nil {
				t.Error(err)
			}
		})
	}
	began := time.Now()
	add()
	oldest := waiting(1)
	if oldest.Before(began) || oldest.After(time.Now()) {
		t.Errorf("the oldest waits since %v, begun at %v", oldest, began)
	}
	add()
	add()
	if since := waiting(3); !since.Equal(oldest) { // one at the disk, two behind it
		t.Errorf("the oldest waits since %v, and waited since %v", since, oldest)
	}
	close(gate)
	appends.Wait()
	if since := waiting(0); !since.IsZero() {
		t.Errorf("nothing waits since %v", since)
	}
}

func TestAppended(t *testing.T) {
	var mu sync.Mutex
	var ends []error
	fault := &fault{}
	l := open(t, newPath(t), audit.Options{
		Appended: func(took time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			if took <= 0 {
				t.Errorf("it took %v", took)
			}
			ends = append(ends, err)
		},
		OpenFile: func(path string) (audit.File, error) {
			real, err := disk(path)
			return faulty{real, fault}, err
		},
	})
	add(t, l, started("a"))
	fault.write = syscall.ENOSPC
	l.Append(started("lost"))
	fault.write = nil
	add(t, l, started("b"))
	if len(ends) != 3 || ends[0] != nil || !errors.Is(ends[1], syscall.ENOSPC) || ends[2] != nil {
		t.Errorf("told %v", ends)
	}
}
