package pgm

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/solomq/solomq/transport"
)

// A receiver is the receiving side for any number of senders (RFC 3208 section 6),
// without I/O and without a clock.
type receiver struct {
	dport    uint16
	group    netip.Addr
	window   int                           // packets, at most
	emit     func(b []byte, to netip.Addr) // sends a packet upstream; it keeps nothing of b
	deliver  func(out delivery)            // takes it until release
	room     func() bool                   // there is room for deliveries
	counters *transport.PacketCounters
	rand     *rand.Rand

	sources map[sourceKey]*source
	trial   []*source // those that are on trial
	timers  sourceTimers
	lastID  uint64
	memory  memory
	full    bool // deliveries wait for room

	now time.Duration // of input or tick
	p   packet        // scratch, as what follows
	buf []byte
	ask []uint32

	askGroups []uint32 // parity of groups
}

// A delivery is the next packet of a source, or news of it.
type delivery struct {
	source uint64
	from   netip.AddrPort
	b      *buffer // nil if there is no data
	lost   uint64
	gone   bool
}

// Timers, as libzmq sets them, but shorter at first, and for a sender whose window
// passes fast (see pace); the times of RFC 3208 section 6.3 are its authors'.
const (
	nakBackOff   = 50 * time.Millisecond
	ncfWait      = 200 * time.Millisecond
	dataWait     = 200 * time.Millisecond
	ncfRetries   = 50
	dataRetries  = 50
	spmrWait     = 25 * time.Millisecond
	peerExpiry   = 300 * time.Second
	repairsPause = 3 * time.Second // without a repair of anything, until nothing more is hoped for
	finGrace     = time.Second     // until what is missing of a session that ended is given up
	maxAsks      = 16              // packets of requests for one source at a time
	granularity  = 5 * time.Millisecond
)

const never = time.Duration(1<<63 - 1)

// input takes the packet pkt, which has come from that address.
func (r *receiver) input(now time.Duration, pkt []byte, from netip.AddrPort) {
	p := &r.p
	if err := parse(pkt, p); err != nil {
		r.counters.Malformed.Add(1)
		return
	}
	switch p.typ {
	case typeSPM, typeODATA, typeRDATA, typeNCF:
	default:
		return // upstream, or none of ours
	}
	if p.dport != r.dport {
		return
	}
	r.now = now
	key := sourceKey{tsi{p.gsi, p.sport}, from.Addr()}
	src := r.sources[key]
	if src == nil {
		if p.typ == typeNCF || p.typ == typeRDATA || p.flags&optParity != 0 {
			return // somebody else's repair
		}
		src = r.add(now, key, from)
	}
	src.heard = now
	if src.gone {
		return
	}
	switch p.typ {
	case typeSPM:
		r.spm(now, src)
	case typeNCF:
		switch {
		case p.group != r.group:
		case p.flags&optParity == 0:
			r.ncf(now, src)
		case src.parity != nil:
			r.parityNCF(now, src)
		}
	default:
		switch {
		case p.flags&optParity == 0:
			r.data(now, src)
		case src.parity != nil:
			r.parityData(now, src)
		}
	}
	r.flush(src)
	if src.w != nil {
		r.timers.advance(src, src.w.due())
	}
	if src.ending {
		r.timers.advance(src, now)
	}
}

// spm takes an SPM (section 6.1).
func (r *receiver) spm(now time.Duration, src *source) {
	p := &r.p
	if src.spmSeen && !before(src.spmSqn, p.sqn) {
		return // an old one
	}
	src.spmSeen, src.spmSqn, src.nla = true, p.sqn, p.nla
	if before(p.lead+1, p.trail) {
		r.counters.Malformed.Add(1)
		return
	}
	if src.w == nil {
		r.begin(src, p.lead+1)
	}
	r.learnParity(src)
	r.trail(src, p.trail)
	src.w.extend(p.lead, r.backOff(now, src))
	if p.fin && !src.ending {
		src.ending, src.endAt = true, now+finGrace
	}
}

