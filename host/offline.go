package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/metrics"
	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Offline is a home whose host is stopped, and its plugin, in the hands of the
// operator: what no listener offers. It serves nobody.
type Offline struct {
	*running
	caller audit.Caller
	unlock func()
}

// OpenOffline takes a home as a host does, and starts the configured plugin. Only
// the home's owner may, and root, who becomes the owner. A home that does not
// exist is made if create is set. Close it. Refuses: NotPermitted
// (NEEDS_OPERATOR), NotFound (no home), Unavailable (the plugin), and with a
// *home.HeldError while a host has the home.
func OpenOffline(ctx context.Context, o Options, create bool) (_ *Offline, err error) {
	uid := uint32(os.Getuid())
	f := &Offline{running: &running{Options: o, metrics: metrics.New()}, caller: audit.Caller{UID: &uid, PID: os.Getpid()}}
	as, exists, err := becomeOperator(o.Home)
	switch {
	case err != nil:
		return nil, err
	case !exists && !create:
		return nil, &account.Error{Kind: account.KindNotFound, Subject: o.Home, Message: fmt.Sprintf("there is no home %s; name one with --home", o.Home)}
	case as != "":
		fmt.Fprintf(o.Out, "Going on as %s, who owns the home\n", as)
	}
	if f.home, err = home.Open(o.Home); err != nil {
		return nil, err
	}
	if f.unlock, err = f.home.Lock(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.release())
		}
	}()
	var warnings []config.Warning
	if f.settings, warnings, err = config.Load(f.home.Path(), o.Env, o.Flags); err != nil {
		return nil, err
	}
	level := f.settings.Log.Level
	if level == hclog.Info {
		level = hclog.Warn // what a person sees is what the command prints
	}
	f.logger = hclog.New(&hclog.LoggerOptions{Name: "concourse", Level: level, JSONFormat: f.settings.Log.JSON, Output: o.Log})
	f.warn(warnings)
	if f.id, err = f.home.ID(); err != nil {
		return nil, err
	}
	if f.log, err = audit.Open(f.home.AuditLog(), audit.Options{
		MaxSize: f.settings.Audit.MaxSize, Keep: f.settings.Audit.Keep,
		Warn: func(err error) { f.logger.Warn(err.Error()) },
	}); err != nil {
		return nil, err
	}
	plugins := pluginOptions(f.home, f.settings)
	plugins.Logger = f.logger
	plugins.OnEvent = f.pluginEvent
	if f.plugin, err = supervisor.Start(ctx, plugins); err != nil {
		return nil, err
	}
	// Lines that a crash has cost are written while their records are there.
	if err = f.reconcile(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// offers refuses what the backend has not declared, as the call would, but before
// anybody is asked for a password or a backup is read or made.
func (f *Offline) offers(capability string) error {
	if !slices.Contains(f.plugin.Description().Capabilities, capability) {
		return account.Unsupported(capability)
	}
	return nil
}

// Close stops the plugin and lets go of the home.
func (f *Offline) Close() error { return f.release() }

// release lets go of what has been taken so far.
func (f *Offline) release() error {
	if f.plugin != nil {
		f.stopPlugin()
	}
	var err error
	if f.log != nil {
		err = errors.Join(f.log.Complete(), f.log.Close())
	}
	f.unlock()
	return err
}
