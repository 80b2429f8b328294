package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
)

// The line is one that bench reads, with what its tables need.
func TestLine(t *testing.T) {
	times := []time.Duration{4e6, 1e6, 3e6, 2e6}
	for _, c := range []struct {
		callers int
		want    map[string]float64
	}{
		{1, map[string]float64{"p50-sec": 3e-3, "p99-sec": 4e-3, "per-s": 333.3}},
		{16, map[string]float64{"p50-sec": 3e-3, "p99-sec": 4e-3, "per-s": 8}},
	} {
		text := line("etcd", "UserAdd", c.callers, times, time.Second/2)
		r := benchfmt.NewReader(strings.NewReader(text+"\n"), "line")
		if !r.Scan() {
			t.Fatalf("%q: %v", text, r.Err())
		}
		rec, ok := r.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("%q: %v", text, r.Result())
		}
		for unit, want := range c.want {
			if got, ok := rec.Value(unit); !ok || got != want {
				t.Errorf("%q: %v %s, want %v", text, got, unit, want)
			}
		}
	}
}

func TestTakeErr(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64
	o := operation{name: "Break", do: func(context.Context, int) error {
		if calls.Add(1) > 10 {
			return broken
		}
		return nil
	}}
	if _, _, err := o.take(t.Context(), 4); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
