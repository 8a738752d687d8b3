package pgm

import (
	"container/heap"
	"net/netip"
	"time"
)

// A sourceKey tells sessions apart. All libzmq publishers have one and the same
// global source id, so that their address belongs to it.
type sourceKey struct {
	tsi  tsi
	addr netip.Addr
}

// A source is what is known of one session of a sender.
type source struct {
	key     sourceKey
	id      uint64
	from    netip.AddrPort
	nla     netip.Addr // where requests go to; by its SPMs, or the sender's address
	spmSqn  uint32
	spmSeen bool
	asked   bool          // an SPMR was sent
	spmrAt  time.Duration // when it is due
	heard   time.Duration
	w       *window // nil until it is known where to begin
	pace    pace
	repairs time.Duration // when the last one came, for anybody
	lost    uint64        // to be told with the next delivery
	parity  *parity       // nil if none is used
	plain   bool          // none is to be used
	parts   parts         // of a unit that is sent in several packets
	ending  bool          // it has said so
	endAt   time.Duration
	gone    bool // nothing of it is taken any more

	due   time.Duration // when it wants tick's attention
	timer int           // its place among the timers

	born    time.Duration
	handed  uint64 // packets of data that were handed out
	told    bool   // something was delivered
	proven  bool   // it is no longer on trial
	used    int    // bytes
	onTrial int    // its place in receiver.trial
}

// Anybody can claim to be any number of sources. So that they do not push real
// ones out, those that are new are on trial, of which there are few: the one that
// was heard longest ago makes room for another. A source that has delivered some
// data in order, or has lived for a while and delivered any, has proven itself,
// and keeps its place until it ends or is silent.
const (
	maxTrial    = 64
	maxProven   = 192
	provenAfter = 16 // packets
	provenAge   = 5 * time.Second
	silence     = 65 * time.Second // in which an SPM comes twice
	trialWindow = 1 << 10          // packets that are taken note of on trial
)

// add takes note of a new session.
func (r *receiver) add(now time.Duration, key sourceKey, from netip.AddrPort) *source {
	if len(r.trial) == maxTrial {
		oldest := r.trial[0]
		for _, s := range r.trial[1:] {
			if s.heard < oldest.heard || s.heard == oldest.heard && s.id < oldest.id {
				oldest = s
			}
		}
		r.counters.Refused.Add(1)
		r.remove(oldest)
	}
	r.lastID++
	src := &source{
		key: key, id: r.lastID, from: from, nla: from.Addr(), heard: now, born: now,
		spmrAt: now + spmrWait, due: now + spmrWait, onTrial: len(r.trial),
	}
	r.sources[key] = src
	r.trial = append(r.trial, src)
	heap.Push(&r.timers, src)
	r.charge(src, newCost)
	return src
}

// begin makes a window of src, which begins with first.
func (r *receiver) begin(src *source, first uint32) {
	src.w = newWindow(first, min(r.window, trialWindow), func(n int) bool { return r.take(src, n) })
	if src.proven {
		src.w.max = r.window
	}
}

// prove ends the trial of src if it has delivered enough, and there is a place
// for it.
func (r *receiver) prove(now time.Duration, src *source) {
	if src.handed < provenAfter && now-src.born < provenAge {
		return
	}
	if !r.memory.proven.may(src.used) || len(r.sources)-len(r.trial) >= maxProven && !r.makePlace(now) {
		src.handed, src.born = 0, now // later, perhaps
		return
	}
	r.leaveTrial(src)
	r.memory.trial.change(src.used, 0)
	r.memory.proven.change(0, src.used)
	src.proven = true
	src.w.max = r.window
}

// makePlace removes a source that has proven itself, but is over or silent.
func (r *receiver) makePlace(now time.Duration) bool {
	for _, src := range r.sources {
		if src.proven && (src.gone || now-src.heard >= silence) {
			r.remove(src)
			return true
		}
	}
	return false
}

func (r *receiver) leaveTrial(src *source) {
	last := len(r.trial) - 1
	other := r.trial[last]
	r.trial[src.onTrial], other.onTrial = other, src.onTrial
	r.trial[last] = nil
	r.trial = r.trial[:last]
}

// remove forgets a session.
func (r *receiver) remove(src *source) {
	r.end(src)
	r.charge(src, -sourceCost)
	if !src.proven {
		r.leaveTrial(src)
	}
	heap.Remove(&r.timers, src.timer)
	delete(r.sources, src.key)
}

// end says that nothing more comes of src, and gives back what it holds.
func (r *receiver) end(src *source) {
	if src.gone {
		return
	}
	src.gone = true
	slots := firstSlots
	if w := src.w; w != nil {
		for s := w.next; s != w.lead+1; s++ {
			b := w.at(s).b
			r.charge(src, -b.cost())
			b.free()
		}
		slots = len(w.slots)
		src.w = nil
	}
	r.refuseParity(src)
	r.charge(src, -slots*slotCost)
	r.dropParts(src)
	if src.told {
		r.deliver(delivery{source: src.id, from: src.from, gone: true, lost: src.lost})
	}
}
