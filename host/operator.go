package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/shared/account"
)

// becomeOperator sees to it that this process may do in the home what its
// operator may, and that what it makes there is the owner's: root becomes that
// user for good. Everybody else but the owner is refused (NEEDS_OPERATOR). It
// says as whom it goes on if that is somebody else, and reports false if there
// is no home yet.
func becomeOperator(path string) (as string, exists bool, err error) {
	h, err := home.At(path)
	if err != nil {
		return "", false, err
	}
	info, err := os.Stat(h.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("cannot look at the home: %w", err)
	}
	is := info.Sys().(*syscall.Stat_t)
	owner, self := int(is.Uid), os.Geteuid()
	switch {
	case owner == self:
		return "", true, nil
	case self != 0:
		return "", true, account.NotPermitted(account.ReasonNeedsOperator,
			"only the owner of the home %s, uid %d, and root may do that", h.Path(), owner)
	}
	gid, groups := int(is.Gid), []int{}
	as = fmt.Sprintf("uid %d", owner)
	if u, err := user.LookupId(strconv.Itoa(owner)); err == nil {
		as = fmt.Sprintf("'%s' (uid %d)", account.Printable(u.Username), owner)
		if n, err := strconv.Atoi(u.Gid); err == nil {
			gid = n
		}
		groups = groupsOf(u)
	}
	// The groups first: who is no longer root cannot change them.
	if err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(gid), syscall.Setuid(owner)); err != nil {
		return "", true, fmt.Errorf("cannot go on as %s, who owns the home %s: %w", as, h.Path(), err)
	}
	return as, true, nil
}

func groupsOf(u *user.User) (all []int) {
	texts, _ := u.GroupIds() // without them, with less
	for _, text := range texts {
		if n, err := strconv.Atoi(text); err == nil {
			all = append(all, n)
		}
	}
	return all
}
