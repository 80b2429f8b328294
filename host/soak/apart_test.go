package soak_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// difference is what two samples of times have between them: the probability
// that chance alone makes as much (Mann and Whitney's test, which no outlier
// moves), and by how much the second is slower (Hodges and Lehmann's estimate:
// the median of all differences).
type difference struct {
	p     float64
	shift time.Duration
	of    time.Duration // the first sample's median
}

func differenceOf(a, b latencies) difference {
	type value struct {
		time   time.Duration
		second bool
	}
	all := make([]value, 0, len(a)+len(b))
	differences := make(latencies, 0, len(a)*len(b))
	for _, x := range a {
		all = append(all, value{x, false})
		for _, y := range b {
			differences = append(differences, y-x)
		}
	}
	for _, y := range b {
		all = append(all, value{y, true})
	}
	slices.SortFunc(all, func(x, y value) int { return int(x.time - y.time) })
	ranks := 0.0 // of the second sample; equals share theirs
	for i := 0; i < len(all); {
		same := i
		for same < len(all) && all[same].time == all[i].time {
			same++
		}
		for _, v := range all[i:same] {
			if v.second {
				ranks += float64(i+1+same) / 2
			}
		}
		i = same
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - m*(m+1)/2
	z := (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return difference{p: math.Erfc(math.Abs(z) / math.Sqrt2), shift: differences.median(), of: a.median()}
}

// tellsApart reports whether somebody who measures as often can tell the two
// apart: the difference is no chance, and more than the part of the time.
func (d difference) tellsApart(part float64) bool {
	return d.p < 1e-4 && math.Abs(float64(d.shift)) > max(part*float64(d.of), float64(leastShift))
}

// leastShift is less than a caller on the same machine can see.
const leastShift = 20 * time.Microsecond

func (d difference) String() string {
	return fmt.Sprintf("%+v of %v (%+.2f %%), p = %.2g", d.shift.Round(time.Microsecond), d.of.Round(10*time.Microsecond),
		100*float64(d.shift)/float64(d.of), d.p)
}

// slower returns the sample as if every time were longer.
func (l latencies) slower(by time.Duration) latencies {
	out := slices.Clone(l)
	for i := range out {
		out[i] += by
	}
	return out
}

// TestDifference shows that the judge finds a difference where there is one, and
// none where there is none.
func TestDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func() latencies {
		l := make(latencies, 200)
		for i := range l {
			l[i] = 22*time.Millisecond + time.Duration(random.ExpFloat64()*float64(4*time.Millisecond))
			if random.IntN(50) == 0 {
				l[i] += time.Second // the machine did something else
			}
		}
		return l
	}
	wrong := 0
	for range 40 {
		if d := differenceOf(sample(), sample()); d.tellsApart(0.02) {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("of 40 equal pairs %d are told apart", wrong)
	}
	for _, by := range []time.Duration{2 * time.Millisecond, -2 * time.Millisecond, -20 * time.Millisecond} {
		d := differenceOf(sample(), sample().slower(by))
		if !d.tellsApart(0.02) || (d.shift-by).Abs() > time.Millisecond {
			t.Errorf("a difference of %v comes out as %v", by, d)
		}
	}
	if d := differenceOf(sample(), sample().slower(time.Microsecond)); d.tellsApart(0.02) {
		t.Errorf("a microsecond is told apart: %v", d)
	}
}
