package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/plugin/etcd"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

const prefix = "plugin.settings."

// The bounds of a timeout.
const (
	shortest = 50 * time.Millisecond
	longest  = time.Minute
)

// parse reads the settings, and what the password file holds.
func parse(home string, settings map[string]string) (o etcd.Options, err error) {
	passwordFile := ""
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		switch name {
		case "endpoints":
			o.Endpoints = list(value)
		case "prefix":
			o.Prefix, err = value, given(name, value)
		case "username":
			o.Username, err = value, given(name, value)
		case "password_file":
			passwordFile, err = file(home, name, value)
		case "ca_file":
			o.CAFile, err = file(home, name, value)
		case "cert_file":
			o.CertFile, err = file(home, name, value)
		case "key_file":
			o.KeyFile, err = file(home, name, value)
		case "dial_timeout":
			o.DialTimeout, err = timeout(name, value)
		case "request_timeout":
			o.RequestTimeout, err = timeout(name, value)
		case "password":
			err = account.Invalid(prefix+name, "a password is no setting, because settings can be read by others; write it to a file that only its owner can read, and set password_file")
		default:
			err = account.Invalid(prefix+name, "%q is not a setting of the etcd backend; it has endpoints, prefix, username, password_file, ca_file, cert_file, key_file, dial_timeout and request_timeout, and those of passwords: %s",
				account.Printable(name), users.PasswordSettings)
		}
		if err != nil {
			return etcd.Options{}, err
		}
	}
	if passwordFile != "" {
		if o.Password, err = readPassword(passwordFile); err != nil {
			return etcd.Options{}, account.Invalid(prefix+"password_file", "%v", err)
		}
	}
	return o, nil
}

func list(value string) (items []string) {
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// given refuses a setting that is there and empty.
func given(name, value string) error {
	if value == "" {
		return account.Invalid(prefix+name, "%s%s is empty; leave it out, or give it a value", prefix, name)
	}
	return nil
}

func file(home, name, value string) (string, error) {
	if err := given(name, value); err != nil {
		return "", err
	}
	if filepath.IsAbs(value) {
		return value, nil
	}
	return filepath.Join(home, value), nil
}

func timeout(name, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < shortest || d > longest {
		return 0, account.Invalid(prefix+name, "%s%s is %q; it must be a time from %s to %s, such as 2s", prefix, name, account.Printable(value), shortest, longest)
	}
	return d, nil
}
