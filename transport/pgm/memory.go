package pgm

// A receiver's memory is bounded for all sources together, and shared so that
// forged ones cannot take it from real ones. There are three parts: what was
// handed out and is not yet released, what sources hold that are on trial, and
// what the others hold. In the latter two, each source is sure of its part of the
// guaranteed memory, and may have as much of the shared memory as is left over: one
// alone gets a half of that.
const (
	defaultMemory = 256 << 20
	minMemory     = 8 << 20
	outShare      = 8 // of all, one in so many
	trialShare    = 8

	sourceCost = 1 << 10 // bytes of one that holds nothing
	newCost    = sourceCost + firstSlots*slotCost
)

// A pool is the memory for sources of one kind.
type pool struct {
	guarantee int // bytes for each of them
	shared    int
	used      int // of what is shared
}

type memory struct {
	trial, proven pool
	out, outLimit int // what was handed out
}

func newMemory(limit int) memory {
	out, trial := limit/outShare, limit/trialShare
	proven := limit - out - trial
	return memory{
		trial:    pool{guarantee: trial / 2 / maxTrial, shared: trial / 2},
		proven:   pool{guarantee: proven / 4 / maxProven, shared: proven / 4 * 3},
		outLimit: out,
	}
}

// unitLimit is how many bytes a unit may have that comes in parts: for a larger one
// there might never be room to hand it out, and nothing behind it would be.
func (m *memory) unitLimit() int { return min(maxUnit, m.outLimit/2) }

// over is how much of n bytes of a source is shared memory.
func (p *pool) over(n int) int { return max(0, n-p.guarantee) }

// may reports whether a source may have n bytes.
func (p *pool) may(n int) bool { return p.over(n) <= p.shared-p.used || p.over(n) == 0 }

// change accounts for a source that had old bytes and has n.
func (p *pool) change(old, n int) { p.used += p.over(n) - p.over(old) }

func (r *receiver) pool(src *source) *pool {
	if src.proven {
		return &r.memory.proven
	}
	return &r.memory.trial
}

// take takes n bytes for src, if it may have them.
func (r *receiver) take(src *source, n int) bool {
	if !r.pool(src).may(src.used + n) {
		r.counters.Refused.Add(1)
		return false
	}
	r.charge(src, n)
	return true
}

// charge takes n bytes for src, or gives them back if n is negative.
func (r *receiver) charge(src *source, n int) {
	r.pool(src).change(src.used, src.used+n)
	src.used += n
}

// drop gives back b of src.
func (r *receiver) drop(src *source, b *buffer) {
	r.charge(src, -b.cost())
	b.free()
}

// dropParts gives back what is put together of a unit.
func (r *receiver) dropParts(src *source) {
	r.drop(src, src.parts.b)
	src.parts = parts{}
}

// hasRoom reports whether n bytes may be handed out; if not, resume is to be
// called later.
func (r *receiver) hasRoom(n int) bool {
	if r.memory.out+n <= r.memory.outLimit && r.room() {
		return true
	}
	r.full = true
	return false
}

// resume hands out what has waited for room.
func (r *receiver) resume() {
	if !r.full {
		return
	}
	r.full = false
	for _, src := range r.sources {
		r.flush(src)
	}
}

// release gives back what was handed out with d.
func (r *receiver) release(d delivery) {
	r.memory.out -= d.b.cost()
	d.b.free()
}
