package home

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// Path returns the home itself, absolute and clean.
func (h *Home) Path() string { return h.path }

// Socket returns the path of the management socket.
func (h *Home) Socket() string { return filepath.Join(h.path, "management.sock") }

// AuditLog returns the path of the audit log's current file.
func (h *Home) AuditLog() string { return filepath.Join(h.path, "audit", "audit.jsonl") }

// InitialPassword returns the path of the file with the first administrator's
// generated password.
func (h *Home) InitialPassword() string { return filepath.Join(h.path, "initial-admin-password") }

// PluginRun returns the directory of the plugin's sockets and executed copies.
func (h *Home) PluginRun() string { return filepath.Join(h.path, "run") }

// longestSocket is the longest name of a plugin's socket: the supervisor's
// directory for one process, then go-plugin's "plugin" and a random number of
// 32 bits.
const longestSocket = "s000000/plugin4294967295"

func (h *Home) checkLength() error {
	longest := max(len(h.Socket()), len(filepath.Join(h.PluginRun(), longestSocket)))
	if most := mostSocketPath() - (longest - len(h.path)); len(h.path) > most {
		return fmt.Errorf("the home's path has %d bytes, and with sockets in it may have at most %d: %s", len(h.path), most, h.path)
	}
	return nil
}

// mostSocketPath is the size of sun_path without its closing zero.
func mostSocketPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}
