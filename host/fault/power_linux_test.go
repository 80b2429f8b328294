package fault_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/fault/powercut"
	"github.com/cinchapi/concourse-users/host/hosttest"
)

// TestFaultPowerCut records a home's life, and looks at what a power cut at any
// moment of it may have left on the disk: whatever it is, a start makes of it a
// home with every acknowledged change and every line of the audit log.
func TestFaultPowerCut(t *testing.T) {
	t.Parallel()
	const short = time.Second
	span := hosttest.Span(t, "CONCOURSE_FAULT", short)
	draw, end := rand.New(rand.NewPCG(hosttest.Seed(t), 0)), time.Now().Add(span)
	changes, anywhere, starts := 250, 60, 6
	if span > short {
		changes, anywhere, starts = 500, 500, 30
	}
	for good := true; good; good = good && time.Now().Before(end) {
		good = t.Run("Life", func(t *testing.T) {
			l := live(t, draw, changes)
			cuts := slices.Concat(l.cuts(draw, anywhere), each(draw, l.names()), each(draw, l.firstStart()), each(draw, l.firstStart()))
			if span > short {
				cuts = append(cuts, each(draw, l.syncs())...)
			}
			l.examined(t, cuts)
			l.started(t, l.cuts(draw, starts))
			l.lie(t, draw)
			l.note(t, len(cuts), starts)
		})
	}
}

// calls returns the calls but those of the plugin's own files.
func (l *life) calls() []*powercut.Op {
	return slices.DeleteFunc(slices.Clone(l.recording.Ops), func(o *powercut.Op) bool { return ofPlugin(o.Path) })
}

func (l *life) syncs() []*powercut.Op {
	return slices.DeleteFunc(l.calls(), func(o *powercut.Op) bool { return o.Kind != powercut.Sync })
}

// names returns the calls that change or take away a name.
func (l *life) names() []*powercut.Op {
	return slices.DeleteFunc(l.calls(), func(o *powercut.Op) bool { return o.Kind != powercut.Rename && o.Kind != powercut.Remove })
}

func (l *life) firstStart() []*powercut.Op {
	return slices.DeleteFunc(l.calls(), func(o *powercut.Op) bool { return l.recording.At[o.Ended()].After(l.ready) })
}

// note logs what a life came to.
func (l *life) note(t *testing.T, cuts, starts int) {
	t.Helper()
	changes, files := 0, map[string]bool{}
	for _, c := range l.clerks {
		changes += len(c.deeds)
	}
	kinds := map[powercut.Kind]int{}
	for _, o := range l.calls() {
		if kinds[o.Kind]++; o.Kind == powercut.Write {
			files[o.Path] = true
		}
	}
	t.Logf("%d changes, %d writes to %d files, %d syncs; the power was cut %d times, and %d times more with a host started then",
		changes, kinds[powercut.Write], len(files), kinds[powercut.Sync], cuts, starts)
}

// cut is one power cut.
type cut struct {
	place int
	fate  string
	keep  func(*powercut.Op) bool
}

func (c cut) String() string { return fmt.Sprintf("place %d, %s", c.place, c.fate) }

// fates are what may become of what was not synced.
var fates = []struct {
	name string
	make func(*rand.Rand) func(*powercut.Op) bool
}{
	{"nothing arrived", pieces(0)},
	{"everything arrived", pieces(1)},
	{"half of the pieces arrived", pieces(0.5)},
	{"few pieces arrived", pieces(0.1)},
	{"few pieces were lost", pieces(0.9)},
	{"half of the calls arrived", func(draw *rand.Rand) func(*powercut.Op) bool {
		return remembered(draw, func(o *powercut.Op) any { return o })
	}},
	{"half of the files arrived", func(draw *rand.Rand) func(*powercut.Op) bool {
		return remembered(draw, func(o *powercut.Op) any { return o.Path })
	}},
}

func pieces(p float64) func(*rand.Rand) func(*powercut.Op) bool {
	return func(draw *rand.Rand) func(*powercut.Op) bool {
		return func(*powercut.Op) bool { return draw.Float64() < p }
	}
}

// remembered draws once for each key.
func remembered(draw *rand.Rand, key func(*powercut.Op) any) func(*powercut.Op) bool {
	drawn := map[any]bool{}
	return func(o *powercut.Op) bool {
		arrives, ok := drawn[key(o)]
		if !ok {
			arrives = draw.IntN(2) == 0
			drawn[key(o)] = arrives
		}
		return arrives
	}
}

// cuts draws n cuts: in turns anywhere, at a sync, at a change of names, and
// during the first start.
func (l *life) cuts(draw *rand.Rand, n int) (all []cut) {
	from := [][]*powercut.Op{l.calls(), l.syncs(), l.names(), l.firstStart()}
	for i := range n {
		calls := from[i%len(from)]
		all = append(all, around(draw, calls[draw.IntN(len(calls))])[draw.IntN(2)])
	}
	return all
}

// each draws cuts around each of the calls.
func each(draw *rand.Rand, calls []*powercut.Op) (all []cut) {
	for _, o := range calls {
		all = append(all, around(draw, o)...)
	}
	return all
}

// around cuts the power when a call is under way, or has not begun, and when it
// has just ended.
func around(draw *rand.Rand, o *powercut.Op) []cut {
	return []cut{drawn(draw, o.Ended()-1), drawn(draw, o.Ended())}
}

func drawn(draw *rand.Rand, place int) cut {
	fate := fates[draw.IntN(len(fates))]
	return cut{place: place, fate: fate.name, keep: fate.make(draw)}
}
