package relay

import "slices"

// mostAtOnce is how many tasks of one account are carried out at once: those that
// hang leave workers to the others.
const mostAtOnce = 2

// turns is a queue of tasks in which accounts take turns. One account's tasks come
// in their order.
type turns struct {
	lines   map[string]*line // by username; only those with tasks
	ready   []*line          // those with a task that may begin, the next first
	waiting int              // tasks that have not begun
}

type line struct {
	tasks []*task // that have not begun
	begun int     // tasks that are being carried out
	ready bool    // it is in turns.ready
}

func (q *turns) add(t *task) {
	name := t.holding.username
	l := q.lines[name]
	if l == nil {
		l = &line{}
		q.lines[name] = l
	}
	l.tasks = append(l.tasks, t)
	q.waiting++
	q.offer(l)
}

// offer puts a line among those that are ready, if it is.
func (q *turns) offer(l *line) {
	if !l.ready && len(l.tasks) > 0 && l.begun < mostAtOnce {
		l.ready = true
		q.ready = append(q.ready, l)
	}
}

// next returns a task to begin, or nil; done must follow.
func (q *turns) next() *task {
	if len(q.ready) == 0 {
		return nil
	}
	l := q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	t := l.tasks[0]
	l.tasks[0] = nil
	l.tasks = l.tasks[1:]
	q.waiting--
	l.begun++
	l.ready = false
	q.offer(l)
	return t
}

// done says that a task is not being carried out any more.
func (q *turns) done(t *task) {
	name := t.holding.username
	l := q.lines[name]
	l.begun--
	q.offer(l)
	if l.begun == 0 && len(l.tasks) == 0 {
		delete(q.lines, name)
	}
}

// drop takes tasks out that have not begun.
func (q *turns) drop(of func(*task) bool) (dropped []*task) {
	for name, l := range q.lines {
		kept := l.tasks[:0]
		for _, t := range l.tasks {
			if of(t) {
				dropped = append(dropped, t)
				continue
			}
			kept = append(kept, t)
		}
		clear(l.tasks[len(kept):])
		l.tasks = kept
		if l.begun == 0 && len(kept) == 0 {
			delete(q.lines, name)
		}
	}
	q.waiting -= len(dropped)
	q.ready = slices.DeleteFunc(q.ready, func(l *line) bool {
		l.ready = len(l.tasks) > 0
		return !l.ready
	})
	return dropped
}
