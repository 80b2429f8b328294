package users

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// format is the form of the store's contents that this release writes. It reads
// every earlier one, and marks a store of one as its own before it writes
// anything else.
//
//	1  the first
//	2  accounts have renewed_from
const format = 2

// The keys in the Meta space.
var (
	identityKey    = Key{Meta, "store"}       // identity; written at the first Configure of an empty store
	initializedKey = Key{Meta, "initialized"} // initializedMarker; written with the first ADMIN
	adminsKey      = Key{Meta, "admins"}      // how many enabled ADMINs there are (rule 7)
)

// identity says what the store is. Its first field is read alone before the
// rest is understood.
type identity struct {
	Format    int       `json:"format"`
	StoreID   string    `json:"store_id"`
	CreatedAt time.Time `json:"created_at"`
}

// initializedMarker decides, once, whether a first ADMIN is still to be made.
type initializedMarker struct {
	At time.Time `json:"at"`
}

// identify reads the store's identity, or gives one to an empty store.
func identify(ctx context.Context, store Store) (id string, initialized bool, err error) {
	read := func(r Reader) error {
		if id, err = storeIDIn(r); err != nil || id == "" {
			return err
		}
		initialized, err = initializedIn(r)
		return err
	}
	if err := store.View(ctx, read); err != nil {
		return "", false, err
	}
	if id == "" {
		fresh := identity{Format: format, StoreID: rand.Text(), CreatedAt: timestamp()}
		_, err := store.Update(ctx, func(tx Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			if id != "" {
				return errNothingToDo // another plugin on the same store was faster
			}
			if err := refuseStrays(tx); err != nil {
				return err
			}
			id = fresh.StoreID
			return put(tx, identityKey, fresh)
		})
		if err != nil && !errors.Is(err, errNothingToDo) {
			return "", false, err
		}
	}
	return id, initialized, raise(ctx, store)
}

// raise marks a store of an earlier format as one of ours.
func raise(ctx context.Context, store Store) error {
	_, err := store.Update(ctx, func(tx Tx) error {
		var is identity
		found, err := get(tx, identityKey, &is)
		switch {
		case err != nil:
			return err
		case !found || is.Format >= format:
			return errNothingToDo
		}
		is.Format = format
		return put(tx, identityKey, is)
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}

// CheckFormat refuses, with Unsupported, contents of a store that a newer release
// wrote. A Store that writes to what it opens asks before it does so.
func CheckFormat(r Reader) error {
	_, err := identityIn(r)
	return err
}

// identityIn returns what the store keeps as its identity, nil if it has none
// yet, and refuses a newer format.
func identityIn(r Reader) ([]byte, error) {
	value, err := r.Get(identityKey)
	if err != nil || value == nil {
		return nil, err
	}
	var written struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(value, &written); err != nil || written.Format < 1 {
		return nil, errors.New("the store's identity cannot be read; it is damaged, or not a store of this plugin")
	}
	if written.Format > format {
		e := account.Unsupported(fmt.Sprintf("store format %d", written.Format))
		e.Message = fmt.Sprintf("the store has format %d, written by a newer release; this one reads format %d and leaves it as it is; use that release", written.Format, format)
		return nil, e
	}
	return value, nil
}

// storeIDIn returns the store's id, empty if it has no identity yet, and
// refuses a newer format.
func storeIDIn(r Reader) (string, error) {
	value, err := identityIn(r)
	if err != nil || value == nil {
		return "", err
	}
	var id identity
	if err := decode(Meta, value, &id); err != nil {
		return "", err
	}
	if id.StoreID == "" {
		return "", errors.New("the store's identity has no id")
	}
	return id.StoreID, nil
}

func initializedIn(r Reader) (bool, error) {
	var m initializedMarker
	return get(r, initializedKey, &m)
}

// refuseStrays refuses accounts in a store without an identity: they are
// somebody else's, or what is left of a damaged store.
func refuseStrays(r Reader) error {
	return r.Scan(Accounts, "", func(string, []byte) error {
		return errors.New("the store has accounts but no identity; it is damaged, or not a store of this plugin")
	})
}

// errNothingToDo gives up a transaction that found its work done.
var errNothingToDo = errors.New("nothing to do")

// timestamp is now, in the form in which it comes back from the store.
func timestamp() time.Time { return time.Now().UTC().Round(0) }
