//go:build !linux

package main

import "syscall"

// attributes are none: here a command that is killed leaves its servers, and
// PostgreSQL tells root that it refuses root.
func attributes(syscall.Signal, *identity) *syscall.SysProcAttr { return nil }
