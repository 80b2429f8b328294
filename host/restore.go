package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// Restoration is what a restore came to.
type Restoration struct {
	account.Restored
	Kept string // the backup of what was replaced; empty: none was made
}

// Restore gives the store the contents of a backup, which it reads to its end
// before anything else; name is what the audit log calls it. With keep, what the
// store held goes to a backup in the home first, if it held accounts. Refuses:
// Invalid (not a whole backup, or not of this backend), Unsupported, Unavailable
// and others, all of which leave the store as it was, and no backup of it; and
// OutcomeUnknown.
func (f *Offline) Restore(ctx context.Context, from io.ReadSeeker, name string, keep bool) (_ Restoration, err error) {
	if err := f.offers(account.CapabilityRestore); err != nil {
		return Restoration{}, err
	}
	summary, err := backup.Verify(ctx, from)
	if flaw, ok := errors.AsType[*backup.Flaw](err); ok {
		return Restoration{}, account.Invalid("backup", "the file %s cannot be restored: %v", name, flaw)
	}
	if err == nil {
		_, err = from.Seek(0, io.SeekStart)
	}
	if err != nil {
		return Restoration{}, interruptedBy(err)
	}
	var r Restoration
	defer func() {
		if err != nil && r.StoreID == "" && account.KindOf(err) != account.KindOutcomeUnknown {
			err = errors.Join(err, discard(r.Kept))
		}
	}()
	if keep && f.plugin.Description().Initialized {
		if r.Kept, err = f.keep(ctx); err != nil {
			return Restoration{}, err
		}
	}
	// No record of it will be in the store, so the log says first that it begins.
	what := fmt.Sprintf("from %s, taken %s, of %d accounts", name, summary.TakenAt.Format(time.RFC3339), summary.Accounts)
	if err := f.restored(account.KindOutcomeUnknown.String(), "begins "+what, 0); err != nil {
		return Restoration{}, err
	}
	before := f.plugin.Description().StoreID
	r.Restored, err = f.plugin.Restore(ctx, from)
	if err != nil && unsettled(err) {
		r.Restored, err = f.settle(before, summary, err)
	}
	if err != nil {
		outcome, _ := audit.Outcome(err)
		return Restoration{}, errors.Join(err, f.restored(outcome, what, 0))
	}
	if err := f.restored(audit.OK, what, r.Accounts); err != nil {
		return r, fmt.Errorf("the store was restored, but the audit log says only that it began: %w", err)
	}
	return r, nil
}

// keep makes a backup of what is there.
func (f *Offline) keep(ctx context.Context) (path string, err error) {
	dir, err := f.home.Backups()
	if err != nil {
		return "", fmt.Errorf("cannot keep a backup of what is to be replaced: %w", err)
	}
	path = filepath.Join(dir, "before-restore-"+time.Now().UTC().Format("20060102T150405.000Z")+".backup")
	_, err = backup.WriteFile(ctx, path, false, func(w io.Writer) error { return f.plugin.Backup(ctx, w) })
	if refusal, ok := errors.AsType[*account.Error](err); ok {
		e := *refusal
		e.Message = "no backup of what is to be replaced can be kept: " + e.Message + "; --no-copy goes on without one"
		return "", &e
	}
	if err != nil {
		return "", interruptedBy(fmt.Errorf("no backup of what is to be replaced can be kept: %w", err))
	}
	return path, nil
}

// discard removes the backup of what was not replaced after all.
func discard(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("the backup of what was not replaced is left: %w", err)
	}
	return nil
}

// unsettled reports whether a Restore that ended so may have replaced the store
// all the same: its answer, or the plugin, got lost.
func unsettled(err error) bool {
	switch account.KindOf(err) {
	case account.KindUnavailable, account.KindInternal, account.KindOutcomeUnknown, account.KindInterrupted:
		return true
	}
	return false
}

// settle asks another process of the plugin which store it finds.
func (f *Offline) settle(before string, s backup.Summary, cause error) (account.Restored, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*f.settings.CallTimeout)
	defer cancel()
	if err := f.plugin.Reload(ctx, nil); err != nil {
		return account.Restored{}, &account.Error{
			Kind: account.KindOutcomeUnknown, Reason: account.ReasonOutcomeUnknown,
			Message: fmt.Sprintf("it is not known whether the store was restored (%v), because the plugin does not come up again: %v", cause, err),
		}
	}
	now := f.plugin.Description().StoreID
	if now == before {
		return account.Restored{}, asItWas(cause)
	}
	return account.Restored{Accounts: s.Accounts, TakenAt: s.TakenAt, StoreID: now}, nil
}

// asItWas tells of a failure that changed nothing.
func asItWas(cause error) error {
	if e, ok := errors.AsType[*account.Error](cause); ok {
		told := *e
		told.Message += "; the store is as it was"
		return &told
	}
	return fmt.Errorf("%w; the store is as it was", cause)
}

// restored writes a line about a restore.
func (f *Offline) restored(outcome, detail string, accounts uint64) error {
	return f.log.Append(audit.Entry{Event: audit.Restore, Outcome: outcome, Caller: &f.caller, Detail: detail, Count: accounts})
}

// interruptedBy gives the end of a context its kind.
func interruptedBy(err error) error {
	if errors.Is(err, context.Canceled) {
		return &account.Error{Kind: account.KindInterrupted, Message: "interrupted; nothing was changed"}
	}
	return err
}
