package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

type restoreStore struct {
	offline
	yes, check, noCopy bool
}

func (*restoreStore) Synopsis() string {
	return "Put a backup in place of all accounts, while the host is stopped"
}

func (*restoreStore) Help() string {
	return `Usage: concourse restore [options] <file>

  Checks a file that 'concourse backup' wrote, says what it is, asks, and gives
  the plugin's store its contents in place of what it holds: all of them or, if
  anything fails, none. What the store held is first saved to a file in backups,
  in the home. No session outlives it.

  The host must be stopped: its home is taken, and made if there is none, and its
  plugin started with the settings that 'concourse start' with the same options
  would have. For the owner of the home; root goes on as that user. The audit log
  tells of it.`
}

func (v *restoreStore) Options(o *options) {
	o.argument = "file"
	o.boolOption(&v.check, "check", "only check the file; no home is needed for that")
	o.boolOption(&v.yes, "yes", "do not ask whether it is meant")
	o.noInputOption()
	o.boolOption(&v.noCopy, "no-copy", "do not save what the store holds now")
	o.formatOption()
	v.define(o)
}

func (v *restoreStore) Run(ctx context.Context, c *console) error {
	if len(c.args) == 0 {
		return account.Invalid("file", "name the file to restore")
	}
	name := c.args[0]
	if name == "-" {
		return account.Invalid("file", "a backup is checked to its end before it is restored, so it must be a file; write standard input to one first")
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() { // opening it could wait for ever
		return account.Invalid("file", "the file %s is not a regular one, so that it cannot be read twice; write the backup to one first", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return account.Invalid("file", "the file %s cannot be read: %v", name, cause(err))
	}
	defer file.Close()
	if err := v.confirmable(c); err != nil {
		return err
	}
	s, err := v.verify(ctx, file)
	if err != nil || v.check && c.json {
		if err == nil {
			err = notPrinted(writeJSON(c.out, newJSONBackup(name, s)))
		}
		return err
	}
	if !c.json {
		if err := c.say(c.display.wrapped(append([]string{name + " is a whole backup"}, c.backup(s)...))...); err != nil || v.check {
			return err
		}
	}
	f, err := v.open(ctx, true)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := v.confirm(ctx, c); err != nil {
		return err
	}
	r, err := f.Restore(ctx, file, name, !v.noCopy)
	if err != nil {
		return unchanged(err)
	}
	if c.json {
		return notPrinted(writeJSON(c.out, jsonRestored{newJSONBackup(name, s), true, r.StoreID, r.Kept}))
	}
	sentences := []string{fmt.Sprintf("Restored %s as of %s", count(int(r.Accounts), "account"), c.display.when(r.TakenAt))}
	if r.Kept != "" {
		sentences = append(sentences, "What the store held before is in "+r.Kept)
	}
	return c.say(c.display.wrapped(sentences)...)
}

// verify reads the file to its end, and goes back to its beginning.
func (v *restoreStore) verify(ctx context.Context, file *os.File) (backup.Summary, error) {
	s, err := backup.Verify(ctx, file)
	if flaw, ok := errors.AsType[*backup.Flaw](err); ok {
		return s, account.Invalid("file", "the file %s cannot be restored: %v", file.Name(), flaw)
	}
	if errors.Is(err, context.Canceled) {
		return s, &account.Error{Kind: account.KindInterrupted, Message: "interrupted; nothing was changed"}
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return s, account.Invalid("file", "the file %s cannot be read: %v", file.Name(), cause(err))
	}
	return s, nil
}

var isItMeant = question{"Replace everything that the store holds? Type the whole word yes to go on: ", "--yes"}

// confirmable refuses to take an answer of this weight from a pipe.
func (v *restoreStore) confirmable(c *console) error {
	if !v.yes && !v.check && (c.prompt.refused || !c.prompt.terminal) {
		return isItMeant.unanswered()
	}
	return nil
}

func (v *restoreStore) confirm(ctx context.Context, c *console) error {
	if v.yes {
		return nil
	}
	answer, err := c.prompt.line(ctx, isItMeant)
	if err != nil || answer == "yes" {
		return err
	}
	return &account.Error{Kind: account.KindInterrupted, Message: "the answer was not \"yes\", so the store HAS NOT been restored"}
}

type jsonRestored struct {
	jsonBackup
	Restored   bool   `json:"restored"`
	NewStoreID string `json:"new_store_id"`
	Kept       string `json:"kept"` // the backup of what was replaced; may be empty
}
