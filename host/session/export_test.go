package session

import "unsafe"

// Held says how many entries of each kind the table keeps.
type Held struct{ Tokens, IDs, Sessions, Standings, Logins int }

func (t *Table) Held() Held {
	t.mu.RLock()
	defer t.mu.RUnlock()
	tokens := 0
	for i := range t.tokens {
		p := &t.tokens[i]
		p.mu.RLock()
		tokens += len(p.byKey)
		p.mu.RUnlock()
	}
	return Held{tokens, len(t.ids), len(t.sessions), len(t.standings), len(t.logins)}
}

const SessionSize = unsafe.Sizeof(Session{})
