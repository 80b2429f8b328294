package management

import (
	"io"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Backup sends what the plugin writes. One at a time: each takes as much of the
// home's disk as the store has.
func (o *operator) Backup(_ *managementv1.BackupRequest, stream managementv1.Operator_BackupServer) error {
	origin, err := o.admit(stream.Context())
	if err != nil {
		return err
	}
	if !o.backingUp.TryLock() {
		return account.Conflict("another backup is under way")
	}
	defer o.backingUp.Unlock()
	w := &recorded{gate: o.gate, origin: origin}
	w.to = wire.NewChunkWriter(func(data []byte) error { return stream.Send(&managementv1.BackupResponse{Data: data}) })
	err = o.gate.Users.Backup(stream.Context(), w)
	if err == nil {
		err = w.to.Flush()
	}
	if err != nil && w.refused == nil {
		o.gate.BackupAsked(origin, err) // nobody is told that it is whole, so nothing hangs on this line
	}
	return err
}

// recorded lets nothing out before the audit log has its line, but empty writes,
// with which a backup of a large store begins.
type recorded struct {
	gate    *gate.Gate
	origin  gate.Origin
	to      *wire.ChunkWriter
	begun   bool
	refused error // why there is no line
}

var _ io.Writer = (*recorded)(nil)

func (r *recorded) Write(p []byte) (int, error) {
	if len(p) > 0 && !r.begun {
		if r.refused = r.gate.BackupAsked(r.origin, nil); r.refused != nil {
			return 0, r.refused
		}
		r.begun = true
	}
	return r.to.Write(p)
}
