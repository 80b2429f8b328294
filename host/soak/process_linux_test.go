package soak_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// usage is what a process holds, and has used, at a time.
type usage struct {
	rss         int64 // bytes
	descriptors int
	threads     int
	processor   time.Duration
}

// usageOf reads it from the kernel. Nothing is left of a process that is gone.
func usageOf(t *testing.T, pid int) (u usage) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	_, after, _ := strings.Cut(string(stat), ") ") // behind the name, from field 3 on
	fields := strings.Fields(after)
	number := func(field int) int64 {
		n, err := strconv.ParseInt(fields[field-3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const ticksPerSecond = 100 // as Linux shows them, whatever it counts in
	u.processor = time.Duration(number(14)+number(15)) * time.Second / ticksPerSecond
	u.threads = int(number(20))
	u.rss = number(24) * int64(os.Getpagesize())
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return usage{}
	}
	u.descriptors = len(entries)
	return u
}

func (u usage) String() string {
	return fmt.Sprintf("%.1f MiB, %d descriptors, %d threads", mib(u.rss), u.descriptors, u.threads)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// anonymous returns the bytes resident that are no file's: of a store that maps
// its file into memory, what it holds beside that.
func anonymous(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			var kib int64
			if _, err := fmt.Sscan(text, &kib); err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("the kernel does not tell anonymous memory")
	return 0
}
