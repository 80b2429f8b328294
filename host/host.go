package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/follow"
	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/host/metrics"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/host/throttle"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/version"
)

// Options say where and for whom a host runs.
type Options struct {
	Home     string            // the home's path
	Env      []string          // as from os.Environ
	Flags    map[string]string // settings from the command line, by their names
	Out      io.Writer         // what a person should read
	Terminal bool              // Out is a terminal: a generated password may be shown
	Log      io.Writer         // the log

	// Beside is for tests that bring a listener of their own, and nil in every
	// other host. It serves from the host's gate until ctx ends. An error ends the
	// host.
	Beside func(ctx context.Context, g *gate.Gate) error
}

// The host's own pace.
const (
	expireEvery     = time.Minute      // between two sweeps for sessions that are over
	stopWithin      = 10 * time.Second // for calls under way when the host stops, and again for the plugin
	reconcileWithin = 5 * time.Minute  // for reading the request records of a day
)

// running is a host that holds its home.
type running struct {
	Options
	home     *home.Home
	settings *config.Config
	id       string
	owner    int // uid of the home's owner, who is the operator
	logger   hclog.Logger
	log      *audit.Log
	metrics  *metrics.Metrics
	plugin   *supervisor.Supervisor
}

// Run runs a host until ctx ends, then stops it in order: no new calls, those
// under way finish, the relay leaves the upstream, the plugin shuts down, the
// audit log closes.
func Run(ctx context.Context, o Options) (err error) {
	h, err := home.Open(o.Home)
	if err != nil {
		return err
	}
	unlock, err := h.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	r := &running{Options: o, home: h, metrics: metrics.New()}
	var warnings []config.Warning
	if r.settings, warnings, err = config.Load(h.Path(), o.Env, o.Flags); err != nil {
		return err
	}
	r.logger = hclog.New(&hclog.LoggerOptions{
		Name: "concourse", Level: r.settings.Log.Level, JSONFormat: r.settings.Log.JSON, Output: o.Log,
	})
	r.warn(warnings)
	if r.id, err = h.ID(); err != nil {
		return err
	}
	if r.owner, err = ownerOf(h); err != nil {
		return err
	}
	if r.log, err = audit.Open(h.AuditLog(), audit.Options{
		MaxSize: r.settings.Audit.MaxSize, Keep: r.settings.Audit.Keep,
		Warn: func(err error) { r.logger.Warn(err.Error()) }, Appended: r.metrics.AuditAppended,
	}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.log.Close()) }()
	if err := r.log.Append(audit.Entry{Event: audit.HostStarted, Outcome: audit.OK, Detail: version.String()}); err != nil {
		return err
	}
	err = r.run(ctx)
	if ctx.Err() != nil && account.KindOf(err) != account.KindInternal {
		err = nil // told to stop before it was ready
	}
	stopped := audit.Entry{Event: audit.HostStopped}
	stopped.Outcome, stopped.Reason = audit.Outcome(err)
	// No call is under way any more, so the log can be marked complete.
	return errors.Join(err, r.log.Append(stopped), r.log.Complete())
}

// run starts the parts, serves, and stops them in the opposite order.
func (r *running) run(ctx context.Context) error {
	front, err := r.openFront()
	if err != nil {
		return err
	}
	leave := sync.OnceFunc(front.leave)
	defer leave()
	stopMetrics, err := r.serveMetrics()
	if err != nil {
		return err
	}
	defer stopMetrics()
	plugins := pluginOptions(r.home, r.settings)
	plugins.Logger = r.logger
	plugins.OnEvent = r.pluginEvent
	if r.plugin, err = supervisor.Start(ctx, plugins); err != nil {
		return err
	}
	defer r.stopPlugin()
	r.remarkOnBackend()
	if err := r.initialize(ctx, r.settings.Init); err != nil {
		return err
	}
	if err := r.reconcile(ctx); err != nil {
		return err
	}

	table := session.New(session.Options{
		Host: r.id, IdleTimeout: r.settings.Session.IdleTimeout,
		AbsoluteTimeout: r.settings.Session.AbsoluteTimeout, Lease: r.settings.Lease,
		Changed: front.changed(),
	})
	r.metrics.Read(metrics.Sources{Sessions: table, Audit: r.log, Plugin: r.pluginMetrics, Clients: front.figures, Lease: r.settings.Lease})
	stopping, cut := context.WithCancel(context.Background())
	defer cut()
	g := &gate.Gate{
		Users: r.plugin, Table: table, Throttle: throttle.New(throttle.Options{}), Audit: r.log,
		Logger: r.logger.Named("gate"), Host: r.id, DefaultEnvironment: r.settings.DefaultEnvironment,
		CallTimeout: r.settings.CallTimeout, LeaseWait: r.settings.LeaseWait, Stopping: stopping,
		PasswordChanged: r.forgetInitialPassword, LoginEnded: r.metrics.LoginEnded,
		SessionEnded: front.sessionEnded(),
	}
	listener, err := r.listen()
	if err != nil {
		return err
	}
	defer os.Remove(r.home.Socket())
	server := management.NewServer(management.Options{
		Gate: g, Table: table, Owner: r.owner, Plugin: control{r}, Logger: r.logger.Named("management"),
		CommandEnded: r.metrics.CommandEnded,
	})
	follower := &follow.Follower{
		Plugin: r.plugin, Knowledge: table, Lease: r.settings.Lease, Logger: r.logger.Named("follow"), Load: r.metrics.LoadTold,
	}

	background, end := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	defer parts.Wait()
	defer end()
	parts.Go(func() { follower.Run(background) })
	parts.Go(func() { expire(background, table) })
	parts.Go(func() { server.Report(background) })
	failed := make(chan error, 1)
	fail := func(err error) { // the first one counts
		select {
		case failed <- err:
		default:
		}
	}
	parts.Go(func() { fail(server.Serve(listener)) })
	front.serve(g, &parts, fail)
	if r.Beside != nil {
		parts.Go(func() { fail(r.Beside(background, g)) })
	}

	err = r.ready(ctx, table, failed, front)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	r.logger.Info("stopping")
	r.notify(daemon.SdNotifyStopping)
	late := time.AfterFunc(stopWithin, cut)
	defer late.Stop()
	var ended sync.WaitGroup
	ended.Go(func() { front.stop(stopWithin) })
	ended.Go(func() { server.Stop(stopWithin) })
	ended.Wait()
	leave() // while the plugin still runs
	return err
}

