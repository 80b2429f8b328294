package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

type backupStore struct {
	place
	force bool
}

func (*backupStore) Synopsis() string { return "Save all accounts to a file, while the host runs" }

func (*backupStore) Help() string {
	return `Usage: concourse backup [options] <file>

  Writes everything that the plugin's store holds, as of one moment, to a file
  for 'concourse restore'; - is standard output. The file appears once it was
  written, read again and found whole. It has the password hashes: whoever reads
  it can try to guess passwords. For the owner of the home, and root; the audit
  log tells of it.`
}

func (v *backupStore) Options(o *options) {
	o.argument = "file"
	o.boolOption(&v.force, "force", "replace a file that exists")
	v.define(o)
	o.formatOption()
}

func (v *backupStore) Run(ctx context.Context, c *console) error {
	if len(c.args) == 0 {
		return account.Invalid("file", "name the file to write the backup to; - is standard output")
	}
	file := c.args[0]
	if file == "-" {
		return v.print(ctx, c)
	}
	s, err := backup.WriteFile(ctx, file, v.force, func(w io.Writer) error { return v.receive(ctx, c, w) })
	if err != nil {
		return v.unwritten(file, err)
	}
	if c.json {
		return notPrinted(writeJSON(c.out, newJSONBackup(file, s)))
	}
	return c.say(c.display.wrapped(append([]string{"Wrote a backup to " + file}, c.backup(s)...))...)
}

// receive asks the host, once it is known that the file can be written.
func (v *backupStore) receive(ctx context.Context, c *console, w io.Writer) error {
	h, err := v.dial(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	m := newMeter(c, w)
	defer m.end()
	return h.Backup(ctx, m)
}

// print checks what passes on its way.
func (v *backupStore) print(ctx context.Context, c *console) error {
	switch {
	case c.json:
		return account.Invalid("format", "standard output is the backup's here; leave --format out")
	case term.IsTerminal(int(os.Stdout.Fd())):
		return account.Invalid("file", "a backup is not for a terminal; name a file, or send standard output somewhere else")
	}
	read, write := io.Pipe()
	checked := make(chan error, 1)
	go func() {
		_, err := backup.Verify(ctx, read)
		read.CloseWithError(err)
		checked <- err
	}()
	err := v.receive(ctx, c, io.MultiWriter(c.out, write))
	write.CloseWithError(err)
	flawed := <-checked
	if _, ours := errors.AsType[*fs.PathError](err); ours {
		return fmt.Errorf("the backup broke off: %w", err)
	}
	if err == nil && flawed != nil {
		err = fmt.Errorf("what was written is not a whole backup: %w", flawed)
	}
	return err
}

// unwritten says why there is no file.
func (v *backupStore) unwritten(file string, err error) error {
	_, refused := errors.AsType[*account.Error](err)
	switch {
	case refused:
		return err
	case errors.Is(err, context.Canceled):
		return &account.Error{Kind: account.KindInterrupted, Message: "interrupted; nothing was written"}
	case errors.Is(err, fs.ErrExist) && v.force:
		return account.Invalid("file", "the file %s is not a regular one; name another", file)
	case errors.Is(err, fs.ErrExist):
		return fileExists(file)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return account.Invalid("file", "the file %s cannot be written: %v", file, cause(err))
	}
	return fmt.Errorf("the file %s cannot be written: %w", file, cause(err))
}

type jsonBackup struct {
	File           string     `json:"file"`
	TakenAt        *time.Time `json:"taken_at"`
	Accounts       uint64     `json:"accounts"`
	Size           int64      `json:"size"` // in bytes
	Backend        string     `json:"backend"`
	BackendVersion string     `json:"backend_version"`
	Format         int        `json:"store_format"`
	StoreID        string     `json:"store_id"`
	Revision       uint64     `json:"revision"`
}

func newJSONBackup(file string, s backup.Summary) jsonBackup {
	return jsonBackup{file, jsonTime(s.TakenAt), s.Accounts, s.Size, s.Backend, s.BackendVersion, s.Format, s.StoreID, s.Revision}
}

// backup says what a backup is of.
func (c *console) backup(s backup.Summary) []string {
	return []string{
		"Taken:    " + c.display.when(s.TakenAt),
		fmt.Sprintf("Accounts: %d", s.Accounts),
		"Size:     " + bytesText(s.Size),
		fmt.Sprintf("Store:    %s at revision %d, of %s %s", s.StoreID, s.Revision, s.Backend, s.BackendVersion),
	}
}
