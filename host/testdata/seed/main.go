// Command seed fills a bolt store with accounts, copies of an existing one that
// are USERs: seed <file> <existing username> <count>. Making so many through a
// host would take a hash for each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

func main() {
	count, err := strconv.Atoi(os.Args[3])
	if err == nil {
		err = seed(context.Background(), os.Args[1], os.Args[2], count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const batch = 1000

func seed(ctx context.Context, path, like string, count int) error {
	store, err := bolt.Open(ctx, path, bolt.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	for from := 0; from < count; from += batch {
		if _, err := store.Update(ctx, func(tx users.Tx) error {
			value, err := tx.Get(users.Key{Space: users.Accounts, Name: like})
			if err != nil {
				return err
			}
			var a map[string]any
			if err := json.Unmarshal(value, &a); err != nil {
				return err
			}
			a["role"] = account.User
			for n := from; n < min(from+batch, count); n++ {
				a["id"] = account.NewID()
				copied, err := json.Marshal(a)
				if err != nil {
					return err
				}
				if err := tx.Put(users.Key{Space: users.Accounts, Name: fmt.Sprintf("user%d", n)}, copied); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
