package users

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The settings that this package takes for itself.
const (
	settingPrefix      = "plugin.settings."
	passwordSettings   = "password."
	minLengthSetting   = passwordSettings + "min_length"
	minStrengthSetting = passwordSettings + "min_strength"
	denyCommonSetting  = passwordSettings + "deny_common"
	denyFileSetting    = passwordSettings + "deny_file"

	// PasswordSettings names those of passwords, for messages.
	PasswordSettings = minLengthSetting + ", " + minStrengthSetting + ", " + denyCommonSetting + " and " + denyFileSetting
)

const (
	defaultMinLength = 8
	lowestMinLength  = 3
	highestMinLength = account.MaxPassword
)

// policy says which passwords may be set. It speaks of prepared forms.
type policy struct {
	minLength   int // in characters
	minStrength int // 0: none is asked for
	denyCommon  bool
	denied      passwordList // the operator's
}

// takePolicy reads our own settings and returns the rest, which are the
// store's. A file is named relative to the home.
func takePolicy(s scheme, home string, settings map[string]string) (policy, map[string]string, error) {
	p := policy{minLength: defaultMinLength, denyCommon: true}
	rest := maps.Clone(settings)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if !strings.HasPrefix(key, passwordSettings) {
			continue
		}
		var err error
		switch value := settings[key]; key {
		case minLengthSetting:
			p.minLength, err = numberSetting(key, value, lowestMinLength, highestMinLength)
		case minStrengthSetting:
			p.minStrength, err = numberSetting(key, value, 0, bestStrength)
		case denyCommonSetting:
			p.denyCommon, err = booleanSetting(key, value)
		case denyFileSetting:
			if p.denied, err = readPasswordList(s, home, value); err != nil {
				err = account.Invalid(settingPrefix+key, "%s%s is %q; %v", settingPrefix, key, account.Printable(value), err)
			}
		default:
			err = account.Invalid(settingPrefix+key, "%s%s is not a setting; those of passwords are %s", settingPrefix, account.Printable(key), PasswordSettings)
		}
		if err != nil {
			return policy{}, nil, err
		}
		delete(rest, key)
	}
	return p, rest, nil
}

func numberSetting(key, value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, account.Invalid(settingPrefix+key, "%s%s is %q; it must be a number from %d to %d", settingPrefix, key, account.Printable(value), least, most)
	}
	return n, nil
}

func booleanSetting(key, value string) (bool, error) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, account.Invalid(settingPrefix+key, "%s%s is %q; it must be true or false", settingPrefix, key, account.Printable(value))
}

// fault is what is wrong with a password: as a refusal says it, and as it is
// said of one that was accepted all the same. Neither names the password.
type fault struct{ refusal, remark string }

// faults returns everything that the policy has against a prepared password of
// that account.
func (p policy) faults(username, prepared string) (all []fault) {
	found := func(remark string) { all = append(all, fault{"the password " + remark, remark}) }
	if utf8.RuneCountInString(prepared) < p.minLength {
		all = append(all, fault{
			fmt.Sprintf("a password must have at least %d characters", p.minLength),
			fmt.Sprintf("has fewer than %d characters", p.minLength),
		})
	}
	if p.denyCommon && commonPasswords().has(prepared) {
		found("is among the most common passwords")
	}
	if p.denied.has(prepared) {
		found("is on this server's list of denied passwords")
	}
	if p.minStrength > 0 {
		if s := strength(username, prepared); s < p.minStrength {
			found(fmt.Sprintf("is too easy to guess: strength %d of %d, at least %d is asked for", s, bestStrength, p.minStrength))
		}
	}
	return all
}

// check refuses, with the reason PASSWORD_POLICY and all that is wrong, a
// password that the account may not have, and returns its prepared form.
func (p policy) check(s scheme, username string, password account.Secret) (prepared string, err error) {
	if prepared, err = prepare(s, password); err != nil {
		return "", err
	}
	var refusals []string
	for _, f := range p.faults(username, prepared) {
		refusals = append(refusals, f.refusal)
	}
	if refusals != nil {
		return "", badPassword("%s", strings.Join(refusals, "; "))
	}
	return prepared, nil
}

// warning says what is wrong with a prepared password that is set all the same,
// empty for nothing.
func (p policy) warning(username, prepared string) string {
	var remarks []string
	for _, f := range p.faults(username, prepared) {
		remarks = append(remarks, f.remark)
	}
	return strings.Join(remarks, ", and it ")
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
