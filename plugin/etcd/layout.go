package etcd

import (
	"fmt"
	"slices"

	"github.com/cinchapi/concourse-users/plugin/users"
)

// layout is how users.Keys become keys of etcd: the prefix, the space, a slash
// and the name, as it is, so that names keep their order.
type layout struct{ prefix string }

// key refuses a key that no store may hold.
func (l layout) key(k users.Key) (string, error) {
	begin, _, err := l.space(k.Space)
	if err != nil {
		return "", err
	}
	if n := len(k.Name); n == 0 || n > users.MaxName {
		return "", fmt.Errorf("a key's name in %q has %d bytes; it may have 1 to %d", k.Space, n, users.MaxName)
	}
	return begin + k.Name, nil
}

// space returns the first key that a space may have and the first beyond it,
// which ends in the byte after the slash.
func (l layout) space(s users.Space) (begin, end string, err error) {
	if !slices.Contains(users.Spaces(), s) {
		return "", "", fmt.Errorf("%q is not a space", s)
	}
	path := l.prefix + string(s)
	return path + "/", path + "0", nil
}
