package session_test

import (
	"testing"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/google/go-cmp/cmp"
)

func TestTally(t *testing.T) {
	batches := [][]account.Session{
		{{Username: "bob", RemoteAddress: "10.0.0.9:1"}, {Username: "ann", RemoteAddress: "10.0.0.9:2", Environment: "prod"}},
		{{Username: "ann", RemoteAddress: "[::ffff:10.0.0.9]:3", Environment: "prod"}, {Username: "eve", RemoteAddress: "uid:0"}},
		{},
	}
	for key, want := range map[session.Key][]session.Count{
		session.KeyAccount:     {{Value: "ann", Sessions: 2}, {Value: "bob", Sessions: 1}, {Value: "eve", Sessions: 1}},
		session.KeyAddress:     {{Value: "10.0.0.9", Sessions: 3}, {Value: "uid:0", Sessions: 1}},
		session.KeyEnvironment: {{Value: "", Sessions: 2}, {Value: "prod", Sessions: 2}},
	} {
		t.Run(key.String(), func(t *testing.T) {
			tally := session.NewTally(key)
			for _, rows := range batches {
				tally.Add(rows)
			}
			if diff := cmp.Diff(want, tally.Counts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseKey(t *testing.T) {
	for i, name := range session.Keys {
		if k, err := session.ParseKey(name); err != nil || k != session.Key(i) {
			t.Errorf("ParseKey(%q) = %v, %v", name, k, err)
		}
	}
	if _, err := session.ParseKey("listener"); account.KindOf(err) != account.KindInvalid {
		t.Errorf("ParseKey of another = %v, want invalid", err)
	}
}
