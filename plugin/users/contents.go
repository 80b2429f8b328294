package users

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/backup"
)

// contents is what was found of a backup's entries so far.
type contents struct {
	hasher *hasher
	header backup.Header

	identity    identity
	initialized bool
	counted     int // enabled ADMINs, as the backup says
	admins      int // as they were found
	accounts    uint64
	ids         map[account.ID]bool // of accounts
}

// mostGeneration is more than any account comes to, and leaves room for more.
const mostGeneration = 1 << 62

// inspect reads a backup to its end, and checks each entry before it goes to
// take, which may be nil. What is wrong with the backup is a *backup.Flaw; one
// of a newer format is refused with Unsupported.
func (s *Service) inspect(ctx context.Context, from io.Reader, take func(Key, []byte) error) (*contents, error) {
	r, err := backup.NewReader(from)
	if err != nil {
		return nil, err
	}
	c := &contents{hasher: s.hasher, header: r.Header(), ids: map[account.ID]bool{}}
	if c.header.Format > format {
		e := account.Unsupported(fmt.Sprintf("store format %d", c.header.Format))
		e.Message = fmt.Sprintf("the backup has store format %d, written by a newer release; this one reads format %d; use that release", c.header.Format, format)
		return nil, e
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return c, c.whole(r.Summary())
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = c.check(e)
		}
		if err == nil && take != nil {
			err = take(Key{Space(e.Space), e.Name}, e.Value)
		}
		if err != nil {
			return nil, err
		}
	}
}

// whole checks what holds of all entries together.
func (c *contents) whole(s backup.Summary) error {
	switch {
	case c.identity.StoreID != c.header.StoreID || c.identity.Format != c.header.Format:
		return backup.Flawed("its store is not the one that its first line names")
	case !c.initialized:
		return backup.Flawed("its store has no initialised marker")
	case c.accounts != s.Accounts:
		return backup.Flawed("it has %d accounts, and its last line says %d", c.accounts, s.Accounts)
	case c.admins == 0:
		return backup.Flawed("it has no enabled ADMIN")
	case c.admins != c.counted:
		return backup.Flawed("it has %d enabled ADMINs, and its store counts %d", c.admins, c.counted)
	}
	return nil
}

func (c *contents) check(e backup.Entry) error {
	var err error
	switch space := Space(e.Space); {
	case len(e.Name) > MaxName:
		err = fmt.Errorf("its name has %d bytes, more than %d", len(e.Name), MaxName)
	case string(e.Value) == "null": // which decodes as anything
		err = errors.New("it is null")
	case space == Meta:
		err = c.checkMeta(e)
	case space == Accounts:
		err = c.checkAccount(e)
	case space == Requests:
		err = checkRecord(e)
	case space == SignIns:
		err = checkSignIn(e)
	default:
		return backup.Flawed("it has a space %q, which this release does not know", account.Printable(e.Space))
	}
	if err != nil {
		return backup.Flawed("its entry %q in %s is not acceptable: %v", account.Printable(e.Name), e.Space, err)
	}
	return nil
}

func (c *contents) checkMeta(e backup.Entry) error {
	switch (Key{Meta, e.Name}) {
	case identityKey:
		return decode(Meta, e.Value, &c.identity)
	case initializedKey:
		c.initialized = true
		var m initializedMarker
		err := decode(Meta, e.Value, &m)
		return cmp.Or(err, timed(m.At))
	case adminsKey:
		return decode(Meta, e.Value, &c.counted)
	}
	return errors.New("this release does not know it")
}

// idForm is the text form of an account.ID.
var idForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (c *contents) checkAccount(e backup.Entry) error {
	if err := checkUsername(e.Name); err != nil {
		return err
	}
	var s stored
	if err := decode(Accounts, e.Value, &s); err != nil {
		return err
	}
	switch {
	case !idForm.MatchString(string(s.ID)):
		return errors.New("it has no account id")
	case c.ids[s.ID]:
		return errors.New("it has the account id of another")
	case s.Generation == 0 || s.Generation > mostGeneration:
		return errors.New("it has no generation that an account can have")
	case s.Role != account.Admin && s.Role != account.User:
		return errors.New("it has no role")
	case s.Hash == "":
		return errors.New("it has no password hash")
	}
	if err := timed(s.CreatedAt, s.PasswordChangedAt); err != nil {
		return err
	}
	if !c.hasher.admits(s.Hash) {
		return errors.New("its password hash is not one that this release makes or takes")
	}
	grants, err := checkGrants(e.Name, s.Grants)
	if err != nil {
		return err
	}
	if !maps.EqualFunc(s.Grants, grants, slices.Equal) {
		return errors.New("its grants are not in the form in which they are stored")
	}
	c.ids[s.ID] = true
	c.accounts++
	if s.administers() {
		c.admins++
	}
	return nil
}

func checkSignIn(e backup.Entry) error {
	if !idForm.MatchString(e.Name) {
		return errors.New("it is not an account id")
	}
	var v signInValue
	err := decode(SignIns, e.Value, &v)
	return cmp.Or(err, timed(v.At))
}

func checkRecord(e backup.Entry) error {
	r, err := recordOf(e.Name, e.Value)
	switch {
	case err != nil:
		return err
	case r.Verb == "":
		return errors.New("it has no verb")
	case len(r.Host) > mostHost:
		return errors.New("its host's id is too long")
	case r.Caller != "" && !idForm.MatchString(string(r.Caller)):
		return errors.New("its caller is not an account id")
	}
	return cmp.Or(checkUsername(r.Target), timed(r.At))
}

func checkUsername(name string) error {
	if normal, err := account.NormalizeUsername(name); err != nil || normal != name {
		return errors.New("it has no username in its normal form")
	}
	return nil
}

func timed(at ...time.Time) error {
	if slices.ContainsFunc(at, time.Time.IsZero) {
		return errors.New("it lacks a time")
	}
	return nil
}
