package bench_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// BenchmarkListSessions lists all sessions from the command line, as its table
// and as JSON, against a snapshot of as many and its sorting. Of one listing more
// it reports the most memory that the command had, and by how much the host and
// the plugin went beyond what they had before.
func BenchmarkListSessions(b *testing.B) {
	first := map[string]float64{} // MiB of the command, by format, among the fewest
	for name, n := range populations("sessions", 5) {
		users := make([]string, max(n/perAccount, 1))
		for i := range users {
			users[i] = fmt.Sprintf("user%d", i)
		}
		h := plainly(hosttest.NewWithClients(b, hosttest.OpenAccounts(b, len(users))...))
		h.Start()
		began := time.Now()
		h.Crowd(n, users...)
		fmt.Printf("# logged %d clients in in %v\n", n, time.Since(began).Round(time.Millisecond))
		for _, format := range []string{"table", "json"} {
			b.Run(name+"/format="+format, func(b *testing.B) {
				list := func() *exec.Cmd {
					cmd := h.Command("users", "sessions", "--format", format)
					cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
					return cmd
				}
				comparison{subject: work{do: func() error { return list().Run() }}, floor: []work{snapshotAndSort(n)}}.run(b)
				host, plugin := newMemory(b, h.PID()), newMemory(b, h.PluginPID())
				most := mostOf(b, list())
				if first[format] == 0 {
					first[format] = most
				}
				b.ReportMetric(most, "command-MiB")
				b.ReportMetric(most/first[format], "command-growth")
				b.ReportMetric(host.growth(b), "host-growth-MiB")
				b.ReportMetric(plugin.growth(b), "plugin-growth-MiB")
			})
		}
		h.Stop()
	}
}

// snapshotAndSort copies pointers under a lock and sorts them by time.
func snapshotAndSort(n int) work {
	type row struct {
		since time.Duration
		name  string
	}
	var mu sync.RWMutex
	rows := make([]*row, n)
	for i := range rows {
		rows[i] = &row{time.Duration(rand.Int64()), nameOf(i / perAccount)}
	}
	return work{name: "snapshot-and-sort", do: func() error {
		mu.RLock()
		chosen := slices.Clone(rows)
		mu.RUnlock()
		slices.SortFunc(chosen, func(a, b *row) int { return cmp.Compare(a.since, b.since) })
		return nil
	}}
}
