package management

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// PluginStatus is what `concourse plugin status` shows.
type PluginStatus struct {
	State        string
	Name         string
	Version      string
	Protocol     int
	PID          int
	StartedAt    time.Time
	Restarts     int
	Capabilities []string
	SHA256       string
	Path         string
	Pinned       bool
	LastError    string
}

// PluginControl is what the operator may ask of the plugin's supervisor.
type PluginControl interface {
	Status() PluginStatus
	// Reload starts the executable anew. It refuses with the reason why the
	// new one did not come up, and the old one goes on.
	Reload(context.Context) error
}

// operator serves the Operator service, to the owner of the home only.
type operator struct {
	managementv1.UnimplementedOperatorServer
	owner  int // uid of the home's owner
	plugin PluginControl
	gate   *gate.Gate

	backingUp sync.Mutex // held by the one that is
}

func (o *operator) admit(ctx context.Context) (gate.Origin, error) {
	c := connectionOf(ctx)
	if c == nil || c.uid != 0 && c.uid != o.owner {
		return gate.Origin{}, account.NotPermitted(account.ReasonNeedsOperator,
			"only the owner of the host's home, uid %d, and root may ask for that", o.owner)
	}
	return c.origin(), nil
}

func (o *operator) PluginStatus(ctx context.Context, _ *managementv1.PluginStatusRequest) (*managementv1.PluginStatusResponse, error) {
	if _, err := o.admit(ctx); err != nil {
		return nil, err
	}
	return o.status(), nil
}

func (o *operator) PluginReload(ctx context.Context, _ *managementv1.PluginReloadRequest) (*managementv1.PluginStatusResponse, error) {
	origin, err := o.admit(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := o.gate.Detach(ctx)
	defer cancel()
	err = o.plugin.Reload(ctx)
	if auditErr := o.gate.PluginReloadAsked(origin, err); err == nil {
		err = auditErr
	}
	if err != nil {
		return nil, err
	}
	return o.status(), nil
}

func (o *operator) status() *managementv1.PluginStatusResponse {
	s := o.plugin.Status()
	resp := &managementv1.PluginStatusResponse{
		State: s.State, Name: s.Name, Version: s.Version, Protocol: uint32(s.Protocol), Pid: uint32(s.PID),
		Restarts: uint32(s.Restarts), Capabilities: s.Capabilities, Sha256: s.SHA256, Path: s.Path,
		Pinned: s.Pinned, LastError: s.LastError,
	}
	if !s.StartedAt.IsZero() {
		resp.StartedAt = timestamppb.New(s.StartedAt)
	}
	return resp
}
