package main

import (
	"testing"
	"time"
)

// The rule of human times needs a clock of its own, so this test is inside.
func TestHumanTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 5, 30, 0, time.Local)
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{0, "just now"},
		{59 * time.Second, "just now"},
		{-30 * time.Second, "just now"}, // another machine's clock
		{time.Minute, "1 min ago"},
		{59*time.Minute + 59*time.Second, "59 min ago"},
		{time.Hour, "today 13:05"},
		{14 * time.Hour, "today 00:05"},
		{15 * time.Hour, "2026-11-22 23:05"},
		{3 * 24 * time.Hour, "2026-11-20 14:05"},
		{-time.Hour, "today 15:05"},
		{-24 * time.Hour, "2026-11-24 14:05"},
	} {
		if got := humanTime(now.Add(-c.age).UTC(), now); got != c.want {
			t.Errorf("%s ago is %q, want %q", c.age, got, c.want)
		}
	}
}

func TestHumanAge(t *testing.T) {
	for age, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 59*time.Second + 999*time.Millisecond: "59 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min",
		119 * time.Minute: "119 min", 2 * time.Hour: "2 h 0 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 48 * time.Hour: "2 days",
	} {
		if got := humanAge(age); got != want {
			t.Errorf("%s is %q, want %q", age, got, want)
		}
	}
}
