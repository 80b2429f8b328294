package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/cinchapi/concourse-users/host/verify"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Passwords, and hashes of them at little cost.
const (
	adminPassword = "three white ducks"
	jeffPassword  = "orange marmalade"
	adminHash     = "$argon2id$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Nua+0dRWUD8oqiU6rFhhfFHSIEpzzdXcijEYuVZheAU"
	jeffHash      = "$2y$04$TVe9IqIudCD9bzgnQUg0yuAcFQhPR0No44OTgtJKj0caJUleqklWy"
)

// htpasswd builds the example once.
var htpasswd = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(built), "concourse-users-htpasswd")
	if out, err := exec.Command("examples/htpasswd/build.sh", path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build.sh: %w\n%s`make deps` installs what it needs", err, out)
	}
	return path, nil
})

// TestHtpasswdReadme follows the example's README.
func TestHtpasswdReadme(t *testing.T) {
	t.Parallel()
	const path = "examples/htpasswd/README.md"
	blocks, err := readBlocks(path)
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t, path)
	defer r.stop()
	if err := os.CopyFS(filepath.Join(r.directory, "work/shared/proto"), os.DirFS("../shared/proto")); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if err := r.follow(b); err != nil {
			t.Fatalf("%s:%v", path, err)
		}
	}
}

// TestHtpasswdConformance holds the example to the contract, as `concourse
// plugin verify` does.
func TestHtpasswdConformance(t *testing.T) {
	f := newFiles(t)
	verify.Test(t, verify.Options{
		Path: f.executable, Settings: f.settings(),
		Administrator: account.Credentials{Username: "admin", Password: account.Secret(adminPassword)},
	})
}

