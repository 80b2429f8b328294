package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/version"
)

// place is where the host is: the options of every command that speaks to one.
type place struct {
	home        string
	socketOwner string
}

func (p *place) define(o *options) {
	o.homeOption(&p.home)
	o.StringVar(&p.socketOwner, "socket-owner", "", "trust a socket of this `USER`, besides root's and your own (CONCOURSE_SOCKET_OWNER)")
}

func (p *place) dial(ctx context.Context) (*management.Client, error) {
	o := management.DialOptions{Program: "concourse " + version.String()}
	const variable = "CONCOURSE_SOCKET_OWNER"
	owner, from := p.socketOwner, "--socket-owner"
	if owner == "" {
		owner, from = os.Getenv(variable), variable
	}
	if owner != "" {
		uid, err := userID(owner)
		if err != nil {
			return nil, account.Invalid("socket-owner", "%s: %v", from, err)
		}
		o.AllowedOwners = []uint32{uid}
	}
	h, err := findHome(p.home)
	if err != nil {
		return nil, err
	}
	return management.Dial(ctx, h.Socket(), o)
}

// findHome returns the home that --home names, or the default one.
func findHome(given string) (*home.Home, error) {
	h, err := home.At(cmp.Or(given, home.Default(os.Getenv, os.Geteuid())))
	if err != nil {
		return nil, account.Invalid("home", "%v", err)
	}
	return h, nil
}

func userID(name string) (uint32, error) {
	if u, err := user.Lookup(name); err == nil {
		name = u.Uid
	}
	uid, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("there is no user %q", account.Printable(name))
	}
	return uint32(uid), nil
}
