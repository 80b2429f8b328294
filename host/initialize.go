package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/config"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/supervisor"
	"github.com/cinchapi/concourse-users/shared/account"
)

// initialize gives an empty store its first ADMIN. A password that nobody gave
// is made here, and is on disk before the account is: whoever finds the account
// committed finds its password too. A crash in between leaves the file, and the
// next start uses it; a crash before the audit line leaves a request record, and
// reconcile writes the line.
func (r *running) initialize(ctx context.Context, root config.Init) error {
	is := r.plugin.Description()
	if is.Initialized {
		return r.settleInitialPassword(ctx)
	}
	if !slices.Contains(is.Capabilities, account.CapabilityChange) {
		e := account.Unsupported(account.CapabilityChange)
		e.Message = fmt.Sprintf("the backend %s says that its store has no administrator yet, and that it cannot make one: it does not declare %q; "+
			"a backend whose accounts are kept elsewhere says that its store is initialised", account.Printable(is.Name), account.CapabilityChange)
		return e
	}
	first := account.FirstAdministrator{
		Username: root.Username, Password: root.Password,
		RequestID: account.NewRequestID(time.Now()), Host: r.id,
	}
	if root.PasswordFile != "" {
		var err error
		if first.Password, err = readPassword("init.root.password_file", r.inHome(root.PasswordFile)); err != nil {
			return err
		}
	}
	generated := first.Password == nil
	if generated {
		username, password, ok, err := r.home.ReadInitialPassword()
		if err != nil {
			return err
		}
		if !ok || username != first.Username {
			password = home.NewPassword()
			if err := r.home.WriteInitialPassword(first.Username, password); err != nil {
				return err
			}
		}
		first.Password = password
	}
	done, err := r.plugin.Initialize(ctx, first)
	if account.KindOf(err) == account.KindOutcomeUnknown {
		return &account.Error{
			Kind: account.KindOutcomeUnknown, Reason: account.ReasonOutcomeUnknown, Subject: first.Username, RequestID: first.RequestID.String(),
			Message: fmt.Sprintf("it is not known whether the first administrator '%s' was created; start the host again, which finds out", first.Username),
		}
	}
	if err != nil {
		return fmt.Errorf("create the first administrator '%s': %w", first.Username, err)
	}
	if !generated || !done.Changed { // the file, if there is one, tells another password
		if err := r.home.RemoveInitialPassword(); err != nil {
			return err
		}
	}
	if !done.Changed { // another host of the same store was faster
		return nil
	}
	if done.Warning != "" {
		r.logger.Warn("the first administrator's password is weak: " + done.Warning)
	}
	if err := r.log.Append(audit.Entry{
		Event: audit.Change, Outcome: audit.OK, Verb: account.VerbInitialize, Target: first.Username,
		Role: account.Admin, Changed: new(true), RequestID: first.RequestID.String(),
	}); err != nil {
		return err
	}
	switch {
	case generated && r.Terminal:
		fmt.Fprintf(r.Out, "The first administrator is '%s' with the password %s\n(also in %s until it is first changed)\n",
			first.Username, string(first.Password), r.home.InitialPassword())
	case generated:
		r.tellInitialPassword(first.Username)
	default:
		fmt.Fprintf(r.Out, "The first administrator is '%s' with the password from the settings\n", first.Username)
	}
	return nil
}

// byteOrderMark is what some editors begin a UTF-8 file with; it is no part of
// what it says.
var byteOrderMark = []byte("\ufeff")

// readPassword returns the first line of the file that a setting names. It refuses
// with Invalid.
func readPassword(setting, path string) (account.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, account.Invalid(setting, "cannot read the password, see %s: %v", setting, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, account.MaxPassword+int64(len(byteOrderMark))+2)) // with the line's end
	if err != nil {
		return nil, account.Invalid(setting, "cannot read the password, see %s: %v", setting, err)
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(data, byteOrderMark), []byte("\n"))
	switch line = bytes.TrimSuffix(line, []byte("\r")); {
	case len(line) == 0:
		return nil, account.Invalid(setting, "the first line of %s, see %s, is empty; it must hold the password", path, setting)
	case len(line) > account.MaxPassword:
		return nil, account.Invalid(setting, "a password may have at most %d bytes, and the first line of %s, see %s, has more", account.MaxPassword, path, setting)
	}
	return line, nil
}

// remarkOnBackend warns of accounts that end with the plugin's process (rule 1).
func (r *running) remarkOnBackend() {
	is := r.plugin.Description()
	if slices.Contains(is.Capabilities, account.CapabilityChange) && !slices.Contains(is.Capabilities, account.CapabilityDurable) {
		r.logger.Warn("the backend keeps its accounts in memory only: they end with its process", "backend", is.Name, "undeclared", account.CapabilityDurable)
	}
}

func (r *running) tellInitialPassword(username string) {
	fmt.Fprintf(r.Out, "The first administrator is '%s'; the password is in %s until it is first changed\n",
		username, r.home.InitialPassword())
}

// settleInitialPassword says at a later start where the first password still
// is, or removes a file that a crash, or another host, has left untrue.
func (r *running) settleInitialPassword(ctx context.Context) error {
	username, password, ok, err := r.home.ReadInitialPassword()
	if err != nil || !ok {
		return err
	}
	_, err = r.plugin.Authenticate(ctx, account.Credentials{
		Username: username, Password: password, Listener: account.ManagementListener, Probe: true,
	})
	if account.KindOf(err) == account.KindNotAuthenticated {
		return r.home.RemoveInitialPassword()
	}
	r.tellInitialPassword(username)
	return nil
}

// forgetInitialPassword removes the file with the first administrator's
// password once it no longer says the truth.
func (r *running) forgetInitialPassword(username string) {
	name, _, ok, err := r.home.ReadInitialPassword()
	if err == nil && ok && name == username {
		err = r.home.RemoveInitialPassword()
	}
	if err != nil {
		r.logger.Error("the file with the initial password could not be removed", "error", err)
	}
}

// reconcile writes the audit lines that a crash cost (rule 12), before the
// first call is let in.
func (r *running) reconcile(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reconcileWithin)
	defer cancel()
	added, err := r.log.Reconcile(r.id, records(ctx, r.plugin))
	if err != nil {
		return fmt.Errorf("complete the audit log from the store's request records: %w", err)
	}
	if added > 0 {
		r.logger.Warn("audit lines that a crash had cost were added from the store's request records", "lines", added)
	}
	return nil
}

// records pages through the store's request records.
func records(ctx context.Context, plugin *supervisor.Supervisor) audit.Records {
	return func(after account.RequestID) iter.Seq2[account.Record, error] {
		return func(yield func(account.Record, error) bool) {
			for {
				page, next, err := plugin.Records(ctx, after)
				if err != nil {
					yield(account.Record{}, err)
					return
				}
				for _, r := range page {
					if !yield(r, nil) {
						return
					}
				}
				if next.IsZero() {
					return
				}
				after = next
			}
		}
	}
}
