package users

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Bounds of the operator's list of denied passwords. What it takes in memory is
// a few times its size.
const (
	mostListBytes = 10 << 20
	mostListLines = 1_000_000
)

// passwordList is a set of prepared passwords, compared without regard to letter
// case.
type passwordList []string // sorted, in lower case

func newPasswordList(prepared []string) passwordList {
	for i, p := range prepared {
		prepared[i] = strings.ToLower(p)
	}
	slices.Sort(prepared)
	return slices.Compact(prepared)
}

func (l passwordList) has(prepared string) bool {
	_, found := slices.BinarySearch(l, strings.ToLower(prepared))
	return found
}

// commonPasswords are those that the strength estimate's library ships.
var commonPasswords = sync.OnceValue(func() passwordList {
	return newPasswordList(shippedList(passwordsList))
})

// readPasswordList reads a file with one password a line, in the form in which
// the scheme would hash it. Blank lines, and lines that no password can be, are
// left out: published lists have some. Errors don't quote the file.
func readPasswordList(s scheme, home, path string) (passwordList, error) {
	if path == "" {
		return nil, errors.New("name a file with one password on each line")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	text, err := readBounded(path, mostListBytes)
	if err != nil {
		return nil, err
	}
	var prepared []string
	lines := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if lines++; lines > mostListLines {
			return nil, fmt.Errorf("%s has more than %d lines", path, mostListLines)
		}
		if p, err := prepare(s, account.Secret(strings.TrimRight(line, "\r\n"))); err == nil {
			prepared = append(prepared, p)
		}
	}
	if prepared == nil {
		return nil, fmt.Errorf("%s has no password; it needs one on each line, in UTF-8", path)
	}
	return newPasswordList(prepared), nil
}

// readBounded refuses what is not a regular file, which could keep its reader
// waiting, and what is larger.
func readBounded(path string, most int64) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(text)) > most:
		return "", fmt.Errorf("%s is larger than %d MiB", path, most>>20)
	}
	return string(text), nil
}
