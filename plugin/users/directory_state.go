package users

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
)

// directoryState is what a directory told at one time, as a Reader. It is never
// changed.
type directoryState struct {
	revision account.Revision
	names    []string // of accounts, sorted
	accounts map[string]directoryAccount
	hashes   []string // of all accounts that have one, by what they cost
	meta     map[string][]byte
}

// directoryAccount is an Entry as it stands in Accounts.
type directoryAccount struct {
	told  Entry
	id    account.ID
	hash  string
	value []byte
}

var _ Reader = (*directoryState)(nil)

func (s *directoryState) Revision() account.Revision { return s.revision }

func (s *directoryState) Get(k Key) ([]byte, error) {
	switch k.Space {
	case Accounts:
		return bytes.Clone(s.accounts[k.Name].value), nil
	case Meta:
		return bytes.Clone(s.meta[k.Name]), nil
	}
	return nil, nil
}

func (s *directoryState) Scan(space Space, after string, fn func(name string, value []byte) error) error {
	var names []string
	switch space {
	case Accounts:
		names = s.names
	case Meta:
		names = slices.Sorted(maps.Keys(s.meta))
	}
	from, found := slices.BinarySearch(names, after)
	if found {
		from++
	}
	for _, name := range names[from:] {
		value, _ := s.Get(Key{space, name})
		if err := fn(name, value); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

// differences returns what leads from one state to the next, in the order of
// the names.
func differences(from, to *directoryState) (events []Event) {
	for _, name := range to.names {
		if value := to.accounts[name].value; !bytes.Equal(from.accounts[name].value, value) {
			events = append(events, Event{to.revision, name, value})
		}
	}
	for _, name := range from.names {
		if to.accounts[name].value == nil {
			events = append(events, Event{Revision: to.revision, Name: name})
		}
	}
	return events
}

// directoryMeta is what an initialised store has in Meta. The counter of enabled
// ADMINs is for changes, of which there are none.
func directoryMeta(id string) (map[string][]byte, error) {
	is, err := json.Marshal(identity{Format: format, StoreID: digestOf("store", id)})
	if err != nil {
		return nil, err
	}
	marker, err := json.Marshal(initializedMarker{})
	return map[string][]byte{identityKey.Name: is, initializedKey.Name: marker}, err
}

// next returns the state that entries make after the one before. What is told
// as before is not checked again.
func (s *directoryStore) next(before *directoryState, entries []Entry) (*directoryState, error) {
	accounts, ids := make(map[string]directoryAccount, len(entries)), make(map[account.ID]string, len(entries))
	names := make([]string, 0, len(entries))
	for i, e := range entries {
		name, a, err := e.Username, before.accounts[e.Username], error(nil)
		if a.value == nil || !e.is(a.told) {
			name, a, err = s.check(e)
		}
		if err == nil && accounts[name].value != nil {
			err = errors.New("the name is another's already")
		}
		if err == nil && ids[a.id] != "" {
			err = fmt.Errorf("its id is that of '%s'", account.Printable(ids[a.id]))
		}
		if err != nil {
			return nil, fmt.Errorf("account %d of the directory, '%s', is not acceptable: %w", i+1, account.Printable(e.Username), err)
		}
		ids[a.id], accounts[name] = name, a
		names = append(names, name)
	}
	slices.Sort(names)
	next := &directoryState{
		revision: max(before.revision+1, account.Revision(time.Now().UnixMicro())),
		names:    names, accounts: accounts, meta: s.meta,
	}
	for _, name := range names {
		if hash := accounts[name].hash; hash != "" {
			next.hashes = append(next.hashes, hash)
		}
	}
	slices.SortFunc(next.hashes, func(a, b string) int { return strings.Compare(costOf(a), costOf(b)) })
	return next, nil
}

// is reports whether nothing of the entry is other than it was.
func (e Entry) is(was Entry) bool {
	return e.Username == was.Username && e.Role == was.Role && e.Enabled == was.Enabled && e.ID == was.ID &&
		bytes.Equal(e.PasswordHash, was.PasswordHash) && maps.EqualFunc(e.Grants, was.Grants, slices.Equal) &&
		e.CreatedAt.Equal(was.CreatedAt) && e.PasswordChangedAt.Equal(was.PasswordChangedAt)
}

// check keeps nothing of the entry that is its author's to change.
func (s *directoryStore) check(e Entry) (name string, a directoryAccount, err error) {
	name, is, err := s.stored(e)
	if err != nil {
		return "", a, err
	}
	a = directoryAccount{told: e, id: is.ID, hash: is.Hash}
	a.told.PasswordHash, a.told.Grants = bytes.Clone(e.PasswordHash), maps.Clone(e.Grants)
	for environment, permissions := range a.told.Grants {
		a.told.Grants[environment] = slices.Clone(permissions)
	}
	a.value, err = json.Marshal(is)
	return name, a, err
}

// costOf returns what a PHC form has before its salt.
func costOf(hash string) string {
	salt := max(0, strings.LastIndexByte(hash, '$'))
	return hash[:max(0, strings.LastIndexByte(hash[:salt], '$'))]
}

// decoy returns some account's hash, to spend time on for a name that has none:
// then it takes as long as one of the accounts, whatever their hashes cost, and
// since no login renews those, always (rule 9). It is the same for a name each
// time, and costs the same, but for a few names, when accounts come and go. It is
// empty if there are no hashes.
func (s *directoryState) decoy(secret, name string) string {
	if len(s.hashes) == 0 {
		return ""
	}
	sum := digest256(secret, name)
	at, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(len(s.hashes)))
	return s.hashes[at]
}

func (s *directoryStore) stored(e Entry) (name string, is stored, err error) {
	if name, err = account.NormalizeUsername(e.Username); err != nil {
		return "", is, err
	}
	is = stored{
		Role: account.User, Enabled: e.Enabled, Hash: string(e.PasswordHash),
		CreatedAt: e.CreatedAt.UTC().Round(0), PasswordChangedAt: e.PasswordChangedAt.UTC().Round(0),
	}
	if e.Role != "" {
		if is.Role, err = account.ParseRole(string(e.Role)); err != nil {
			return "", is, err
		}
	}
	if is.Grants, err = checkGrants(name, e.Grants); err != nil {
		return "", is, err
	}
	switch {
	case is.Hash != "" && s.verifier != nil:
		return "", is, errors.New("it has a password hash, though the directory verifies passwords itself")
	case is.Hash != "" && !s.hasher.keeps(is.Hash):
		return "", is, fmt.Errorf("its password hash is not: %s", s.hasher.requires())
	case e.ID == "":
		is.ID = account.ID(digestOf("name", s.id, name))
	default:
		is.ID = account.ID(digestOf("id", s.id, e.ID))
	}
	is.Generation = generationOf(is)
	return name, is, nil
}

// generationOf has 63 bits, since there are peers whose largest number that is.
// It is never 0.
func generationOf(s stored) account.Generation {
	password := s.Hash
	if password == "" {
		password = s.PasswordChangedAt.Format(time.RFC3339Nano)
	}
	sum := digest256("generation", password, string(s.Role), strconv.FormatBool(s.Enabled))
	return account.Generation(binary.BigEndian.Uint64(sum[:])>>1 | 1)
}

// digestOf returns 32 hexadecimal digits, as an account's id has.
func digestOf(parts ...string) string {
	sum := digest256(parts...)
	return hex.EncodeToString(sum[:16])
}

// digest256 tells apart where parts begin.
func digest256(parts ...string) [sha256.Size]byte {
	var all []byte
	for _, p := range parts {
		all = append(binary.AppendUvarint(all, uint64(len(p))), p...)
	}
	return sha256.Sum256(all)
}
