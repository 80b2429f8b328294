package users

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// Backup writes everything in the store as of one state, and checks on the way
// that Restore would take it. The state is first written to a file of no name
// in the host's home: a store keeps what is replaced meanwhile for as long as a
// state of it is being read, and may hold up others, so that must not take as
// long as whoever reads the backup likes. Empty writes say until then that it
// goes on. It also refuses a store without accounts with Unavailable.
func (s *Service) Backup(ctx context.Context, w io.Writer) error {
	run, err := s.running()
	if err != nil {
		return err
	}
	if err := run.offers(account.CapabilityBackup); err != nil {
		return err
	}
	spool, err := newSpool(run.home)
	if err != nil {
		return account.Unavailable("there is no room for a backup in the host's home: %v", err)
	}
	defer spool.Close()
	if err := run.store.View(ctx, func(r Reader) error { return s.spool(r, spool, w) }); err != nil {
		return unfit("read the store for a backup", err)
	}
	if err := rewound(spool); err != nil {
		return attempted("read the spooled backup", err)
	}
	if _, err := s.inspect(ctx, io.TeeReader(spool, w), nil); err != nil {
		return unfit("write a backup", err)
	}
	return nil
}

// unfit tells what is wrong with the store's own contents from what failed.
func unfit(what string, err error) error {
	if flaw, ok := errors.AsType[*backup.Flaw](err); ok {
		return account.Unavailable("the store is damaged, and cannot be backed up: %v", flaw)
	}
	return attempted(what, err)
}

// newSpool returns a file that is gone once it is closed, or its process ends.
func newSpool(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".backup-*") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// spooled is how newSpool names a file until it takes the name away.
var spooled = regexp.MustCompile(`^\.backup-[0-9]+$`)

// tidy removes spools whose names a power cut or a kill has left: they hold
// password hashes.
func tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !spooled.MatchString(e.Name()) {
			continue
		}
		if failed := os.Remove(filepath.Join(dir, e.Name())); !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// pulse is how often spool says that it goes on. Hosts wait for a second or more.
const pulse = time.Second / 4

// spool copies one state of the store. alive hears that it does.
func (s *Service) spool(r Reader, to *os.File, alive io.Writer) error {
	switch initialized, err := initializedIn(r); {
	case err != nil:
		return err
	case !initialized:
		return account.Unavailable("the store has no accounts yet, so there is nothing to back up")
	}
	var is identity
	if found, err := get(r, identityKey, &is); err != nil || !found {
		return errors.Join(errors.New("the store has no identity"), err)
	}
	if err := errors.Join(to.Truncate(0), rewound(to)); err != nil { // fn may run again
		return err
	}
	buffered := bufio.NewWriterSize(to, 1<<20)
	w, err := backup.NewWriter(buffered, backup.Header{
		Backend: s.backend.Name, BackendVersion: s.backend.Version,
		Format: is.Format, StoreID: is.StoreID, Revision: uint64(r.Revision()), TakenAt: timestamp(),
	})
	if err != nil {
		return err
	}
	accounts, said := uint64(0), time.Now()
	for _, space := range Spaces() {
		if err := r.Scan(space, "", func(name string, value []byte) error {
			if space == Accounts {
				accounts++
			}
			if now := time.Now(); now.Sub(said) >= pulse {
				if _, err := alive.Write(nil); err != nil {
					return err
				}
				said = now
			}
			return w.Put(backup.Entry{Space: string(space), Name: name, Value: json.RawMessage(value)})
		}); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(accounts), buffered.Flush())
}

func rewound(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}
