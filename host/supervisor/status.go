package supervisor

import "time"

// State is what the supervisor is about.
type State string

// The states.
const (
	Running    State = "running"
	Restarting State = "restarting"
	Reloading  State = "reloading"
	Stopped    State = "stopped"
)

// Status is what an operator sees of the plugin. What the plugin says of itself
// is from its last start.
type Status struct {
	State        State
	Name         string // as the plugin names itself
	Version      string
	Protocol     int // of the contract, as negotiated
	PID          int // 0 while no process runs
	StartedAt    time.Time
	Restarts     int // after a crash or hang, since the host started
	Capabilities []string
	Path         string // of the operator's file, not of the copy that runs
	SHA256       string
	Pinned       bool
	LastError    string // why the plugin last ended, or could not be started or reloaded
}

// EventKind names a lifecycle event in the audit log.
type EventKind string

// The events.
const (
	PluginStarted      EventKind = "plugin_started"
	PluginStartFailed  EventKind = "plugin_start_failed"
	PluginExited       EventKind = "plugin_exited" // without being asked to
	PluginRestarted    EventKind = "plugin_restarted"
	PluginReloaded     EventKind = "plugin_reloaded"
	PluginReloadFailed EventKind = "plugin_reload_failed" // of the refused one; the one before is kept, or restarted
	PluginStopped      EventKind = "plugin_stopped"
)

// Event is one lifecycle event.
type Event struct {
	Kind    EventKind
	At      time.Time
	Path    string // of the operator's file; empty if the settings did not say it
	SHA256  string // empty if the file was not read
	Name    string // as the plugin names itself; empty if it never said
	Version string
	PID     int    // 0 if no process is meant
	Reason  string // what went wrong, in one line; empty if nothing did
}
