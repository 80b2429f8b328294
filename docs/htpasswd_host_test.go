package docs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestHtpasswdHost changes the files under a host.
func TestHtpasswdHost(t *testing.T) {
	for name, mutual := range map[string]bool{"AutoMTLS": true, "Plain": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFiles(t)
			f.groupsText = "admin: admin jeff ana\nread:billing: jeff\n" // administrators alone have sessions here
			f.write(f.usersText, f.groupsText)
			r := newReader(t, name)
			defer r.stop()
			home := filepath.Join(r.directory, "home")
			if err := os.Mkdir(home, 0o700); err != nil {
				t.Fatal(err)
			}
			settings := fmt.Sprintf("plugin:\n  path: %s\n  auto_mtls: %v\n  settings: {users_file: %s, groups_file: %s}\n",
				f.executable, mutual, f.users, f.groups)
			write(t, filepath.Join(home, "concourse.yaml"), settings)
			r.must(step{command: "export CONCOURSE_PASSWORD='" + adminPassword + "'\n"})
			if err := r.stay(step{command: "concourse start\n", shown: "…\nConcourse is ready; …\n"}); err != nil {
				t.Fatal(err)
			}

			h := held{reader: r, socket: filepath.Join(home, "management.sock")}
			h.login("jeff", jeffPassword)
			h.want("admin", "jeff")
			t.Run("PluginKilled", func(t *testing.T) {
				r.must(step{command: "kill -9 $(concourse plugin status --format json | grep -o '\"pid\":[0-9]*' | cut -d : -f 2)\n"})
				r.must(step{command: "concourse users list >/dev/null && concourse plugin status | grep Restarts\n", shown: "Restarts:     1\n"})
				time.Sleep(3 * time.Second) // more than a heartbeat
				h.want("admin", "jeff")
			})
			t.Run("Damaged", func(t *testing.T) {
				f.write("admin:"+adminHash+"\njeff", f.groupsText)
				r.must(step{command: "concourse users list --format json | grep -c '\"jeff\"'\n", shown: "1\n"})
				f.write("admin:"+adminHash+"\njeff:"+adminHash[:20]+"\n", f.groupsText)
				r.must(step{command: "concourse users list --format json | grep -c '\"jeff\"'\n", shown: "1\n"})
				h.want("admin", "jeff")
				log := r.staying[0].text()
				for _, says := range []string{"ends within a line", "line 2: the hash is damaged", "stay as they were"} {
					if strings.Count(log, says) == 0 {
						t.Errorf("the log does not say %q:\n%s", says, log)
					}
				}
			})
			t.Run("Suspended", func(t *testing.T) {
				f.write(f.usersText, f.groupsText+"suspended: jeff\n")
				h.await("jeff's session has ended", "admin")
				if _, err := h.dial("jeff", jeffPassword); account.ReasonOf(err) != account.ReasonSuspended {
					t.Errorf("a suspended account's login: %v", err)
				}
			})
			t.Run("Enabled", func(t *testing.T) {
				f.write(f.usersText, f.groupsText)
				h.login("jeff", jeffPassword)
				h.want("admin", "jeff")
			})
			t.Run("Added", func(t *testing.T) {
				f.write(f.usersText+"ana:"+adminHash+"\n", f.groupsText)
				h.login("ana", adminPassword)
				h.want("admin", "ana", "jeff")
			})
			t.Run("OtherPassword", func(t *testing.T) {
				f.write(f.usersText+"ana:"+jeffHash+"\n", f.groupsText)
				h.await("ana's session has ended", "admin", "jeff")
				if _, err := h.dial("ana", adminPassword); account.KindOf(err) != account.KindNotAuthenticated {
					t.Errorf("the password from before: %v", err)
				}
				h.login("ana", jeffPassword)
			})
			t.Run("Demoted", func(t *testing.T) {
				f.write(f.usersText+"ana:"+jeffHash+"\n", "admin: admin jeff\n")
				h.await("ana's session has ended", "admin", "jeff")
				r.must(step{command: "concourse users show ana --format json | cut -d , -f 2\n", shown: "\"role\":\"USER\"\n"})
			})
			t.Run("Removed", func(t *testing.T) {
				f.write("admin:"+adminHash+"\n", f.groupsText)
				h.await("jeff's session has ended", "admin")
				if _, err := h.dial("jeff", jeffPassword); account.KindOf(err) != account.KindNotAuthenticated {
					t.Errorf("a login without an account: %v", err)
				}
			})
			for _, secret := range []string{jeffHash[7:20], adminHash[30:50], jeffPassword, adminPassword} {
				if log := r.staying[0].text(); strings.Contains(log, secret) {
					t.Errorf("%q is in the log:\n%s", secret, log)
				}
			}
		})
	}
}

// held is a host with sessions that stay.
type held struct {
	*reader
	socket string
}

func (h held) dial(username, password string) (*management.Client, error) {
	c, err := management.Dial(context.Background(), h.socket, management.DialOptions{AnswerWithin: patience})
	if err != nil {
		return nil, err
	}
	h.t.Cleanup(func() { c.Close() })
	_, err = c.Login(h.t.Context(), username, account.Secret(password))
	return c, err
}

func (h held) login(username, password string) {
	h.t.Helper()
	if _, err := h.dial(username, password); err != nil {
		h.t.Fatalf("%s logs in: %v", username, err)
	}
}

// sessions names who has one, the administrator who asks included.
func (h held) sessions() []string {
	h.t.Helper()
	out, err := h.output("concourse users list --format json")
	if err != nil {
		h.t.Fatal(err)
	}
	var all []struct {
		Username string
		Sessions int
	}
	if err := json.Unmarshal(out, &all); err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, a := range all {
		if a.Sessions > 0 {
			names = append(names, a.Username)
		}
	}
	return names
}

func (h held) want(names ...string) {
	h.t.Helper()
	if diff := cmp.Diff(names, h.sessions()); diff != "" {
		h.t.Errorf("sessions (-want +got):\n%s", diff)
	}
}

func (h held) await(what string, names ...string) {
	h.t.Helper()
	began := time.Now()
	for !cmp.Equal(names, h.sessions()) {
		if time.Since(began) > patience {
			h.t.Fatalf("after %v it is not so that %s: %v have some", patience, what, h.sessions())
		}
	}
}