// trail takes the sender's word for what it has not any more.
func (r *receiver) trail(src *source, trail uint32) {
	skipped := src.w.trailTo(trail)
	r.flush(src) // what was given up goes out of the way
	skipped += src.w.trailTo(trail)
	if src.parity != nil {
		r.trailParity(src, trail, skipped > 0)
	}
	if skipped == 0 {
		return
	}
	src.lost += skipped
	r.counters.Lost.Add(skipped)
	r.dropParts(src)
}

// backOff is when to ask for what was just found missing.
func (r *receiver) backOff(now time.Duration, src *source) time.Duration {
	return now + time.Duration(1+r.rand.Int64N(int64(src.pace.backOff())))
}

// ncf takes a confirmation, which may be of what others have asked for.
func (r *receiver) ncf(now time.Duration, src *source) {
	w := src.w
	if w == nil {
		return
	}
	for i := -1; i < len(r.p.list); i++ {
		sqn := r.p.sqn
		if i >= 0 {
			sqn = r.p.list[i]
		}
		if before(w.lead, sqn) {
			w.extend(sqn, r.backOff(now, src))
		}
		if !w.has(sqn) {
			continue
		}
		if s := w.at(sqn); s.state.missing() && s.state != slotWaitData {
			s.state, s.due = slotWaitData, now+src.pace.wait(dataWait, s)
		}
	}
}

// data takes a data packet.
func (r *receiver) data(now time.Duration, src *source) {
	p := &r.p
	if before(p.sqn, p.trail) {
		r.counters.Malformed.Add(1)
		return
	}
	if src.w == nil {
		if p.typ == typeRDATA {
			return
		}
		r.begin(src, p.sqn)
	}
	if p.typ == typeRDATA {
		src.repairs = now
	} else {
		src.pace.packet(now, p.sqn, p.trail)
	}
	w := src.w
	if before(w.next, p.trail) {
		r.trail(src, p.trail)
	}
	if !w.wants(p.sqn) || !r.takePacket(src) {
		return
	}
	b := keep(p.data)
	if p.fragment {
		b.fragment = &fragment{p.first, p.offset, p.length}
		r.refuseParity(src)
	}
	due := never
	if before(w.lead+1, p.sqn) {
		due = r.backOff(now, src)
	}
	stored, repaired := w.put(p.sqn, b, due)
	if !stored {
		r.drop(src, b)
	}
	if repaired {
		r.counters.Repaired.Add(1)
	}
	if stored && src.parity != nil {
		r.decode(src, src.parity.base(p.sqn))
	}
}

// takePacket takes the memory for the packet of src that has come. One that can be
// handed out at once may always have it: what is held behind it must not keep it
// out.
func (r *receiver) takePacket(src *source) bool {
	n := keepCost(len(r.p.data))
	if r.p.sqn == src.w.next && r.hasRoom(n+src.parts.b.cost()) {
		r.charge(src, n)
		return true
	}
	return r.take(src, n)
}

// flush hands out what is next, as long as it is there or given up, and there is
// room for it.
func (r *receiver) flush(src *source) {
	w := src.w
	if w == nil {
		return
	}
	for w.next != w.lead+1 {
		s := w.at(w.next)
		if !s.state.missing() && !r.hasRoom(s.b.cost()+src.parts.b.cost()) {
			return
		}
		if src.parity != nil && !s.state.missing() {
			r.keepForParity(src, s.b)
		}
		switch s.state {
		case slotLost:
			src.lost++
			r.counters.Lost.Add(1)
			r.dropParts(src)
		case slotHere:
			r.hand(src, s.b)
		default:
			r.tell(src)
			return
		}
		*s = slot{}
		w.next++
	}
	r.tell(src)
}

// hand delivers b, or puts it to the other parts of its unit.
func (r *receiver) hand(src *source, b *buffer) {
	if f := b.fragment; f != nil {
		if f.offset == 0 {
			r.dropParts(src)
		}
		ok := src.parts.add(src.w.next, f, b.b, r.memory.unitLimit(), func(n int) bool { return r.take(src, n) })
		r.drop(src, b)
		if !ok { // a part whose beginning is missing
			src.lost++
			r.counters.Lost.Add(1)
			r.dropParts(src)
			return
		}
		if b = src.parts.whole(); b == nil {
			return
		}
	} else if src.parts.b != nil {
		r.dropParts(src)
	}
	r.charge(src, -b.cost())
	r.memory.out += b.cost()
	src.told = true
	r.deliver(delivery{source: src.id, from: src.from, b: b, lost: src.lost})
	src.lost = 0
	src.handed++
	if !src.proven {
		r.prove(r.now, src)
	}
}