// TestHtpasswdBuild shows that the bytes depend on the sources alone.
func TestHtpasswdBuild(t *testing.T) {
	f := newFiles(t)
	again := filepath.Join(t.TempDir(), "again")
	build := exec.Command("examples/htpasswd/build.sh", again)
	build.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=Asia/Tokyo"}
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command("cmp", f.executable, again).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHtpasswdFiles configures a process with one pair of files after another.
func TestHtpasswdFiles(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	const admin = "admin:" + adminHash + "\n"
	many := strings.Builder{}
	for i := range account.MaxEnvironments + 1 {
		fmt.Fprintf(&many, "read:e%d: admin\n", i)
	}
	for name, c := range map[string]struct{ users, groups, refusal string }{
		"NoColon":         {admin + "jeff\n", "admin: admin\n", "line 2: a line is username:hash"},
		"NoName":          {"\n# first\n:" + jeffHash + "\n", "", "line 3: what stands before the colon"},
		"SwappedParts":    {jeffHash + ":jeff\n", "", "line 1: what follows the name is no hash"},
		"Spaced":          {admin + "je ff:" + jeffHash + "\n", "", "line 2: what stands before the colon"},
		"Twice":           {admin + "ｊeff:" + jeffHash + "\njeff:" + jeffHash + "\n", "", "line 3: the account of line 2 again"},
		"NoUTF8":          {admin + "j\xffff:" + jeffHash + "\n", "", "line 2, is not valid UTF-8"},
		"HalfLine":        {admin + "jeff:" + jeffHash, "", "ends within a line"},
		"Plain":           {admin + "jeff:" + jeffPassword + "\n", "", "line 2: what follows the name is no hash"},
		"MD5":             {admin + "jeff:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00\n", "", "line 2: the hash is MD5 (apr1)"},
		"SHA512":          {admin + "jeff:$6$abcdefgh$abcdefghijklmnop\n", "", "line 2: the hash is SHA-512 crypt"},
		"BcryptCut":       {admin + "jeff:" + jeffHash[:58] + "\n", "", "line 2: the hash is damaged"},
		"BcryptDigits":    {admin + "jeff:$2y$٠٤" + jeffHash[6:] + "\n", "", "line 2: the hash is damaged"},
		"BcryptCost":      {admin + "jeff:$2y$31" + jeffHash[6:] + "\n", "", "line 2: a bcrypt hash has a cost of 4 to 15, not 31"},
		"Argon2Memory":    {admin + "jeff:" + strings.Replace(adminHash, "m=1024", "m=4194304", 1) + "\n", "", "line 2: an argon2 hash has m of at most"},
		"Argon2Key":       {admin + "jeff:" + adminHash[:len(adminHash)-30] + "\n", "", "a key of 16 to 64"},
		"Argon2Version":   {admin + "jeff:" + strings.Replace(adminHash, "v=19", "v=16", 1) + "\n", "", "line 2: the hash is damaged"},
		"NoGroup":         {admin, "admin: admin\nsuspend: admin\n", "line 2: a line is a group"},
		"NoEnvironment":   {admin, "admin: admin\nread:a-b: admin\n", "line 2: a line is a group"},
		"TooManyGrants":   {admin, "admin: admin\n" + many.String(), "more than 1024 environments"},
		"Empty":           {"", "", "leaves no enabled ADMIN"},
		"NoAdmin":         {admin, "", "leaves no enabled ADMIN"},
		"SuspendedAdmin":  {admin, "admin: admin\nsuspended: admin\n", "leaves no enabled ADMIN"},
		"AdminWithoutOne": {"jeff:" + jeffHash + "\n", "admin: admin\n", "leaves no enabled ADMIN"},
	} {
		t.Run(name, func(t *testing.T) {
			f.write(c.users, c.groups)
			_, err := f.configure(f.start())
			if account.KindOf(err) != account.KindUnavailable || !strings.Contains(err.Error(), c.refusal) {
				t.Fatalf("got %v, want it unavailable, with %q", err, c.refusal)
			}
			for _, secret := range []string{jeffHash[7:20], "orange", "abcdefgh", "eIMz"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q shows what is in the file", err)
				}
			}
		})
	}
	t.Run("Settings", func(t *testing.T) {
		f.write(admin, "admin: admin\n")
		p := f.start()
		for field, settings := range map[string]map[string]string{
			"plugin.settings.users_file":  {"groups_file": f.groups},
			"plugin.settings.groups_file": {"users_file": f.users, "groups_file": ""},
			"plugin.settings.pth":         {"users_file": f.users, "groups_file": f.groups, "pth": "x"},
		} {
			_, err := p.Configure(t.Context(), account.Configuration{Home: "/", Settings: settings})
			if e, ok := err.(*account.Error); !ok || e.Kind != account.KindInvalid || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		// A refused configuration is none.
		d, err := f.configure(p)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{account.CapabilityDurable}, d.Capabilities); diff != "" || !d.Initialized {
			t.Errorf("initialized %v, capabilities (-want +got):\n%s", d.Initialized, diff)
		}
		if _, err := f.configure(p); account.KindOf(err) != account.KindInvalid {
			t.Errorf("another configuration: %v", err)
		}
	})
}

