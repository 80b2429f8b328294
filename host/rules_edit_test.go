package host_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule6AnEditIsAtomic shows that role and password given together change
// together or not at all: when the plugin or the host is killed at any moment
// of the edit, and when either half is refused.
func TestRule6AnEditIsAtomic(t *testing.T) {
	t.Parallel()
	t.Run("Killed", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		faces := []face{{account.User, "the password as a user"}, {account.Admin, "the password as an admin"}}
		must(h.Admin().Create(t.Context(), anew, account.Create{Username: "janus", Role: faces[0].role, Password: account.Secret(faces[0].password)}))(t)
		admin := h.Admin()
		began := time.Now()
		must(setBoth(faces[1].role, faces[1].password)(t.Context(), admin, anew, "janus"))(t)
		is, took := 1, time.Since(began)
		for round := range 18 {
			if round%3 == 0 {
				h.StopAuditLog(0) // the edit is committed, and nobody is told
			}
			outcome := make(chan error, 1)
			go func() {
				next := faces[1-is]
				r, err := setBoth(next.role, next.password)(t.Context(), admin, anew, "janus")
				if err == nil && !r.Changed {
					err = fmt.Errorf("nothing was changed: %+v", r)
				}
				outcome <- err
			}()
			sometime := func() { time.Sleep(rand.N(took)) } // before, in or after the commit
			switch round % 3 {
			case 0:
				err := <-outcome
				wantKind(t, "an edit without an audit line", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
				h.Kill()
				h.Start()
				admin = h.Admin()
				is = wantFace(t, admin, faces, 1-is)
			case 1:
				sometime()
				h.KillPlugin() // the host repeats the edit
				if err := <-outcome; err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				is = wantFace(t, admin, faces, 1-is)
			case 2:
				sometime()
				h.Kill()
				err := <-outcome
				h.Start()
				admin = h.Admin()
				switch account.KindOf(err) {
				case 0:
					is = wantFace(t, admin, faces, 1-is)
				case account.KindUnavailable: // it never left the client
					is = wantFace(t, admin, faces, is)
				default:
					wantKind(t, "an edit under which the host was killed", err, account.KindOutcomeUnknown, account.ReasonOutcomeUnknown)
					is = wantFace(t, admin, faces, -1)
				}
			}
		}
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		h := hosttest.Start(t)
		admin := h.Admin()
		create(t, admin, "jeff", account.User)
		for username, c := range map[string]struct {
			edit   account.Edit
			kind   account.Kind
			reason account.Reason
		}{
			"jeff":                 {account.Edit{Role: account.Admin, Password: account.Secret("short")}, account.KindInvalid, account.ReasonPasswordPolicy},
			hosttest.Administrator: {account.Edit{Role: account.User, Password: account.Secret("long enough")}, account.KindRefused, account.ReasonLastAdmin},
		} {
			before := show(t, admin, username)
			c.edit.Username = username
			_, err := admin.Edit(t.Context(), anew, c.edit)
			wantKind(t, username, err, c.kind, c.reason)
			if d := cmp.Diff(before, show(t, admin, username)); d != "" {
				t.Errorf("a refused edit of '%s' changed:\n%s", username, d)
			}
			if matches(t, admin, username, string(c.edit.Password)) {
				t.Errorf("a refused edit of '%s' set the password", username)
			}
		}
	})
}

// face is what an edit makes of an account.
type face struct {
	role     account.Role
	password string
}

// wantFace returns which of the two faces the account janus has, which must be
// the wanted one, unless that is -1.
func wantFace(t *testing.T, c *management.Client, faces []face, want int) int {
	t.Helper()
	role := show(t, c, "janus").Role
	for i, f := range faces {
		if f.role != role {
			continue
		}
		if !matches(t, c, "janus", f.password) || matches(t, c, "janus", faces[1-i].password) {
			t.Fatalf("the role is %s, and the password is not of the same edit", role)
		}
		if want >= 0 && want != i {
			t.Fatalf("the role is %s, and so is the password; the answer said otherwise", role)
		}
		return i
	}
	t.Fatalf("the role is %s", role)
	return -1
}

func matches(t *testing.T, c *management.Client, username, password string) bool {
	t.Helper()
	ok, err := c.CheckPassword(t.Context(), account.Password{Username: username, Password: account.Secret(password)})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}