// tell reports a loss that nothing has followed yet.
func (r *receiver) tell(src *source) {
	if src.lost > 0 && r.hasRoom(0) {
		src.told = true
		r.deliver(delivery{source: src.id, from: src.from, lost: src.lost})
		src.lost = 0
	}
}

// tick does what is due, and returns when something is again.
func (r *receiver) tick(now time.Duration) time.Duration {
	r.now = now
	for r.timers.soonest() <= now {
		src := r.timers[0]
		if now-src.heard >= peerExpiry {
			r.remove(src)
			continue
		}
		due := src.heard + peerExpiry
		if !src.gone {
			due = min(due, r.attend(now, src))
		}
		r.timers.set(src, max(due, now+time.Millisecond))
	}
	return r.timers.soonest()
}

// attend does what is due for src, and returns when to look again.
func (r *receiver) attend(now time.Duration, src *source) time.Duration {
	next := never
	r.flush(src)
	if !src.spmSeen && !src.asked {
		if now < src.spmrAt {
			next = src.spmrAt
		} else {
			src.asked = true
			r.buf = appendSPMR(r.buf[:0], src.key.tsi, r.dport)
			r.emit(r.buf, src.nla)
		}
	}
	if src.w != nil {
		next = min(next, r.repair(now, src))
	}
	if src.ending {
		next = min(next, r.ended(now, src))
	}
	return next
}

// repair asks for what is missing of src (section 6.3), and returns when to look
// again.
func (r *receiver) repair(now time.Duration, src *source) time.Duration {
	w := src.w
	r.ask, r.askGroups = r.ask[:0], r.askGroups[:0]
	for len(r.ask)+len(r.askGroups) < maxAsks*(1+maxNakList) {
		sqn, h := w.nextDue(now + granularity) // what is due within moments goes into the same request
		if h == nil {
			break
		}
		switch h.state {
		case slotBackOff:
			switch src.parity.way(now, src.repairs, w, sqn, h) {
			case askLater: // and not again in this loop
				h.due = granularity + r.backOff(now, src)
			case askParity:
				r.askParity(now, src, sqn)
			default:
				r.ask = append(r.ask, sqn)
				h.state, h.due = slotWaitNCF, now+src.pace.wait(ncfWait, h)
			}
		case slotWaitNCF:
			h.ncfs++
			h.state, h.due = slotBackOff, r.backOff(now, src)
		case slotWaitData:
			// While others are repaired it waits for its turn at the sender's rate; at the
			// latest, the sender's window passes.
			if h.datas < dataRetries-1 || now-src.repairs > repairsPause {
				h.datas++
			}
			h.state, h.due = slotBackOff, r.backOff(now, src)
		}
		if h.ncfs >= ncfRetries || h.datas >= dataRetries {
			w.giveUp(h)
			continue
		}
		w.timers.push(holeTimer{h.due, sqn})
	}
	r.request(src, 0, r.ask)
	r.request(src, optParity, r.askGroups)
	r.flush(src)
	return max(w.due(), now+granularity)
}

// request sends NAKs for sqns, which it sorts.
func (r *receiver) request(src *source, flags byte, sqns []uint32) {
	slices.SortFunc(sqns, func(a, b uint32) int { return int(int32(a - b)) })
	for len(sqns) > 0 {
		n := min(len(sqns), 1+maxNakList)
		r.buf = appendNAK(r.buf[:0], src.key.tsi, r.dport, typeNAK, flags, src.nla, r.group, sqns[:n])
		r.emit(r.buf, src.nla)
		sqns = sqns[n:]
	}
}

// ended is called for a session that has said its end.
func (r *receiver) ended(now time.Duration, src *source) time.Duration {
	w := src.w
	if w.holes > 0 && now < src.endAt {
		return src.endAt
	}
	w.giveUpTo(w.lead + 1)
	r.flush(src)
	if w.span() > 0 || src.lost > 0 {
		return now + granularity // there is no room for the rest now
	}
	r.end(src)
	return never
}
