package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/audit"
	"github.com/cinchapi/concourse-users/shared/account"
)

// BenchmarkAppend measures a change's line until it is on disk. Compare it with
// floor: one write and sync of as many bytes, as often as the disk can.
func BenchmarkAppend(b *testing.B) {
	entry := audit.Entry{
		Event: audit.Change, Outcome: audit.OK, Verb: account.VerbGrant, Target: "jeff", Environment: "default",
		Permission: account.Read, Changed: new(true), RequestID: "019a4c3e-0000-7000-8000-000000000000",
		Caller: &audit.Caller{Username: "admin", AccountID: account.NewID(), UID: new(uint32(0)), Listener: account.ManagementListener},
	}
	b.Run("floor", func(b *testing.B) {
		f, err := audit.OpenFile(filepath.Join(b.TempDir(), "floor"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		line := make([]byte, 350)
		for b.Loop() {
			if _, err := f.Write(line); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var syncs atomic.Int64
			l := open(b, newPath(b), audit.Options{OpenFile: func(path string) (audit.File, error) {
				f, err := audit.OpenFile(path)
				return counted{f, &syncs}, err
			}})
			b.ResetTimer()
			next := make(chan struct{}, callers)
			for range b.N {
				next <- struct{}{}
				go func() {
					defer func() { <-next }()
					if err := l.Append(entry); err != nil {
						b.Error(err)
					}
				}()
			}
			for range callers {
				next <- struct{}{}
			}
			b.ReportMetric(float64(b.N)/float64(syncs.Load()), "lines/sync")
			closeLog(b, l)
		})
	}
}

type counted struct {
	audit.File
	syncs *atomic.Int64
}

func (c counted) Sync() error {
	c.syncs.Add(1)
	return c.File.Sync()
}

// BenchmarkStart measures what a start does with a file of the greatest size, a
// day's changes: after a stop, which has marked its end as complete, and after a
// crash behind which there is no mark.
func BenchmarkStart(b *testing.B) {
	for _, end := range []string{"stop", "crash"} {
		b.Run(end, func(b *testing.B) {
			path := newPath(b)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				b.Fatal(err)
			}
			var data []byte
			seq := 1
			for at := noon.Add(-24 * time.Hour); len(data) < 64<<20; seq++ {
				at = at.Add(300 * time.Millisecond)
				data = fmt.Appendf(data, `{"time":"%s","seq":%d,"event":"change","outcome":"ok","caller":{"username":"admin","account_id":"%s","uid":0,"listener":"management"},"verb":"grant","target":"jeff","environment":"default","permission":"READ","changed":true,"request_id":"%s"}`+"\n",
					at.Format(time.RFC3339Nano), seq, account.NewID(), account.NewRequestID(at))
			}
			if end == "stop" {
				data = fmt.Appendf(data, `{"time":"2026-11-02T12:00:00Z","seq":%d,"event":"audit_complete","outcome":"ok"}`+"\n", seq)
			}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				b.StopTimer()
				if err := os.WriteFile(path, data, 0o600); err != nil {
					b.Fatal(err)
				}
				w := &world{}
				b.StartTimer()
				l := open(b, path, audit.Options{Now: atNoon})
				opened := b.Elapsed()
				if _, err := l.Reconcile(thisHost, w.iterate); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64((b.Elapsed() - opened).Milliseconds()), "ms/reconcile")
				b.StopTimer()
				closeLog(b, l)
				b.StartTimer()
			}
		})
	}
}
