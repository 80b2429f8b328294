package host

import (
	"fmt"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// pluginEvent writes a lifecycle event of the plugin into the audit log.
func (r *running) pluginEvent(e supervisor.Event) {
	entry := audit.Entry{
		Event: audit.PluginStarted, Outcome: audit.OK,
		Detail: fmt.Sprintf("%s: %s", e.Kind, e.Path),
	}
	if e.PID != 0 { // none runs, or it did not come up
		entry.Detail += fmt.Sprintf(" %s, pid %d", e.Version, e.PID)
	}
	entry.Detail += ", sha256 " + e.SHA256
	switch e.Kind {
	case supervisor.PluginExited, supervisor.PluginStopped:
		entry.Event = audit.PluginExited
	case supervisor.PluginReloaded, supervisor.PluginReloadFailed:
		entry.Event = audit.PluginReload
	}
	if e.Reason != "" {
		entry.Outcome = account.KindUnavailable.String()
		entry.Detail += ": " + e.Reason
	}
	if err := r.log.Append(entry); err != nil {
		r.logger.Error("the audit log takes no lines", "error", err)
	}
}
