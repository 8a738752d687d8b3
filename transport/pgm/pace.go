package pgm

import "time"

// A pace measures how long a sender keeps a packet for repair: until its window has
// moved on by as much as it holds. The faster it sends, the sooner a receiver has
// to ask, and to ask again.
type pace struct {
	mark   uint32 // the number of a packet, which came at since
	since  time.Duration
	marked bool
	kept   time.Duration // 0 while that is not known
}

// packet takes note of the newest packet, and of where the sender's window begins.
func (p *pace) packet(now time.Duration, sqn, trail uint32) {
	switch {
	case !p.marked:
		p.marked = true
	case before(p.mark, trail):
		p.kept = now - p.since
	default:
		return
	}
	p.mark, p.since = sqn, now
}

const (
	firstWait    = 50 * time.Millisecond
	leastBackOff = 2 * time.Millisecond
	leastWait    = 2 * granularity // longer than a round trip in a network that is so fast
)

// backOff is the longest time before a request: there is time for several ones.
func (p *pace) backOff() time.Duration {
	if p.kept == 0 {
		return nakBackOff
	}
	return max(min(nakBackOff, p.kept/8), leastBackOff)
}

// wait is how long to wait for an answer: longer each time that none came, up to
// the longest.
func (p *pace) wait(longest time.Duration, h *slot) time.Duration {
	tries := int(h.ncfs) + int(h.datas)
	d := min(longest, firstWait<<min(tries, 8))
	if p.kept == 0 {
		return d
	}
	// A sender that pauses keeps its packets for longer than it did: after twice that
	// time it is asked less and less often, but not yet given up.
	return min(d, max(p.kept/4, leastWait)<<min(tries/8, 8))
}
