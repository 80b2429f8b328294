package users

import (
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The settings that this package takes for itself.
const (
	settingPrefix    = "plugin.settings."
	passwordSettings = "password."
	minLengthSetting = passwordSettings + "min_length"
)

const (
	defaultMinLength = 8
	lowestMinLength  = 3
	highestMinLength = account.MaxPassword
)

// policy says which passwords may be set.
type policy struct {
	minLength int // in characters of the prepared form
}

// takePolicy reads our own settings and returns the rest, which are the
// store's.
func takePolicy(settings map[string]string) (policy, map[string]string, error) {
	p := policy{minLength: defaultMinLength}
	rest := maps.Clone(settings)
	for key, value := range settings {
		if !strings.HasPrefix(key, passwordSettings) {
			continue
		}
		if key != minLengthSetting {
			return policy{}, nil, account.Invalid(settingPrefix+key, "%s%s is not a setting; %s%s is", settingPrefix, account.Printable(key), settingPrefix, minLengthSetting)
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < lowestMinLength || n > highestMinLength {
			return policy{}, nil, account.Invalid(settingPrefix+key, "%s%s is %q; it must be a number from %d to %d", settingPrefix, key, account.Printable(value), lowestMinLength, highestMinLength)
		}
		p.minLength = n
		delete(rest, key)
	}
	return p, rest, nil
}

// check refuses, with the reason PASSWORD_POLICY, a password that may not be
// set, and returns its prepared form.
func (p policy) check(s scheme, password account.Secret) (prepared string, err error) {
	if prepared, err = prepare(s, password); err != nil {
		return "", err
	}
	if p.short(prepared) {
		return "", badPassword("a password must have at least %d characters", p.minLength)
	}
	return prepared, nil
}

// short reports whether a prepared password misses the minimum length.
func (p policy) short(prepared string) bool {
	return utf8.RuneCountInString(prepared) < p.minLength
}

// prepare refuses a password that is empty, longer than MaxPassword, or that
// the scheme cannot prepare.
func prepare(s scheme, password account.Secret) (string, error) {
	switch {
	case len(password) == 0:
		return "", badPassword("a password must not be empty")
	case len(password) > account.MaxPassword:
		return "", badPassword("a password may have at most %d bytes", account.MaxPassword)
	}
	return s.prepare(password)
}

// badPassword says what is wrong with a password, without naming it.
func badPassword(format string, args ...any) *account.Error {
	e := account.Invalid("password", format, args...)
	e.Reason = account.ReasonPasswordPolicy
	return e
}
