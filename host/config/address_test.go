package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/config"
)

// service is what an upstream takes besides its address.
const service = "\nupstream.username: front\nupstream.password: secret\n"

func TestLoadAddresses(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                     {"localhost:1717", ""},
		"client.address: ''\n": {"", ""},
		"client_port: 1717\n":  {":1717", ""},
		"client_port: 1718\nclient.address: :1718\n":                             {":1718", ""},
		"client: {address: '[::1]:0'}\n":                                         {"[::1]:0", ""},
		service + "upstream: db.example:1718\n":                                  {"localhost:1717", "db.example:1718"},
		service + "upstream.address: 192.0.2.1:1718\nupstream: 192.0.2.1:1718\n": {"localhost:1717", "192.0.2.1:1718"},
		service + "upstream: {address: '[::1]:1718'}\n":                          {"localhost:1717", "[::1]:1718"},
		service + "upstream:\n":                                                  {"localhost:1717", ""},
	} {
		c, _ := load(t, home(t, text), nil, nil)
		if got := [2]string{c.Client.Address, c.Upstream.Address}; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if c, _ := load(t, t.TempDir(), nil, map[string]string{"client_port": "1718"}); c.Client.Address != ":1718" {
		t.Errorf("the flag became %q", c.Client.Address)
	}
}

func TestLoadManagementPort(t *testing.T) {
	for text, want := range map[string]int{
		"off": config.PortOff, "false": config.PortOff, "auto": config.PortAuto, "0": 0, "50878": 50878,
	} {
		for _, spelling := range []string{"management.port: ", "management_port: "} {
			if c, _ := load(t, home(t, spelling+text+"\n"), nil, nil); c.Management.Port != want {
				t.Errorf("%s%s became %d", spelling, text, c.Management.Port)
			}
		}
	}
}

func TestCompanionPort(t *testing.T) {
	for client, want := range map[int]int{1717: 50878, 0: 49161, 16382: 49160, 16383: 49161, 65535: 49164} {
		if got := config.CompanionPort(client); got != want {
			t.Errorf("beside %d: %d, want %d", client, got, want)
		}
	}
}

func TestLoadAddressesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"client.address: localhost":                            `FILE:1: client.address: "localhost" is not an address with a port; use one such as localhost:1717, or :1717 for every interface`,
		"client.address: http://a:1":                           `FILE:1: client.address: "http://a:1" is not an address with a port; use one such as localhost:1717, or :1717 for every interface`,
		"client.address: localhost:65536":                      `FILE:1: client.address: "65536" is not a port; use a number up to 65535`,
		"client_port: many":                                    `FILE:1: client.address: "many" is not a port; use a number up to 65535`,
		"client_port: 1\nclient.address: a:1":                  `FILE:2: client.address is given twice, with another value at concourse.yaml:1`,
		"client.max_connections: 0":                            `FILE:1: client.max_connections: "0" is too small; use at least 1`,
		"client.max_connections: few":                          `FILE:1: client.max_connections: "few" is not a number; use 1 or more`,
		"client.max_message: 2GiB":                             `FILE:1: client.max_message: "2GiB" is too large; use at most 2047MiB`,
		"client.max_message: 1KiB":                             `FILE:1: client.max_message: "1KiB" is too small; use at least 64KiB`,
		"client.tls.certificate: c.pem":                        `FILE:1: client.tls.certificate needs client.tls.key, the file with its key`,
		"management: {tls: {key: k.pem}}":                      `FILE:1: management.tls.key needs management.tls.certificate, the file with its certificate`,
		"management.port: on":                                  `FILE:1: management.port: "on" is not a port; use off, auto, or a number up to 65535`,
		"management.port: auto\nclient.address: ''":            `FILE:1: management.port is computed from the client port, and client.address is empty; give a number`,
		"upstream: db" + service:                               `FILE:1: upstream.address: "db" is not an address with a port; use one such as localhost:1718`,
		"upstream: :1718" + service:                            `FILE:1: upstream.address: ":1718" names no host; use one such as localhost:1718`,
		"upstream: db:0" + service:                             `FILE:1: upstream.address: "db:0" names no port; use one such as localhost:1718`,
		"upstream: [db:1718]":                                  `FILE:1: upstream must be a single value`,
		"upstream: db:1718\nupstream: {}" + service:            `FILE:2: upstream is given twice, first on line 1`,
		"upstream: db:1718":                                    `FILE:1: upstream.address needs upstream.username, the host's own account on the data server`,
		"upstream: db:1718\nupstream.username: front":          `FILE:1: upstream.address needs upstream.password_file or upstream.password, of 'front' on the data server`,
		"upstream.password: secret\nupstream.password_file: f": `FILE:2: upstream.password_file and upstream.password exclude each other`,
	} {
		dir := home(t, text+"\n")
		c, _, err := config.Load(dir, nil, nil)
		if err == nil {
			t.Errorf("%q is accepted: %+v", text, c)
			continue
		}
		if _, ok := errors.AsType[*config.Problems](err); !ok {
			t.Errorf("%q: the error is a %T", text, err)
		}
		got := strings.ReplaceAll(err.Error(), filepath.Join(dir, config.File), "FILE")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// A host that is its own data server would pass every call on to itself.
func TestLoadOwnUpstream(t *testing.T) {
	for _, c := range []struct {
		client, upstream string
		own              bool
	}{
		{"localhost:1717", "localhost:1717", true},
		{"localhost:1717", "LOCALHOST:01717", true},
		{"localhost:1717", "127.0.0.1:1717", true},
		{"localhost:1717", "[::1]:1717", true},
		{"localhost:1717", "[::ffff:127.0.0.1]:1717", true},
		{"localhost:1717", "0.0.0.0:1717", true},
		{"localhost:1717", "localhost:1718", false},
		{"localhost:1717", "127.0.0.2:1717", false},
		{"localhost:1717", "db:1717", false},
		{"localhost:1717", "192.0.2.1:1717", false},
		{":1717", "localhost:1717", true},
		{":1717", "127.0.0.2:1717", true},
		{":1717", "[::]:1717", true},
		{":1717", "192.0.2.1:1717", false},
		{"0.0.0.0:1717", "127.0.0.9:1717", true},
		{"[::]:1717", "localhost:1717", true},
		{"192.0.2.1:1717", "192.0.2.1:1717", true},
		{"192.0.2.1:1717", "localhost:1717", false},
		{"127.0.0.1:1717", "localhost:1717", true},
		{"127.0.0.1:1717", "127.0.0.2:1717", false},
		{"Front:1717", "front:1717", true},
		{"front:1717", "back:1717", false},
		{"localhost:0", "localhost:1717", false},
		{"", "localhost:1717", false},
	} {
		dir := home(t, "client.address: '"+c.client+"'\nupstream.address: '"+c.upstream+"'"+service)
		_, _, err := config.Load(dir, nil, nil)
		want := filepath.Join(dir, config.File) + `:2: upstream.address "` + c.upstream + `" is this host's own client port, see client.address; it must name the data server`
		if own := err != nil; own != c.own || own && err.Error() != want {
			t.Errorf("a host at %s with %s behind it: %v", c.client, c.upstream, err)
		}
	}
}
