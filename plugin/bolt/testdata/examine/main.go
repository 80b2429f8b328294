// Command examine opens the store of each home that a line of its input names,
// as the plugin does, and prints what it holds as a line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	hclog "github.com/hashicorp/go-hclog"
	"go.etcd.io/bbolt"

	"github.com/cinchapi/concourse-users/plugin/bolt"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Contents are a line of the output.
type Contents struct {
	Problem     string // why the store cannot be used; empty: it can
	Initialized bool
	Accounts    []account.Account
	Records     []account.Record
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		c, err := examine(context.Background(), lines.Text())
		if err != nil {
			c = Contents{Problem: err.Error()}
		}
		if err := out.Encode(c); err != nil {
			os.Exit(1)
		}
	}
}

func examine(ctx context.Context, home string) (c Contents, err error) {
	path := filepath.Join(home, "accounts.db")
	s := users.New(users.Backend{Open: func(ctx context.Context, _ string, _ map[string]string) (users.Store, error) {
		return bolt.Open(ctx, path, bolt.Options{})
	}}, hclog.NewNullLogger())
	is, err := s.Configure(ctx, account.Configuration{Home: home})
	if err == nil {
		c.Initialized = is.Initialized
		err = c.read(ctx, s)
	}
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = check(path)
	}
	return c, err
}

func (c *Contents) read(ctx context.Context, s *users.Service) error {
	for after := (account.RequestID{}); ; {
		page, next, err := s.Records(ctx, after)
		if err != nil {
			return err
		}
		c.Records = append(c.Records, page...)
		if after = next; next.IsZero() {
			break
		}
	}
	if !c.Initialized {
		return nil
	}
	who := account.Caller{} // the first administrator, as the last of its records left it
	for _, r := range c.Records {
		if who.AccountID == "" && r.Verb == account.VerbInitialize || r.AccountID == who.AccountID {
			who = account.Caller{Username: r.Target, AccountID: r.AccountID, Generation: r.Generation}
		}
	}
	for after := ""; ; {
		page, next, err := s.List(ctx, who, after)
		if err != nil {
			return err
		}
		c.Accounts = append(c.Accounts, page...)
		if after = next; next == "" {
			return nil
		}
	}
}

// check is bbolt's own.
func check(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) (first error) {
		for err := range tx.Check() {
			if first == nil {
				first = fmt.Errorf("the file is inconsistent: %w", err)
			}
		}
		return first
	})
}
