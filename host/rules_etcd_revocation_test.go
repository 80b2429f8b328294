package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/plugin/etcd/etcdtest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestRule3RevocationOnOtherHosts shows that a change on one host ends the
// sessions of its target on another, by the change stream: in much less than a
// lease.
func TestRule3RevocationOnOtherHosts(t *testing.T) {
	t.Parallel()
	c := etcdtest.Start(t, 3)
	hosts := sharing(t, c, 2, "lease: 60s")
	t.Run("EachVerb", func(t *testing.T) {
		admin := hosts[0].Admin()
		for what, end := range ending {
			username := strings.NewReplacer(" ", "-", ",", "").Replace(what)
			create(t, admin, username, account.Admin)
			there := hosts[1].As(username, secret)
			must(end(t.Context(), admin, anew, username))(t)
			hosttest.Await(t, "the session is refused after: "+what, func() bool {
				_, err := there.Request(t.Context())
				if err != nil {
					wantKind(t, what, err, account.KindNotAuthenticated, "")
				}
				return err != nil
			})
			there.Close()
		}
	})
	t.Run("HowLate", func(t *testing.T) {
		late, whole := newRevocations(t, hosts[0], hosts[1]).measure(t, 40)
		t.Logf("refused elsewhere, from the answer on: %v; from the question on: %v", late, whole)
		if late.percentile(99) > 10*time.Second { // a busy machine's bound; a lease is 60 s
			t.Errorf("%v is no matter of a stream", late.percentile(99))
		}
	})
}

// BenchmarkRevocationOnAnotherHost says how long after the answer to a
// suspension another host still lets a session of its target in.
func BenchmarkRevocationOnAnotherHost(b *testing.B) {
	for _, members := range []int{1, 3} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			hosts := sharing(b, etcdtest.Start(b, members), 2)
			r := newRevocations(b, hosts[0], hosts[1])
			var late, whole lateness
			for b.Loop() {
				l, w := r.measure(b, 200)
				late, whole = append(late, l...), append(whole, w...)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(late.milliseconds(50), "p50-ms")
			b.ReportMetric(late.milliseconds(99), "p99-ms")
			b.ReportMetric(whole.milliseconds(50), "asked-p50-ms")
			b.ReportMetric(whole.milliseconds(99), "asked-p99-ms")
			b.Logf("refused elsewhere, from the answer on: %v; from the question on: %v", late, whole)
		})
	}
}

// revocations suspends accounts on one host that have sessions on another.
type revocations struct {
	admin *management.Client
	other *hosttest.Host
	names []string
}

func newRevocations(t testing.TB, one, other *hosttest.Host) *revocations {
	t.Helper()
	r := &revocations{admin: one.Admin(), other: other}
	for n := range 10 {
		name := fmt.Sprintf("suspended%d", n)
		if _, err := r.admin.Create(t.Context(), anew, account.Create{Username: name, Password: account.Secret(secret), Role: account.Admin}); err != nil {
			t.Fatal(err)
		}
		r.names = append(r.names, name)
	}
	return r
}

// measure returns how late n suspensions were: from their answers on, and from
// when they were asked for, which is before the commit. One host's answer waits
// for its audit line, while another hears of the commit at once.
func (r *revocations) measure(t testing.TB, n int) (late, whole lateness) {
	t.Helper()
	for len(late) < n {
		for _, name := range r.names {
			session := r.other.As(name, secret)
			refused := make(chan time.Time, 1)
			begun := make(chan struct{})
			go func() {
				for calls := 0; ; calls++ {
					if _, err := session.Request(t.Context()); err != nil {
						if account.KindOf(err) != account.KindNotAuthenticated {
							t.Errorf("refused, but: %v", err)
						}
						refused <- time.Now()
						return
					}
					if calls == 3 {
						close(begun)
					}
				}
			}()
			select {
			case <-begun:
			case <-refused:
				t.Fatalf("%s was refused before the suspension", name)
			}
			asked := time.Now()
			_, err := r.admin.Suspend(t.Context(), anew, name)
			answered := time.Now()
			if err == nil {
				_, err = r.admin.Enable(t.Context(), anew, name)
			}
			if err != nil {
				t.Fatal(err)
			}
			heard := <-refused
			late, whole = append(late, max(heard.Sub(answered), 0)), append(whole, heard.Sub(asked))
			session.Close()
		}
	}
	return late, whole
}

// lateness is how long a refusal elsewhere took; 0 where it came first.
type lateness []time.Duration

func (l lateness) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(l))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

func (l lateness) milliseconds(p int) float64 { return float64(l.percentile(p).Microseconds()) / 1e3 }

func (l lateness) String() string {
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, at most %v (n = %d)",
		l.percentile(50), l.percentile(90), l.percentile(99), slices.Max(l), len(l))
}
