package etcdtest

import "time"

// Traffic is a part of what is said to a member and by it.
type Traffic int

// The two parts, which may be combined.
const (
	Clients Traffic = 1 << iota // between the member and its clients
	Peers                       // between the member and all others
)

// Partition lets nothing pass any more, as a network does that drops packets:
// connections stay, new ones are accepted, and what is said comes through once
// the partition is healed.
func (c *Cluster) Partition(i int, which Traffic) { c.set(i, which, false, true, 0) }

// Cut breaks the connections, and every new one.
func (c *Cluster) Cut(i int, which Traffic) { c.set(i, which, true, false, 0) }

// Delay lets what is said pass so much later, each way.
func (c *Cluster) Delay(i int, which Traffic, by time.Duration) { c.set(i, which, false, false, by) }

// Heal lets everything pass at once, as in the beginning.
func (c *Cluster) Heal(i int, which Traffic) { c.set(i, which, false, false, 0) }

func (c *Cluster) set(i int, which Traffic, shut, held bool, delay time.Duration) {
	m := c.members[i]
	if which&Clients != 0 {
		m.clients.set(shut, held, delay)
	}
	if which&Peers != 0 {
		for j, other := range c.members {
			m.peers[j].set(shut, held, delay)
			other.peers[i].set(shut, held, delay)
		}
	}
}
