package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attend keeps the terminal right for as long as a question waits on it: with
// hide its echo is off, but for the time that the process is stopped, as by
// Ctrl-Z, and with a shell between. When the process goes on, again repeats the
// question. Whoever gets release calls it when the question is over.
//
// The modes are changed before anything is read, so that a quick answer is
// hidden too, and restored on the caller's goroutine, so that nothing overtakes
// it.
func (p *prompt) attend(hide bool, again func()) (release func(), err error) {
	signals := make(chan os.Signal, 2)
	t := &echo{fd: int(p.in.Fd()), signals: signals}
	if hide && !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(signals, syscall.SIGTSTP)
	}
	signal.Notify(signals, syscall.SIGCONT)
	if hide {
		if err := t.disable(); err != nil {
			signal.Stop(signals)
			return nil, err
		}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			case s := <-signals:
				if s == syscall.SIGTSTP {
					t.restore()
					t.stop()
				}
				t.silence()
				again()
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(over)
		<-ended
		t.restore()
	}, nil
}

// echo is a terminal's echo, and what stops and continues this process.
type echo struct {
	fd            int
	signals       chan os.Signal
	before, quiet *unix.Termios // nil: the modes are left alone
}

func (t *echo) disable() error {
	before, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return err
	}
	quiet := *before
	quiet.Lflag = quiet.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(t.fd, setTermios, &quiet); err != nil {
		return err
	}
	t.before, t.quiet = before, &quiet
	return nil
}

func (t *echo) silence() {
	if t.quiet != nil {
		_ = unix.IoctlSetTermios(t.fd, setTermios, t.quiet)
	}
}

func (t *echo) restore() {
	if t.before != nil {
		_ = unix.IoctlSetTermios(t.fd, setTermios, t.before)
	}
}

// stop does to the process what Ctrl-Z would have done without us, and returns
// when it goes on. It takes another signal that stops, because the runtime does
// not give back one that it was told to notify of. SIGSTOP it is not: where no
// shell could continue the process the system ignores the others. Hence the
// limit too, in small steps, because the time that the process is stopped for
// counts as one.
func (t *echo) stop() {
	_ = unix.Kill(os.Getpid(), unix.SIGTTIN)
	for range 20 {
		select {
		case <-t.signals:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
