package users

import (
	"maps"
	"sync/atomic"
)

// Hashing is what a test sees of a Service's hashing.
type Hashing struct {
	Made    atomic.Int64 // hashes computed for new passwords
	Matched atomic.Int64 // hashes computed to verify one, decoys included
}

// SetCost makes hashing as cheap as a test wants it, and counts it.
func (s *Service) SetCost(memory uint32, passes int) *Hashing {
	counted := &Hashing{}
	c := counting{argon2id{memory: memory, passes: passes}, counted}
	s.hasher.current = c
	s.hasher.schemes = maps.Clone(s.hasher.schemes)
	s.hasher.schemes[c.name()] = c
	return counted
}

// Occupy computes, in one of the slots for management, until the returned
// function is called.
func (s *Service) Occupy() (done func()) { return occupy(s.hasher.slots, management) }

type counting struct {
	scheme
	to *Hashing
}

func (c counting) hash(prepared string) (string, error) {
	c.to.Made.Add(1)
	return c.scheme.hash(prepared)
}

func (c counting) parse(encoded string) (digest, error) {
	d, err := c.scheme.parse(encoded)
	return countingDigest{d, c.to}, err
}

type countingDigest struct {
	digest
	to *Hashing
}

func (d countingDigest) matches(prepared string) bool {
	d.to.Matched.Add(1)
	return d.digest.matches(prepared)
}
