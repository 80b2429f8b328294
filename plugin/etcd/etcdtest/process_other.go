//go:build !linux

package etcdtest

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }

func (m *member) stop() {
	m.cluster.t.Helper()
	m.cluster.t.Fatal("this test needs Linux")
}

func (m *member) cont() { m.cluster.t.Helper(); m.stop() }