// TestHtpasswdPasswords logs in against every scheme.
func TestHtpasswdPasswords(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	x72 := strings.Repeat("x", 72)
	accounts := []struct{ hash, password, wrong string }{
		{"$2a$04$/pQJc4SEdkbJGHtCFv7oOuRhb9PyKRDfQEzneD5EZsNvURVgMooRK", jeffPassword, adminPassword},
		{"$2b$04$IzZbrNr3jdRZBtfPMgG1l.0CtuM4xRQz5EoPSkIzNhHHMk8z1LzFe", jeffPassword, ""},
		{jeffHash, jeffPassword, jeffPassword + "\x00"},
		{"$2b$04$8L/In0RNvdGFs5mV29o5kuRA7sPwZ.3ZCwjSlfSCZ75yzczy4lQC2", x72, x72 + "x"},
		{"$argon2id$v=19$m=64,t=1,p=2$MDEyMzQ1Njc4OWFiY2RlZg$RuxR/fldWwWz0R+m9Q5TnahaIN2xW3DxDtnyROf3HCY", jeffPassword, "orange"},
		{"$argon2i$v=19$m=64,t=1,p=2$MDEyMzQ1Njc4OWFiY2RlZg$jhpQQyoSymb1VCW9kkmzZLcrcJl0OAWZ4SaA4NXwepQ", jeffPassword, jeffPassword + "\n"},
		{"$argon2d$v=19$m=64,t=1,p=2$MDEyMzQ1Njc4OWFiY2RlZg$It/OBewvxSQotHHJbWxxq2S+g4w+ojpwPOLEBc08kwQ", jeffPassword, strings.Repeat("y", 1025)},
	}
	users := f.usersText
	for i, a := range accounts {
		users += fmt.Sprintf("user%d:%s\n", i, a.hash)
	}
	f.write(users, f.groupsText+"suspended: jeff\n")
	p := f.start()
	if _, err := f.configure(p); err != nil {
		t.Fatal(err)
	}
	if _, err := authenticate(t, p, "jeff", jeffPassword); account.ReasonOf(err) != account.ReasonSuspended {
		t.Errorf("a suspended account: %v", err)
	}
	if _, err := authenticate(t, p, "jeff", adminPassword); account.KindOf(err) != account.KindNotAuthenticated {
		t.Errorf("a suspended account, with a wrong password: %v", err)
	}
	for i, a := range accounts {
		name := fmt.Sprintf("user%d", i)
		login, err := authenticate(t, p, name, a.password)
		if err != nil || login.Account.Username != name || login.Account.Role != account.User || login.Revision == 0 {
			t.Errorf("%s: %+v, %v", name, login, err)
		}
		if _, err := authenticate(t, p, name, a.wrong); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("%s, with %d bytes of a wrong password: %v", name, len(a.wrong), err)
		}
		if _, err := authenticate(t, p, "nobody"+name, a.password); account.KindOf(err) != account.KindNotAuthenticated {
			t.Errorf("an unknown name: %v", err)
		}
	}
	t.Run("Unreadable", func(t *testing.T) {
		if err := os.Rename(f.groups, f.groups+".away"); err != nil {
			t.Fatal(err)
		}
		_, err := authenticate(t, p, "admin", adminPassword)
		if account.KindOf(err) != account.KindUnavailable || wire.Transport(err) || !strings.Contains(err.Error(), "No such file") {
			t.Errorf("a login without a groups file: %v", err)
		}
		requests := make(chan account.WatchRequest, 1)
		requests <- account.WatchRequest{Heartbeat: 1}
		err = p.Watch(t.Context(), requests, func(e account.WatchEvent) error {
			t.Errorf("it delivers %+v", e)
			return nil
		})
		if account.KindOf(err) != account.KindUnavailable {
			t.Errorf("a heartbeat without a groups file: %v", err)
		}
		if err := os.Rename(f.groups+".away", f.groups); err != nil {
			t.Fatal(err)
		}
		if _, err := authenticate(t, p, "admin", adminPassword); err != nil {
			t.Errorf("a login with the groups file again: %v", err)
		}
	})
	t.Run("SameBytesSameTime", func(t *testing.T) {
		f.write(f.usersText, f.groupsText)
		// No mark of the file tells these versions apart but the time, which is
		// too coarse for it.
		for i := range 200 {
			right := i%2 == 0
			name := map[bool]string{true: "jeff", false: "jefe"}[right]
			write(t, f.users, strings.Replace(f.usersText, "jeff", name, 1))
			if exists, err := p.Exists(t.Context(), "jeff"); exists != right || err != nil {
				t.Fatalf("version %d: %v, %v", i, exists, err)
			}
		}
	})
}

