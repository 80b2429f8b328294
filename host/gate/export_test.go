package gate

import "context"

// Halfway has f called between the note of what a change said and the end of
// its target's sessions.
func (g *Gate) Halfway(f func(context.Context)) { g.halfway = f }
