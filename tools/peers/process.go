package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a program that runs, and does not outlive this one.
type process struct {
	cmd    *exec.Cmd
	stop   syscall.Signal
	said   bytes.Buffer
	exited chan struct{} // closed when it was reaped; what it said is whole then
}

// identity is who a program runs as; nil is who this one runs as.
type identity struct{ uid, gid uint32 }

// start starts the program, which the signal ends.
func start(cmd *exec.Cmd, stop syscall.Signal, as *identity) (*process, error) {
	cmd.SysProcAttr = attributes(stop, as)
	p := &process{cmd: cmd, stop: stop, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	started := make(chan error)
	go func() {
		// A child dies with the thread that started it, which ends with this
		// goroutine, once the child is reaped.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // how it ended is in its state
		}
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// wait waits until the program has done its work.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.end()
		return ctx.Err()
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%v\n%s", p.cmd.ProcessState, p.said.Bytes())
	}
	return nil
}

// ready waits until the server answers.
func (p *process) ready(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("the server ended before it answered: %v\n%s", p.cmd.ProcessState, p.said.Bytes())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *process) end() {
	p.cmd.Process.Signal(p.stop)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.exited
	}
}
