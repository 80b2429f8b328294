// Package fault holds the tests that harm a running system and judge the
// history of what its users were told: host and plugin killed, stopped and
// continued, the disk failing, the power cut, the plugin answering late, twice,
// nonsense or never. Models of the design's rules decide whether an order of
// the calls explains every answer.
//
// It is tests only, over real processes; hosttest runs them. "make fault" runs
// them for long, "make test" for seconds. docs/faults.md says what was injected
// and what held.
package fault
