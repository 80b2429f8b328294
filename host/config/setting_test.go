package config_test

import (
	"testing"

	"github.com/cinchapi/concourse-users/host/config"
)

func TestSettings(t *testing.T) {
	spellings := map[string]string{}
	for _, s := range config.Settings() {
		if s.Description == "" || s.Type == "" {
			t.Errorf("%s is not described", s.Name)
		}
		for _, spelling := range []string{s.Name, s.Env(), s.Flag()} {
			if other, taken := spellings[spelling]; taken && other != s.Name {
				t.Errorf("%s spells %s and %s", spelling, other, s.Name)
			}
			if spelling != "" {
				spellings[spelling] = s.Name
			}
		}
	}
	for _, reserved := range []string{"CONCOURSE_HOME", "CONCOURSE_USERNAME", "CONCOURSE_PASSWORD", "CONCOURSE_SOCKET_OWNER"} {
		if name, taken := spellings[reserved]; taken {
			t.Errorf("%s is the client's, and sets %s", reserved, name)
		}
	}
	for spelling, want := range map[string]string{
		"CONCOURSE_MANAGEMENT_SOCKET_GROUP": "management.socket_group",
		"CONCOURSE_INIT_ROOT_PASSWORD":      "init.root.password",
		"management-socket-group":           "management.socket_group",
		"plugin-settings":                   "plugin.settings",
	} {
		if got := spellings[spelling]; got != want {
			t.Errorf("%s spells %q, want %s", spelling, got, want)
		}
	}
}
