package throttle

import (
	"container/list"
	"time"
)

// line bounds how many attempts of a listener are under way at once, and says
// whose turn it is. It is guarded by its Throttle's mutex.
type line struct {
	places    places
	known     *standing
	taken     int // places
	strangers int // places taken by strangers
	lent      int // places, not among those taken, whose attempts go on
	crowds    map[key]*crowd
	turns     [2]list.List // of crowds in which somebody waits, by class
}

// The classes in which crowds wait. Those before go first.
const (
	inGoodStanding = iota
	strange
)

func newLine(p places, known *standing) *line {
	return &line{places: p, known: known, crowds: map[key]*crowd{}}
}

// crowd is the attempts of one source. There is none without any.
type crowd struct {
	source  key
	here    int       // attempts
	refused int       // of which wait to hear of their refusal only
	waiting list.List // of tickets, first come first served
	class   int       // in which it waits
	turn    *list.Element
}

// ticket is an attempt's place, or its claim to one.
type ticket struct {
	called  chan struct{} // closed when it is granted
	granted bool
	class   int  // under which it was granted
	lent    bool // its place
	place   *list.Element
}

// arrive counts an attempt.
func (l *line) arrive(source key) *crowd {
	c := l.crowds[source]
	if c == nil {
		c = &crowd{source: source}
		l.crowds[source] = c
	}
	c.here++
	return c
}

func (l *line) leave(c *crowd) {
	if c.here--; c.here == 0 {
		delete(l.crowds, c.source)
	}
}

// refuse has an attempt wait for nothing but to hear of it.
func (c *crowd) refuse(retryAfter time.Duration) step {
	c.refused++
	return step{refused: retryAfter, slowly: c.here > fewFromSource}
}

// stand gives out a ticket, which may be granted already.
func (l *line) stand(c *crowd) *ticket {
	k := &ticket{called: make(chan struct{})}
	k.place = c.waiting.PushBack(k)
	if c.turn == nil {
		l.enter(c)
	}
	l.call()
	return k
}

// withdraw takes a ticket back that was not granted.
func (l *line) withdraw(c *crowd, k *ticket) {
	c.waiting.Remove(k.place)
	if c.waiting.Len() == 0 {
		l.turns[c.class].Remove(c.turn)
		c.turn = nil
	}
}

// free gives a granted place to the next.
func (l *line) free(k *ticket) {
	k.granted = false
	if k.lent {
		l.lent--
		return
	}
	l.vacate(k)
}

// lend gives a place to the next while its attempt still goes on.
func (l *line) lend(k *ticket) {
	if k.granted && l.lent < l.places.lent {
		k.lent = true
		l.lent++
		l.vacate(k)
	}
}

func (l *line) vacate(k *ticket) {
	l.taken--
	if k.class == strange {
		l.strangers--
	}
	l.call()
}

// enter puts a crowd behind the others of its class.
func (l *line) enter(c *crowd) {
	c.class = strange
	if l.known.has(c.source) {
		c.class = inGoodStanding
	}
	c.turn = l.turns[c.class].PushBack(c)
}

// call grants the places that are free.
func (l *line) call() {
	for class := range l.turns {
		turns := &l.turns[class]
		for turns.Len() > 0 && l.taken < l.places.all && l.mayTake(class) {
			c := turns.Remove(turns.Front()).(*crowd)
			k := c.waiting.Remove(c.waiting.Front()).(*ticket)
			c.turn = nil
			if c.waiting.Len() > 0 {
				l.enter(c)
			}
			l.taken++
			if class == strange {
				l.strangers++
			}
			k.granted, k.class = true, class
			close(k.called)
		}
	}
}

// mayTake reports whether the class may take a free place. While strangers wait
// and hold none the last is theirs: those in good standing go first, not alone.
func (l *line) mayTake(class int) bool {
	if class == strange {
		return l.strangers < l.places.strangers
	}
	return l.turns[strange].Len() == 0 || l.strangers > 0 || l.taken < l.places.all-1
}
