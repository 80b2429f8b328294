package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// HeldError says which process holds a home.
type HeldError struct {
	Home    string
	PID     int    // 0: not known
	Command string // its name, without arguments; "" where the system does not say
}

// Error names the holder.
func (e *HeldError) Error() string {
	switch {
	case e.PID == 0:
		return fmt.Sprintf("the home %s is held by another host; stop it, or choose another home", e.Home)
	case e.Command == "":
		return fmt.Sprintf("the home %s is held by process %d; stop it, or choose another home", e.Home, e.PID)
	}
	return fmt.Sprintf("the home %s is held by process %d (%s); stop it, or choose another home", e.Home, e.PID, e.Command)
}

// Lock takes the home for this process, until unlock or the process's end,
// however it ends. It refuses with a HeldError while another one has it. The
// kernel keeps the lock, so a killed host leaves none behind; a plugin does not
// inherit it.
func (h *Home) Lock() (unlock func(), err error) {
	path := filepath.Join(h.path, "host.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, cause(err))
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, h.held(f)
		}
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot write to %s: %w", path, cause(err))
	}
	return sync.OnceFunc(func() {
		// The pid goes first: whoever finds it finds the lock held.
		f.Truncate(0)
		f.Close()
	}), nil
}

func flock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (h *Home) held(f *os.File) *HeldError {
	e := &HeldError{Home: h.path}
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid <= 0 {
		return e
	}
	e.PID = pid
	// The name only: arguments may hold a secret (rule 9).
	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
		e.Command = strings.TrimSpace(string(comm))
	}
	return e
}
