package home

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ID returns the host's own id, 32 hexadecimal digits, which stays the same as
// long as the home does: request records name it, so that a host finds those
// of its own changes. The first call makes it; only the holder of the lock may
// call it.
func (h *Home) ID() (string, error) {
	path := filepath.Join(h.path, "host-id")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [16]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		if err := write(path, []byte(id+"\n")); err != nil {
			return "", fmt.Errorf("cannot write %s: %w", path, cause(err))
		}
		return id, nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	id := strings.TrimSuffix(string(data), "\n")
	if b, err := hex.DecodeString(id); err != nil || len(b) != 16 {
		return "", fmt.Errorf("%s does not hold an id of 32 hexadecimal digits; put back the file as it was, or remove it", path)
	}
	return id, nil
}
