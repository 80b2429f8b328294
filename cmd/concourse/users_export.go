package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/posener/complete"
	"golang.org/x/term"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type usersExport struct {
	login
	output string
	hashes bool
	force  bool
}

func (*usersExport) Synopsis() string { return "Write a file of accounts for 'users apply'" }

func (*usersExport) Help() string {
	return `Usage: concourse users export [options]

  Writes every account, by name, as 'concourse users apply' reads it: role,
  state and grants. With --with-hashes a file restores the accounts as they are
  on another host, passwords and times included, but an account that exists
  there keeps its own created_at and last login. Whoever reads such a file can
  try to guess passwords, and the audit log says that you asked for it.`
}

func (v *usersExport) Options(o *options) {
	o.StringVarP(&v.output, "output", "o", "", "write to `FILE`, for your own eyes only; - is standard output, as without the option")
	o.boolOption(&v.force, "force", "replace a file that exists")
	o.boolOption(&v.hashes, "with-hashes", "write password hashes and times too")
	o.values["output"] = complete.PredictFiles("*")
	v.define(o)
	o.format = "yaml"
	f := o.Lookup("format")
	f.Usage, f.Value = "write `FORMAT`: yaml or json", &choice{&o.format, []string{"yaml", "json"}}
	o.values["format"] = complete.PredictSet("yaml", "json")
}

func (v *usersExport) Run(ctx context.Context, c *console) error {
	if v.hashes && v.output == "" && term.IsTerminal(int(os.Stdout.Fd())) {
		return account.Invalid("output", "password hashes are not for a terminal; give -o FILE, or -o - if they are to be seen")
	}
	n := 0
	write := func(w io.Writer) error {
		h, err := v.open(ctx, c)
		if err != nil {
			return err
		}
		defer h.Close()
		n, err = v.write(w, c.json, v.accounts(ctx, h))
		return err
	}
	if v.output == "" || v.output == "-" {
		return write(c.out)
	}
	if err := writeFile(v.output, v.force, write); err != nil || c.json {
		return err
	}
	return c.say(fmt.Sprintf("Wrote %s to %s", count(n, "account"), v.output))
}

// accounts yields all of them, in batches by name.
func (v *usersExport) accounts(ctx context.Context, h *management.Client) iter.Seq2[[]account.Exported, error] {
	if v.hashes {
		return h.Export(ctx)
	}
	return func(yield func([]account.Exported, error) bool) {
		for batch, err := range h.List(ctx, management.AccountFilter{}) {
			exported := make([]account.Exported, len(batch))
			for i, a := range batch {
				exported[i].Account = a.Account
			}
			if !yield(exported, err) {
				return
			}
		}
	}
}

// write holds a batch at a time. What breaks off is neither valid JSON nor valid
// YAML.
func (v *usersExport) write(to io.Writer, asJSON bool, batches iter.Seq2[[]account.Exported, error]) (n int, err error) {
	counted := func(yield func([]account.Exported, error) bool) {
		for batch, err := range batches {
			if n += len(batch); !yield(batch, err) {
				return
			}
		}
	}
	if asJSON {
		all := listing[account.Exported]{element: func(e account.Exported) any { return newJSONExported(e, v.hashes) }}
		return n, all.print(&console{json: true, out: to}, counted)
	}
	return n, writeYAML(to, counted, v.hashes)
}

// jsonExported is an account as a file wants it. Only with a hash do times
// count, so only then are they there: a file without has nothing that changes by
// itself.
type jsonExported struct {
	Username string                          `json:"username"`
	Role     account.Role                    `json:"role"`
	Enabled  bool                            `json:"enabled"`
	Grants   map[string][]account.Permission `json:"grants"`
	*jsonHash
}

type jsonHash struct {
	CreatedAt         *time.Time `json:"created_at"`
	PasswordChangedAt *time.Time `json:"password_changed_at"`
	LastLoginAt       *time.Time `json:"last_login_at"`
	PasswordHash      string     `json:"password_hash"`
}

func newJSONExported(e account.Exported, hashes bool) jsonExported {
	j := jsonExported{Username: e.Username, Role: e.Role, Enabled: e.Enabled, Grants: e.Grants}
	if j.Grants == nil {
		j.Grants = map[string][]account.Permission{}
	}
	if hashes {
		j.jsonHash = &jsonHash{jsonTime(e.CreatedAt), jsonTime(e.PasswordChangedAt), jsonTime(e.LastLoginAt), string(e.PasswordHash)}
	}
	return j
}
