package users

import (
	"maps"
	"sync/atomic"
)

// Hashing is what a test sees of a Service's hashing.
type Hashing struct {
	Made    atomic.Int64 // hashes computed for new passwords
	Matched atomic.Int64 // hashes computed to verify one, decoys included
	last    atomic.Pointer[string]
}

// Last returns what was computed last to verify a hash, or to spend the time.
func (h *Hashing) Last() string { return *h.last.Load() }

// SetCost makes hashing as cheap as a test wants it, and counts it.
func (s *Service) SetCost(memory uint32, passes int) *Hashing {
	counted := &Hashing{}
	cost := argon2id{memory: memory, passes: passes, least: leastWork}
	c := counting{cost, counted}
	s.hasher.current = c
	s.hasher.wrapper = argon2idSHA512{cost}
	s.hasher.schemes = maps.Clone(s.hasher.schemes)
	s.hasher.schemes[c.name()] = c
	s.hasher.schemes[s.hasher.wrapper.name()] = countingScheme{s.hasher.wrapper, counted}
	return counted
}

// Occupy computes, in one of the slots for management, until the returned
// function is called.
func (s *Service) Occupy() (done func()) { return occupy(s.hasher.slots, management) }

type counting struct {
	maker
	to *Hashing
}

func (c counting) hash(prepared string) (string, error) {
	c.to.Made.Add(1)
	return c.maker.hash(prepared)
}

func (c counting) parse(encoded string) (digest, error) {
	return countingScheme{c.maker, c.to}.parse(encoded)
}

type countingScheme struct {
	scheme
	to *Hashing
}

func (c countingScheme) parse(encoded string) (digest, error) {
	d, err := c.scheme.parse(encoded)
	return countingDigest{d, encoded, c.to}, err
}

type countingDigest struct {
	digest
	encoded string
	to      *Hashing
}

func (d countingDigest) matches(prepared string) bool {
	d.to.Matched.Add(1)
	d.to.last.Store(&d.encoded)
	return d.digest.matches(prepared)
}
