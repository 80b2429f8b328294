// Command newer makes a bolt store look like a later release's: newer contents
// <file> raises the format of what is in it, newer layout <file> that of the file
// itself.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
)

func main() {
	raise := map[string]func(path string) error{"contents": contents, "layout": layout}[os.Args[1]]
	if err := raise(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func contents(path string) error {
	ctx := context.Background()
	store, err := bolt.Open(ctx, path, bolt.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Update(ctx, func(tx users.Tx) error {
		key := users.Key{Space: users.Meta, Name: "store"}
		value, err := tx.Get(key)
		if err != nil {
			return err
		}
		var is map[string]any
		if err := json.Unmarshal(value, &is); err != nil {
			return err
		}
		is["format"] = is["format"].(float64) + 1
		if value, err = json.Marshal(is); err != nil {
			return err
		}
		return tx.Put(key, value)
	})
	return err
}

func layout(path string) error {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("concourse-users")).Put([]byte("layout"), []byte(strconv.Itoa(bolt.Layout+1)))
	})
}
