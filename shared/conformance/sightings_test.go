package conformance

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

const (
	testPassword = "plum jam on toast"
	otherHash    = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW" // of nobody whom the suite knows
	testHash     = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaGhhc2g"
)

// TestRecord shows that nothing which a result says of a call holds a secret
// (rule 9).
func TestRecord(t *testing.T) {
	var seen sightings
	r := newRecord(&seen)
	for _, m := range []any{
		&usersv1.AuthenticateRequest{Username: "jeff", Password: []byte(testPassword)},
		&usersv1.ApplyRequest{Desired: &usersv1.Desired{Username: "jeff", PasswordHash: []byte(testHash)}},
		&usersv1.RestoreRequest{Data: []byte(testHash)},
		&usersv1.ConfigureRequest{Home: "/home", Settings: map[string]string{"etcd.password": testPassword}},
	} {
		r.begin("/concourse.users.v1.Users/Method", m)(m, nil)
	}
	for _, e := range r.newest() {
		for _, text := range []string{e.Sent, e.Received} {
			for _, secret := range []string{testPassword, testHash} {
				if text == "" || strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
					t.Errorf("%s shows %s", e.Method, text)
				}
			}
		}
	}
}

func TestSightings(t *testing.T) {
	var s sightings
	s.secretsOf(&usersv1.AuthenticateRequest{Username: "jeff", Password: []byte(testPassword)})
	s.secretsOf(&usersv1.AuthenticateRequest{Username: "jeff", Password: []byte("short")})
	s.secretsOf(&usersv1.ApplyRequest{Desired: &usersv1.Desired{PasswordHash: []byte(testHash)}})
	t.Run("Logged", func(t *testing.T) {
		for text, want := range map[string]int{
			"a short line, jeff": 0, "password=" + testPassword[1:]: 0,
			"password=" + testPassword: 1, testHash: 1, "hash " + otherHash: 1, "in the form $argon2id$v=19$m=…,t=…,p=…$salt$hash": 0, testHash + testPassword + "\n" + testPassword: 2,
			base64.StdEncoding.EncodeToString([]byte(testPassword)): 1,
		} {
			s.logged = nil
			s.output("stderr", []byte(text))
			if len(s.logged) != want {
				t.Errorf("in %q it sees %q, want %d", text, s.logged, want)
			}
		}
	})
	t.Run("Told", func(t *testing.T) {
		s.status("Create", "jeff is taken")
		s.status("Create", "bad password: "+testPassword)
		if len(s.told) != 1 || strings.Contains(s.told[0], testPassword) {
			t.Errorf("it sees %q", s.told)
		}
	})
	t.Run("Printed", func(t *testing.T) {
		s.output("stdout", []byte("1|1|unix|socket|grpc|\n"))
		s.output("stdout", []byte("1|1|unix|socket|grpc|\nhello "+testPassword))
		if len(s.stdout) != 1 || !strings.Contains(s.stdout[0], "hello") || strings.Contains(s.stdout[0], testPassword) {
			t.Errorf("it sees %q", s.stdout)
		}
	})
	t.Run("Long", func(t *testing.T) {
		s.output("stderr", append(bytes.Repeat([]byte("x"), mostLine-1), '\n'))
		s.output("stderr", bytes.Repeat([]byte("x"), mostLine+1))
		if len(s.long) != 1 {
			t.Errorf("it sees %q", s.long)
		}
	})
	t.Run("Scrubbed", func(t *testing.T) {
		r := Result{Failures: []string{"got " + testPassword, otherHash}, Exchanges: []Exchange{{Received: "Internal: " + testHash}}}
		s.scrub(&r)
		if text := r.Explanation(); strings.Contains(text, testPassword) || strings.Contains(text, testHash) || strings.Contains(text, otherHash[7:]) || !strings.Contains(text, "got ***") {
			t.Errorf("it says %q", text)
		}
	})
}
