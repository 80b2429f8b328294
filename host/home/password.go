package home

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cinchapi/concourse-users/shared/account"
)

// A new password has small letters and digits only, none of which looks like
// another, in groups, so that it is easy to read out and to type.
const (
	letters        = "abcdefghjkmnpqrstuvwxyz23456789"
	groups         = 5
	lettersInGroup = 5
)

// NewPassword returns a random password of 123 bits.
func NewPassword() account.Secret {
	// Bytes from here on would make some letters likelier than others.
	const fair = 256 - 256%len(letters)
	var password account.Secret
	for n := 0; n < groups*lettersInGroup; {
		var b [1]byte
		if rand.Read(b[:]); int(b[0]) >= fair {
			continue
		}
		if n > 0 && n%lettersInGroup == 0 {
			password = append(password, '-')
		}
		password = append(password, letters[int(b[0])%len(letters)])
		n++
	}
	return password
}

// The file's first line is the password, so that --password-file reads it; the
// second names the account.
const usernamePrefix = "username "

// mostPasswordFile bounds what is read of the file, in bytes.
const mostPasswordFile = account.MaxPassword + account.MaxUsername + 64

// WriteInitialPassword writes the first administrator's generated password to
// its file, mode 0600, synced, so that it is there before the account is.
func (h *Home) WriteInitialPassword(username string, password account.Secret) error {
	if bytes.ContainsAny(password, "\r\n") || bytes.ContainsAny([]byte(username), "\r\n") {
		return errors.New("neither a username nor a password in a file may contain a line break")
	}
	data := append(bytes.Clone(password), '\n')
	data = append(data, usernamePrefix+username+"\n"...)
	if err := write(h.InitialPassword(), data); err != nil {
		return fmt.Errorf("cannot write %s: %w", h.InitialPassword(), cause(err))
	}
	return nil
}

// ReadInitialPassword returns what WriteInitialPassword wrote; ok is false if
// there is no such file.
func (h *Home) ReadInitialPassword() (username string, password account.Secret, ok bool, err error) {
	path := h.InitialPassword()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, false, nil
	}
	if err != nil {
		return "", nil, false, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostPasswordFile))
	if err != nil {
		return "", nil, false, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	second, _, whole := bytes.Cut(rest, []byte("\n"))
	name, named := bytes.CutPrefix(second, []byte(usernamePrefix))
	if !whole || !named || len(first) == 0 || len(name) == 0 {
		return "", nil, false, fmt.Errorf("%s is not as it was written; remove it", path)
	}
	return string(name), first, true, nil
}

// RemoveInitialPassword removes the file, if it is there, for good.
func (h *Home) RemoveInitialPassword() error {
	err := errors.Join(remove(h.InitialPassword()), remove(beside(h.InitialPassword())))
	if err == nil {
		err = syncDirectory(h.path)
	}
	if err != nil {
		return fmt.Errorf("cannot remove %s: %w", h.InitialPassword(), cause(err))
	}
	return nil
}
