package supervisor

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q silence
		want := func(d time.Duration) {
			t.Helper()
			if got := q.lasted(); got != d {
				t.Errorf("silent for %v, want %v", got, d)
			}
		}
		time.Sleep(time.Hour)
		want(0) // nobody asked

		q.asked()
		time.Sleep(6 * time.Second)
		q.asked()
		q.asked()
		time.Sleep(6 * time.Second)
		want(12 * time.Second)
		q.done(true) // one is answered: the others are merely slow
		want(0)
		time.Sleep(4 * time.Second)
		want(4 * time.Second)
		q.done(false)
		q.done(false)
		want(4 * time.Second)
		time.Sleep(time.Hour)
		want(4 * time.Second) // nobody waits

		q.asked() // for what takes as long as it likes
		q.done(false)
		want(4 * time.Second)
		time.Sleep(time.Hour)
		q.asked()
		want(4 * time.Second)
		q.done(false)

		q.asked()
		time.Sleep(time.Second)
		want(5 * time.Second)
		q.done(true)
		want(0)
	})
}
