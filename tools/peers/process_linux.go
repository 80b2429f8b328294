package main

import "syscall"

// attributes end a program with this one, however that ends, and keep a
// terminal's interrupt from it.
func attributes(stop syscall.Signal, as *identity) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: stop}
	if as != nil {
		a.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return a
}
