package home

import (
	"os"
	"path/filepath"
	"regexp"
)

// unfinished are backups of what a restore was to replace, as shared/backup names
// them until they are whole.
var unfinished = regexp.MustCompile(`^\.before-restore-.*\.backup\.[0-9]+$`)

// Backups returns the directory of the backups that a restore makes of what it
// replaces. It is made if there is none, so that no power cut takes it away, and
// what a crash left of unfinished ones, which hold password hashes, is removed.
// Only who holds the lock may call it.
func (h *Home) Backups() (string, error) {
	dir := filepath.Join(h.path, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !unfinished.MatchString(e.Name()) {
			continue
		}
		if err := remove(filepath.Join(dir, e.Name())); err != nil {
			return "", err
		}
	}
	return dir, syncDirectory(h.path)
}
