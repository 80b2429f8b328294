package bench_test

import (
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// populations yields the counts of accounts or sessions from a thousand to as
// many as 10^most, by their names; in a short run, a hundred and a thousand.
func populations(kind string, most int) iter.Seq2[string, int] {
	first := 3
	if testing.Short() {
		first, most = 2, 3
	}
	return func(yield func(string, int) bool) {
		for e := first; e <= most; e++ {
			if !yield(fmt.Sprintf("%s=1e%d", kind, e), int(math.Pow10(e))) {
				return
			}
		}
	}
}

// fewestOf is the smallest population.
func fewestOf() int {
	if testing.Short() {
		return 100
	}
	return 1000
}

// seeded are stores filled with accounts, whose passwords are all
// hosttest.Password; they serve one benchmark after another.
var seeded struct {
	dir    string
	stores map[int]string
}

// store returns the file of a store with n accounts beside the administrator.
func store(b *testing.B, n int) string {
	b.Helper()
	if seeded.stores == nil {
		dir, err := os.MkdirTemp("", "seeded")
		if err != nil {
			b.Fatal(err)
		}
		seeded.dir, seeded.stores = dir, map[int]string{}
	}
	if seeded.stores[n] == "" {
		began := time.Now()
		seeded.stores[n] = seed(b, n)
		fmt.Printf("# made a store of %d accounts in %v\n", n, time.Since(began).Round(time.Millisecond))
	}
	return seeded.stores[n]
}

func seed(b *testing.B, n int) string {
	b.Helper()
	h := hosttest.Start(b)
	h.Stop()
	path := filepath.Join(seeded.dir, strconv.Itoa(n)+".db")
	if err := copyFile(path, filepath.Join(h.Home, "accounts.db")); err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(hosttest.BuildPlain(b, "./host/testdata/seed"), path, hosttest.Administrator, strconv.Itoa(n)).CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return path
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, in)
	return err
}

// settingsOf name a store of n accounts.
func settingsOf(b *testing.B, n int) []string {
	return []string{"plugin:", "  settings:", "    path: " + store(b, n)}
}

// plainly makes the host log as it does by default.
func plainly(h *hosttest.Host) *hosttest.Host {
	h.Env = append(h.Env, "CONCOURSE_LOG_LEVEL=info")
	return h
}

// town is a host with so many accounts, and its administrator.
type town struct {
	*hosttest.Host
	*management.Client
	n    int
	hash account.Secret
}

func newTown(b *testing.B, n int) *town {
	b.Helper()
	h := plainly(hosttest.New(b, settingsOf(b, n)...))
	h.Start()
	t := &town{Host: h, Client: h.Admin(), n: n}
	for batch, err := range t.Export(b.Context()) {
		if err != nil {
			b.Fatal(err)
		}
		t.hash = batch[0].PasswordHash
		break
	}
	return t
}

// towns are a host with n accounts, and if that is not the fewest, one with the
// fewest.
func towns(b *testing.B, n int) (subject, fewest *town) {
	b.Helper()
	if n == fewestOf() {
		return newTown(b, n), nil
	}
	return newTown(b, n), newTown(b, fewestOf())
}

// someone is any of the accounts.
func (t *town) someone() string { return fmt.Sprintf("user%d", rand.IntN(t.n)) }

var newcomers atomic.Int64

// newcomer is a name that nobody has.
func newcomer() string { return fmt.Sprintf("newcomer%d", newcomers.Add(1)) }

// byAccounts measures something that is done in a town, at each population.
func byAccounts(b *testing.B, do func(b *testing.B, t *town) func() error, floor ...func(*testing.B) work) {
	for name, n := range populations("accounts", 6) {
		store(b, n)
		b.Run(name, func(b *testing.B) {
			subject, few := towns(b, n)
			c := comparison{subject: work{do: do(b, subject)}}
			if few != nil {
				c.like = []work{{name: "growth", do: do(b, few)}}
			}
			for _, f := range floor {
				c.floor = append(c.floor, f(b))
			}
			c.run(b)
		})
	}
}
