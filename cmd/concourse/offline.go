package main

import (
	"context"
	"os"

	"github.com/cinchapi/concourse-users/host"
	"github.com/cinchapi/concourse-users/shared/account"
)

// offline is the home of a host that is stopped, and the settings with which
// that host would start: the options of what only its operator may do.
type offline struct {
	home string
	settings
}

func (v *offline) define(o *options) {
	o.homeOption(&v.home)
	v.settings.define(o)
	v.settings.hide(o)
}

// open takes the home. Standard output stays the command's own.
func (v *offline) open(ctx context.Context, create bool) (*host.Offline, error) {
	h, err := findHome(v.home)
	if err != nil {
		return nil, err
	}
	f, err := host.OpenOffline(ctx, host.Options{
		Home: h.Path(), Env: os.Environ(), Flags: v.given, Out: os.Stderr, Log: os.Stderr,
	}, create)
	return f, unchanged(refused(err))
}

// unchanged puts an interruption in the words of whoever interrupted. What these
// commands have begun to change they carry through, or find out that it did not.
func unchanged(err error) error {
	if account.KindOf(err) == account.KindInterrupted {
		return &account.Error{Kind: account.KindInterrupted, Message: "interrupted; nothing was changed"}
	}
	return err
}
