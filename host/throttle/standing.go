package throttle

import "container/list"

// standing holds the sources whose last attempt succeeded, the latest size of
// them. Failures only take away from it, so that no flood can push others out.
// It is guarded by its Throttle's mutex.
type standing struct {
	size    int
	sources map[key]*list.Element
	order   list.List // of keys; the longest since its success first
}

func newStanding(size int) *standing {
	return &standing{size: size, sources: map[key]*list.Element{}}
}

func (s *standing) has(source key) bool { return s.sources[source] != nil }

// heard notes how an attempt ended.
func (s *standing) heard(source key, o Outcome) {
	e := s.sources[source]
	switch {
	case o == Failed && e != nil:
		s.drop(e)
	case o == Succeeded && e != nil:
		s.order.MoveToBack(e)
	case o == Succeeded:
		if len(s.sources) >= s.size {
			s.drop(s.order.Front())
		}
		s.sources[source] = s.order.PushBack(source)
	}
}

func (s *standing) drop(e *list.Element) { delete(s.sources, s.order.Remove(e).(key)) }
