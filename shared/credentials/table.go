package credentials

import (
	"cmp"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The classes that a table is of.
const (
	tableClass      = "com.google.common.collect.HashBasedTable"
	tableBase       = "com.google.common.collect.StandardTable"
	mapClass        = "java.util.HashMap" // and LinkedHashMap is one
	permissionClass = "com.cinchapi.concourse.security.Permission"
)

const saltSize = 32

// table makes accounts of a stream's values.
type table struct{ *stream }

func (t *table) read(root any) ([]Account, error) {
	o, ok := root.(*object)
	if !ok || o.class.name != tableClass || o.of(tableBase) == nil {
		return nil, flawed(len(magic), "expected a table of accounts (%s)", tableClass)
	}
	rows, err := t.entries(o.at, o.of(tableBase).field('L', "backingMap"), "rows")
	if err != nil {
		return nil, err
	}
	seen := map[int16]bool{}
	var all []Account
	for _, r := range rows {
		id, ok := boxed[int16](r.key, "java.lang.Short", 'S')
		if !ok || seen[id] {
			return nil, flawed(o.at, "expected an account id for each row, and another for each")
		}
		seen[id] = true
		columns, err := t.entries(o.at, r.value, "columns")
		if err != nil {
			return nil, err
		}
		row := row{table: t, at: r.value.(*object).at, account: Account{ID: id}}
		if err := row.read(columns); err != nil {
			return nil, err
		}
		all = append(all, row.account)
	}
	slices.SortFunc(all, func(a, b Account) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

type entry struct{ key, value any }

// entries returns those of a map, which has written how many there are and then
// one after the other.
func (t *table) entries(at int, v any, what string) ([]entry, error) {
	o, ok := v.(*object)
	if !ok || o.of(mapClass) == nil {
		return nil, flawed(at, "expected a map of %s", what)
	}
	written := o.of(mapClass).annotation
	if len(written) == 0 {
		return nil, flawed(o.at, "expected the size of a map of %s", what)
	}
	sizes, ok := written[0].(block)
	if !ok || len(sizes) != 8 || uint64(binary.BigEndian.Uint32(sizes[4:]))*2 != uint64(len(written)-1) {
		return nil, flawed(o.at, "expected a map of as many %s as it says", what)
	}
	// A map may be referred to many times, and so may a text in it.
	cost := len(written)
	for _, v := range written {
		if text, ok := v.(string); ok {
			cost += len(text) / 64
		}
	}
	if err := t.spend(cost); err != nil {
		return nil, err
	}
	var all []entry
	for pair := range slices.Chunk(written[1:], 2) {
		all = append(all, entry{pair[0], pair[1]})
	}
	return all, nil
}

// boxed returns what an object of java.lang holds.
func boxed[T any](v any, class string, code byte) (unboxed T, ok bool) {
	o, ok := v.(*object)
	if !ok || o.class.name != class {
		return unboxed, false
	}
	unboxed, ok = o.of(class).field(code, "value").(T)
	return unboxed, ok
}

// row is an account that is being read.
type row struct {
	*table
	at      int
	account Account
	seen    map[string]bool
}

func (r *row) read(columns []entry) error {
	r.seen = map[string]bool{}
	for _, c := range columns {
		name, ok := c.key.(string)
		if !ok || r.seen[name] {
			return r.flawed("expected the name of a column, and another for each")
		}
		r.seen[name] = true
		if err := r.column(name, c.value); err != nil {
			return err
		}
	}
	for _, name := range []string{"username", "password", "salt", "user_enabled"} {
		if !r.seen[name] {
			return r.flawed("expected a column %s", name)
		}
	}
	slices.Sort(r.account.Unknown)
	return nil
}

func (r *row) column(name string, v any) (err error) {
	a := &r.account
	ok := true
	switch name {
	case "username":
		a.Username, err = r.username(v)
	case "password":
		a.Digest, err = r.hex(name, v, sha512.Size)
	case "salt":
		a.Salt, err = r.hex(name, v, saltSize)
	case "user_enabled":
		if a.Enabled, ok = boxed[bool](v, "java.lang.Boolean", 'Z'); !ok {
			return r.flawed("expected user_enabled to be true or false")
		}
	case "role":
		n, ok := boxed[int32](v, "java.lang.Integer", 'I')
		if !ok || n < 0 || int(n) >= len(roles) {
			return r.flawed("expected role to be the number of one, 0 to %d", len(roles)-1)
		}
		a.Role = roles[n]
	case "permission":
		a.Grants, err = r.grants(v)
	default:
		a.Unknown = append(a.Unknown, name)
	}
	return err
}

func (r *row) username(v any) (string, error) {
	text, ok := v.(string)
	if !ok || text == "" {
		return "", r.flawed("expected username to be bytes in hex")
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return "", r.flawed("expected username to be bytes in hex")
	}
	return string(b), nil
}

func (r *row) hex(name string, v any, size int) ([]byte, error) {
	if text, ok := v.(string); ok && len(text) == hex.EncodedLen(size) {
		if b, err := hex.DecodeString(text); err == nil {
			return b, nil
		}
	}
	return nil, r.flawed("expected %s to be %d bytes in hex", name, size)
}

func (r *row) grants(v any) (map[string]account.Permission, error) {
	all, err := r.entries(r.at, v, "grants")
	if err != nil {
		return nil, err
	}
	grants := make(map[string]account.Permission, len(all))
	for _, g := range all {
		environment, ok := g.key.(string)
		c, isConstant := g.value.(*constant)
		if _, twice := grants[environment]; !ok || twice || !isConstant || c.class.name != permissionClass {
			return nil, r.flawed("expected one permission for each environment")
		}
		p := account.Permission(c.name)
		if p != account.Read && p != account.Write {
			return nil, r.flawed("expected the permission READ or WRITE")
		}
		grants[environment] = p
	}
	return grants, nil
}

func (r *row) flawed(format string, args ...any) error {
	return flawed(r.at, "account %d: %s", r.account.ID, fmt.Sprintf(format, args...))
}
