package conformance

import (
	"bytes"
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/shared/account"
	accountv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/account/v1"
	usersv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/users/v1"
)

var authenticateCases = []Case{
	{
		Name:     "authenticate/accepts-the-right-password",
		Contract: `Authenticate checks a password, through either listener, and answers the account as it was read (users.proto, Authenticate)`,
		run: func(t *T) {
			p := t.Open()
			want := p.Show(p.admin.Username)
			for _, listener := range []account.Listener{account.ManagementListener, account.ClientListener} {
				c := p.admin
				c.Listener = listener
				login, err := p.Users.Authenticate(t.ctx, c)
				t.OK(err, "log in through the %s listener", listener)
				t.Same(login.Account, want, "the account of a login through the %s listener", listener)
			}
		},
	},
	{
		Name:     "authenticate/reads-the-newest-state",
		Contract: `AuthenticateResponse.account is the account at the revision that it names: every change that was answered before is in it (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			first, err := p.login("jeff", password)
			t.OK(err, "log in as jeff")
			t.Same(first.Account, made, "the account of a login after the creation")
			changed := p.grant("jeff", "e", account.Read)
			second, err := p.login("jeff", password)
			t.OK(err, "log in as jeff")
			t.Same(second.Account, changed.Account, "the account of a login after a grant")
			if first.Revision >= changed.Revision || second.Revision < changed.Revision {
				t.Errorf("a login, a grant and a login are of revisions %d, %d and %d: a change has a greater revision than all that was before, and what reads it has no smaller one",
					first.Revision, changed.Revision, second.Revision)
			}
		},
	},
	{
		Name:     "authenticate/answers-unknown-and-wrong-alike",
		Contract: `Authenticate answers an unknown name and a wrong password alike, with UNAUTHENTICATED and no detail (users.proto, Authenticate; rule 9)`,
		run: func(t *T) {
			p := t.Open()
			wrong := t.answer(p, p.admin.Username, NewPassword())
			if wrong.Code() != codes.Unauthenticated || len(wrong.Details()) > 0 {
				t.Errorf("a wrong password is answered with %s and %d details, want UNAUTHENTICATED and none", wrong.Code(), len(wrong.Details()))
			}
			right, nobody := p.admin.Password, "nobody-"+string(NewPassword())
			for _, try := range []struct {
				what, username string
				password       account.Secret
			}{
				{"an unknown name", nobody, NewPassword()},
				{"an unknown name with the administrator's password", nobody, right},
				{"an empty name, which the host sends for one that nobody can have", "", NewPassword()},
				{"an empty password, which the host sends for one that nobody can have", p.admin.Username, nil},
				{"a password that begins like the right one and goes on", p.admin.Username, append(slices.Clone(right), 'x')},
				{"a password that is only the beginning of the right one", p.admin.Username, right[:len(right)-1]},
				{"the right password in the other letter case", p.admin.Username, swapCase(right)},
			} {
				if bytes.Equal(try.password, right) && try.username != nobody {
					continue // it has no letters
				}
				if s := t.answer(p, try.username, try.password); !proto.Equal(s.Proto(), wrong.Proto()) {
					t.Errorf("%s is answered with %s: %q and %d details, a wrong password with %s: %q and %d",
						try.what, s.Code(), s.Message(), len(s.Details()), wrong.Code(), wrong.Message(), len(wrong.Details()))
				}
			}
		},
	},
	{
		Name:     "authenticate/takes-alike-long",
		Contract: `Authenticate answers an unknown name and a wrong password in alike time (users.proto, Authenticate; rule 9)`,
		alone:    true,
		run: func(t *T) {
			p := t.Open()
			const rounds = 3 // a machine that is busy elsewhere may spoil one or two
			var told string
			for range rounds {
				if told = t.unlikeTimes(p); told == "" {
					return
				}
			}
			t.Errorf("in each of %d rounds the times told apart who has an account: %s", rounds, told)
		},
	},
	{
		Name:     "authenticate/refuses-the-suspended",
		Contract: `Authenticate answers a suspended account whose password is right with PERMISSION_DENIED, reason SUSPENDED, and whose password is wrong like any wrong password (users.proto, Authenticate)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			p.suspend("jeff")
			_, err := p.login("jeff", password)
			t.Refused(err, account.KindNotPermitted, account.ReasonSuspended, "log in to a suspended account with the right password")
			suspended, unknown := t.answer(p, "jeff", NewPassword()), t.answer(p, "nobody", NewPassword())
			if !proto.Equal(suspended.Proto(), unknown.Proto()) {
				t.Errorf("a wrong password of a suspended account is answered with %s: %q, an unknown name with %s: %q",
					suspended.Code(), suspended.Message(), unknown.Code(), unknown.Message())
			}
		},
	},
	{
		Name:     "authenticate/every-byte-counts",
		Contract: `AuthenticateRequest.password has at most 1024 bytes, as typed: one that differs in the last of them is another password (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			long := passwordOf(account.MaxPassword)
			_, err := p.Users.Create(t.ctx, p.New(), account.Create{Username: "jeff", Password: long, Role: account.User})
			t.OK(err, "create an account with a password of %d bytes", len(long))
			_, err = p.login("jeff", long)
			t.OK(err, "log in with a password of %d bytes", len(long))
			other := slices.Clone(long)
			other[len(other)-1] ^= 1
			for what, wrong := range map[string]account.Secret{
				"whose last byte is another": other, "without its last byte": long[:len(long)-1], "cut to 72 bytes": long[:72],
			} {
				_, err = p.login("jeff", wrong)
				t.Refused(err, account.KindNotAuthenticated, "", "log in with the password %s", what)
			}
		},
	},
	{
		Name:     "authenticate/a-probe-changes-nothing",
		Contract: `AuthenticateRequest.probe: the host asks for itself; it counts as no login, and changes nothing (users.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			_, password := p.Create("jeff", account.User)
			before := p.holdings()
			_, err := p.Users.Authenticate(t.ctx, account.Credentials{Username: "jeff", Password: password, Listener: account.ManagementListener, Probe: true})
			t.OK(err, "log in as a probe")
			_, err = p.Users.Authenticate(t.ctx, account.Credentials{Username: "jeff", Password: NewPassword(), Listener: account.ManagementListener, Probe: true})
			t.Refused(err, account.KindNotAuthenticated, "", "log in as a probe, with a wrong password")
			p.Untouched(before, "two probes")
			time.Sleep(signInPatience) // a login is written down after its answer
			if at := p.Show("jeff").LastLoginAt; !at.IsZero() {
				t.Errorf("after a probe last_login_at is %v, want none", at)
			}
		},
	},
	{
		Name:     "authenticate/last-login-is-that-of-a-login",
		Contract: `Account.last_login_at is when the account last logged in, to about a minute; absent: never, or not kept by this backend. A refused login is none (account.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			made, password := p.Create("jeff", account.User)
			if !made.LastLoginAt.IsZero() {
				t.Errorf("a new account has the last_login_at %v, want none", made.LastLoginAt)
			}
			_, err := p.login("jeff", NewPassword())
			t.Refused(err, account.KindNotAuthenticated, "", "log in with a wrong password")
			time.Sleep(signInPatience)
			if at := p.Show("jeff").LastLoginAt; !at.IsZero() {
				t.Errorf("after a refused login last_login_at is %v, want none", at)
			}
			began := time.Now()
			_, err = p.login("jeff", password)
			t.OK(err, "log in as jeff")
			var shown account.Account
			for waited := 0; waited < 10 && shown.LastLoginAt.IsZero(); waited++ {
				time.Sleep(signInPatience / 10)
				shown = p.Show("jeff")
			}
			if !shown.LastLoginAt.IsZero() {
				t.Recent(shown.LastLoginAt, began, "last_login_at after a login")
			}
			t.Same(shown, made, "the account after its login")
		},
	},
	{
		Name:     "authenticate/names-differ-by-case",
		Contract: `Account.username is in the PRECIS profile UsernameCasePreserved: upper and lower case are different names (account.proto)`,
		Needs:    needsChange,
		run: func(t *T) {
			p := t.Open()
			lower, password := p.Create("jeff", account.User)
			_, err := p.login("JEFF", password)
			t.Refused(err, account.KindNotAuthenticated, "", "log in as JEFF, where only jeff exists")
			upper, other := p.Create("Jeff", account.User)
			if lower.ID == upper.ID {
				t.Errorf("jeff and Jeff have the same id")
			}
			_, err = p.login("jeff", other)
			t.Refused(err, account.KindNotAuthenticated, "", "log in as jeff with the password of Jeff")
			login, err := p.login("Jeff", other)
			t.OK(err, "log in as Jeff")
			t.Same(login.Account, upper, "the account of a login as Jeff")
		},
	},
}

// signInPatience is what a backend gets to write down a login that it should
// not, or may, write down.
const signInPatience = 500 * time.Millisecond

// answer is the status with which a login is refused.
func (t *T) answer(p *Plugin, username string, password account.Secret) *status.Status {
	_, err := p.Raw.Authenticate(t.ctx, &usersv1.AuthenticateRequest{
		Username: username, Password: password, Listener: accountv1.Listener_LISTENER_CLIENT,
	})
	if err == nil {
		t.Fatalf("a login that must be refused was accepted")
	}
	return status.Convert(err)
}

// unlikeTimes says how the times of refused logins differ, if they do: their
// medians by more than a factor of 2 and by what nothing else can explain.
func (t *T) unlikeTimes(p *Plugin) string {
	const samples = 15
	wrong := account.Credentials{Username: p.admin.Username, Password: NewPassword(), Listener: account.ClientListener}
	unknown, nameless, open := wrong, wrong, wrong
	unknown.Username, nameless.Username, open.Password = "nobody", "", nil
	kinds := []struct {
		what  string
		asked account.Credentials
		took  []time.Duration
	}{
		{what: "a wrong password", asked: wrong},
		{what: "an unknown name", asked: unknown},
		{what: "an empty name", asked: nameless},
		{what: "an empty password", asked: open},
	}
	for range samples {
		for i := range kinds {
			took, err := timed(t.ctx, p, kinds[i].asked)
			t.Refused(err, account.KindNotAuthenticated, "", "log in with %s", kinds[i].what)
			kinds[i].took = append(kinds[i].took, took)
		}
	}
	reference := median(kinds[0].took)
	for _, k := range kinds[1:] {
		m := median(k.took)
		if shorter, longer := min(m, reference), max(m, reference); longer > 2*shorter && longer-shorter > time.Millisecond {
			return "half of the logins with " + k.what + " took less than " + m.String() + ", with a wrong password less than " + reference.String()
		}
	}
	return ""
}

func timed(ctx context.Context, p *Plugin, c account.Credentials) (time.Duration, error) {
	began := time.Now()
	_, err := p.Users.Authenticate(ctx, c)
	return time.Since(began), err
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// passwordOf returns a password of n bytes.
func passwordOf(n int) account.Secret {
	p := NewPassword()
	return bytes.Repeat(p, n/len(p)+1)[:n]
}

// swapCase returns the password with its ASCII letters in the other case.
func swapCase(password account.Secret) account.Secret {
	other := slices.Clone(password)
	for i, b := range other {
		if b|0x20 >= 'a' && b|0x20 <= 'z' {
			other[i] ^= 0x20
		}
	}
	return other
}
