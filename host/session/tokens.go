package session

import "sync"

// tokens finds sessions by their tokens. It is divided, so that a check waits
// only for a login or an end that touches the same part, and processors that
// check at once don't count their readers in the same place. Table.mu, which
// guards all else, is taken before a part's lock, if both.
type tokens [64]struct {
	mu    sync.RWMutex
	byKey map[uint64]*Session // by Token.key
	_     [32]byte            // to a cache line of its own
}

func newTokens() *tokens {
	t := new(tokens)
	for i := range t {
		t[i].byKey = map[uint64]*Session{}
	}
	return t
}

// find returns the session that the whole token belongs to, or nil.
func (t *tokens) find(token *Token) *Session {
	key := token.key()
	p := &t[key%uint64(len(t))]
	p.mu.RLock()
	s := p.byKey[key]
	p.mu.RUnlock()
	if s == nil || !s.token.equal(token) {
		return nil
	}
	return s
}

// enter enters a session under its token, unless another one has its key.
func (t *tokens) enter(s *Session) bool {
	key := s.token.key()
	p := &t[key%uint64(len(t))]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey[key] != nil {
		return false
	}
	p.byKey[key] = s
	return true
}

// remove removes a session; false if it is not there.
func (t *tokens) remove(s *Session) bool {
	key := s.token.key()
	p := &t[key%uint64(len(t))]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey[key] != s {
		return false
	}
	delete(p.byKey, key)
	return true
}