// TestHtpasswdUnexpected shows that a version of the files which meets a fault of
// the backend's own does not pass for understood: nothing is read until it is,
// so that no heartbeat speaks for the version before it.
func TestHtpasswdUnexpected(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	cmd := exec.Command("/usr/bin/python3", "testdata/htpasswd_unexpected.py", f.users, f.groups)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONPATH=" + f.executable, "PYTHONDONTWRITEBYTECODE=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHtpasswdNames shows that names are taken as the project takes them.
func TestHtpasswdNames(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	p := f.start()
	if _, err := f.configure(p); err != nil {
		t.Fatal(err)
	}
	taken, users := map[string]bool{"admin": true, "jeff": true}, f.usersText
	var refused []string
	for _, name := range []string{
		"jeff", "Jeff", "ｊｅｆｆ２", "zoe\u0308", "zoë2", "a.b-c_d@e.example", "1", "-", "~!$%^&*()", "abc-", "1abc", "名前", "ﾅﾏｴ", "Ω", "ﬁsh", "ª",
		"דוד", "דוד1", "1דוד", "aדוד", "د\u200cد", "a\u200cb", "l·l", "a·b", "カ・メ", "a・b", "٣", "٣۳", "a\u200b", "\u202ejeff", "x\u00a0y", "tab\ty", "½", "№", "🦆", "é", "e\u0301", "İ", "ǅ",
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("ё", 127), strings.Repeat("ё", 128), "\u0958", "\ufeffx", "ꯍ", "a\u034fb", "\u1100\u1161",
	} {
		normal, err := account.NormalizeUsername(name)
		if err != nil || strings.ContainsAny(name, ":#") {
			refused = append(refused, name)
			continue
		}
		if !taken[normal] {
			taken[normal] = true
			users += name + ":" + jeffHash + "\n"
		}
	}
	f.write(users, f.groupsText)
	login, err := authenticate(t, p, "admin", adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	who := account.Caller{Username: "admin", AccountID: login.Account.ID, Generation: login.Account.Generation}
	page, next, err := p.List(t.Context(), who, "")
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	listed := map[string]bool{}
	for i, a := range page {
		listed[a.Username] = true
		if i > 0 && page[i-1].Username >= a.Username {
			t.Errorf("%q comes after %q", a.Username, page[i-1].Username)
		}
	}
	if diff := cmp.Diff(taken, listed); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, name := range refused {
		if _, err := p.Show(t.Context(), who, name); account.KindOf(err) != account.KindInvalid {
			t.Errorf("%q: %v, want it refused", name, err)
		}
	}
	if len(refused) < 10 || len(taken) < 20 {
		t.Errorf("%d names are taken and %d refused, which shows little", len(taken), len(refused))
	}
}

// TestHtpasswdCertificate shows that only the host that started the process
// gets to call it.
func TestHtpasswdCertificate(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	own, pem := certificate(t)
	stranger, _ := certificate(t)
	greeting := f.greeting("PLUGIN_CLIENT_CERT=" + pem)
	parts := strings.Split(greeting, "|")
	if len(parts) != 6 || strings.Join([]string{parts[0], parts[1], parts[2], parts[4]}, "|") != "1|1|unix|grpc" {
		t.Fatalf("it greets with %q", greeting)
	}
	for name, c := range map[string]struct {
		credentials credentials.TransportCredentials
		code        codes.Code
	}{
		"Host":          {transport(t, parts[5], own), codes.OK},
		"Stranger":      {transport(t, parts[5], stranger), codes.Unavailable},
		"NoCertificate": {transport(t, parts[5]), codes.Unavailable},
		"NoTLS":         {insecure.NewCredentials(), codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := grpc.NewClient("unix:"+parts[3], grpc.WithTransportCredentials(c.credentials))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
			if status.Code(err) != c.code {
				t.Errorf("%v, want %v", err, c.code)
			}
		})
	}
}

// TestHtpasswdByHand runs it as a person would.
func TestHtpasswdByHand(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	cmd := exec.Command(f.executable)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "it is not run by hand") {
		t.Errorf("%v: %s", err, out)
	}
}