// stopPlugin ends the plugin, by force if it takes too long.
func (r *running) stopPlugin() {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := r.plugin.Stop(ctx); err != nil {
		r.logger.Warn("the plugin did not stop by itself", "error", err)
	}
}

// ready waits until the host knows enough to answer, and says so.
func (r *running) ready(ctx context.Context, table *session.Table, failed <-chan error, front *front) error {
	waiting, cancel := context.WithTimeout(ctx, r.settings.Plugin.StartTimeout)
	defer cancel()
	err := table.AwaitLease(waiting)
	select {
	case err := <-failed:
		return fmt.Errorf("a listener failed: %w", err)
	default:
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return account.Unavailable("the users plugin came up, but its store does not answer")
	}
	r.notify(daemon.SdNotifyReady)
	front.announce()
	fmt.Fprintf(r.Out, "Concourse is ready; administrators reach it at %s\n", r.home.Socket())
	front.tryUpstream()
	return nil
}

// notify tells systemd, if it asked to be told. A host that cannot tell still
// serves.
func (r *running) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		r.logger.Warn("systemd could not be told", "state", state, "error", err)
	}
}

func (r *running) warn(warnings []config.Warning) {
	for _, w := range warnings {
		r.logger.Warn(w.String())
	}
}

// ownerOf returns the uid of the operator.
func ownerOf(h *home.Home) (int, error) {
	info, err := os.Stat(h.Path())
	if err != nil {
		return 0, err
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), nil
}

// listen makes the management socket, and lets the group through to it, if
// there is one.
func (r *running) listen() (net.Listener, error) {
	gid := r.settings.Management.SocketGID
	if gid >= 0 {
		if err := r.home.Admit(gid); err != nil {
			return nil, err
		}
	}
	return management.Listen(r.home.Socket(), gid)
}

func expire(ctx context.Context, table *session.Table) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			table.Expire()
		case <-ctx.Done():
			return
		}
	}
}

// pluginOptions says which plugin the settings name, and what it is given.
func pluginOptions(h *home.Home, settings *config.Config) supervisor.Options {
	return supervisor.Options{
		Path: settings.Plugin.Path, Directory: settings.Plugin.Directory, SHA256: settings.Plugin.SHA256,
		AutoMTLS: settings.Plugin.AutoMTLS, StartTimeout: settings.Plugin.StartTimeout, CallTimeout: settings.CallTimeout,
		RunDir:        h.PluginRun(),
		Configuration: account.Configuration{Home: h.Path(), Settings: settings.Plugin.Settings},
	}
}

// control is what the operator may ask of the plugin's supervisor.
type control struct{ *running }

func (c control) Status() management.PluginStatus {
	s := c.plugin.Status()
	return management.PluginStatus{
		State: string(s.State), Name: s.Name, Version: s.Version, Protocol: s.Protocol, PID: s.PID,
		StartedAt: s.StartedAt, Restarts: s.Restarts, Capabilities: s.Capabilities, SHA256: s.SHA256,
		Path: s.Path, Pinned: s.Pinned, LastError: s.LastError,
	}
}

// Reload reads the settings again: that is how a new pin comes in. A store that
// comes in with them, and is empty, gets its first administrator.
func (c control) Reload(ctx context.Context) error {
	settings, warnings, err := config.Load(c.home.Path(), c.Env, c.Flags)
	if err != nil {
		return account.Invalid("settings", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	c.warn(warnings)
	if err := c.plugin.Reload(ctx, func() (supervisor.Options, error) { return pluginOptions(c.home, settings), nil }); err != nil {
		return err
	}
	c.remarkOnBackend()
	if c.plugin.Description().Initialized {
		return nil
	}
	return c.initialize(ctx, settings.Init)
}
