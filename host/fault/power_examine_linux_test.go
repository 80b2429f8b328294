package fault_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os/exec"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// examiner opens stores as the plugin does, one after another, until it is
// stopped.
type examiner struct {
	in   io.Writer
	out  *json.Decoder
	stop func()
}

func startExaminer(t *testing.T) *examiner {
	t.Helper()
	cmd := exec.Command(hosttest.BuildPlain(t, "./plugin/bolt/testdata/examine"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &examiner{in: in, out: json.NewDecoder(bufio.NewReader(out)), stop: func() {
		in.Close()
		cmd.Wait()
	}}
}

// contents are what a store holds.
type contents struct {
	Problem     string `json:",omitempty"`
	Initialized bool
	Accounts    []account.Account
	Records     []account.Record
}

// store opens the store of a home.
func (x *examiner) store(dir string) (c contents, err error) {
	if _, err := fmt.Fprintln(x.in, dir); err != nil {
		return c, err
	}
	if err := x.out.Decode(&c); err != nil {
		return c, err
	}
	if c.Problem != "" {
		return c, errors.New(c.Problem)
	}
	return c, nil
}

// examine finds what the next start would of a home: it opens the store, and
// completes the audit log, as a host does.
func (x *examiner) examine(l *life, dir string) (r remains, err error) {
	store, err := x.store(dir)
	if err != nil {
		return r, err
	}
	r = remains{initialized: store.Initialized, accounts: map[string]account.Account{}, records: map[string]bool{}}
	for _, a := range store.Accounts {
		r.accounts[a.Username] = a
	}
	for _, record := range store.Records {
		r.records[record.RequestID.String()] = true
		if record.Host != l.id {
			return r, fmt.Errorf("a record names the host %s, and it is %s", record.Host, l.id)
		}
	}
	r.changed = len(l.admin.deeds) > 0 && r.records[l.admin.deeds[0].id]
	h, err := home.Open(dir)
	if err != nil {
		return r, err
	}
	id, err := h.ID()
	if err != nil {
		return r, err
	}
	if r.initialized && id != l.id {
		return r, fmt.Errorf("the host's id is gone")
	}
	_, password, ok, err := h.ReadInitialPassword()
	switch {
	case err != nil:
		return r, err
	case r.initialized && !r.changed && (!ok || string(password) != string(l.password)):
		return r, fmt.Errorf("the store is initialised, and the first password is not in its file")
	}
	r.lines, err = completed(h, id, store.Records)
	return r, err
}

// completed returns the audit log as a start leaves it.
func completed(h *home.Home, id string, records []account.Record) ([]audit.Entry, error) {
	log, err := audit.Open(h.AuditLog(), audit.Options{})
	if err != nil {
		return nil, err
	}
	_, err = log.Reconcile(id, func(account.RequestID) iter.Seq2[account.Record, error] {
		return func(yield func(account.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	})
	if err := errors.Join(err, log.Close()); err != nil {
		return nil, err
	}
	var lines []audit.Entry
	for e, err := range audit.Read(h.AuditLog(), time.Time{}) {
		if err != nil {
			return nil, fmt.Errorf("behind %d lines: %w", len(lines), err)
		}
		lines = append(lines, e)
	}
	return lines, nil
}
