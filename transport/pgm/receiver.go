package pgm

import (
	"math/rand/v2"
	"net/netip"
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
	deliver  func(out delivery)
	room     func() bool // there is room for deliveries
	counters *transport.PacketCounters
	rand     *rand.Rand

	sources map[sourceKey]*source
	lastID  uint64
	wake    bool // tick is to be called soon

	p    packet
	buf  []byte
	ask  []uint32
	late []*source // scratch
}

// A delivery is the next packet of a source, whose data lies in b, or news of it.
type delivery struct {
	source uint64
	from   netip.AddrPort
	b      *buffer
	data   []byte
	lost   uint64
	gone   bool
}

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
	lost    uint64  // to be told with the next delivery
	parts   parts   // of a unit that is sent in several packets
	ending  bool    // it has said so
	endAt   time.Duration
	gone    bool // nothing of it is taken any more
}

// Timers, as libzmq sets them; the times of RFC 3208 section 6.3 are its authors'.
const (
	nakBackOff  = 50 * time.Millisecond
	ncfWait     = 200 * time.Millisecond
	dataWait    = 200 * time.Millisecond
	ncfRetries  = 50
	dataRetries = 50
	spmrWait    = 25 * time.Millisecond
	peerExpiry  = 300 * time.Second
	finGrace    = time.Second // until what is missing of a session that ended is given up
	maxSources  = 256
	maxAsks     = 16 // packets of requests for one source at a time
	granularity = 5 * time.Millisecond
)

const never = time.Duration(1<<63 - 1)

// input takes the packet b.b, which has come from that address. It keeps b, and
// reports so, if its data is to be handed out later.
func (r *receiver) input(now time.Duration, pkt []byte, from netip.AddrPort, keep func([]byte) (*buffer, []byte)) {
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
		if p.group == r.group && p.flags&optParity == 0 {
			r.ncf(now, src)
		}
	default:
		if p.flags&optParity == 0 {
			r.data(now, src, keep)
		}
	}
	r.flush(src)
	if w := src.w; w != nil && w.holes > 0 || src.ending || !src.spmSeen {
		r.wake = true
	}
}

// add takes note of a new session.
func (r *receiver) add(now time.Duration, key sourceKey, from netip.AddrPort) *source {
	if len(r.sources) >= maxSources { // the one that was heard longest ago makes room
		var oldest *source
		for _, s := range r.sources {
			if oldest == nil || s.heard < oldest.heard {
				oldest = s
			}
		}
		r.remove(oldest)
	}
	r.lastID++
	src := &source{key: key, id: r.lastID, from: from, nla: from.Addr(), spmrAt: now + spmrWait}
	r.sources[key] = src
	return src
}

// remove forgets a session.
func (r *receiver) remove(src *source) {
	r.end(src)
	delete(r.sources, src.key)
}

// end says that nothing more comes of src, and gives back what it holds.
func (r *receiver) end(src *source) {
	if src.gone {
		return
	}
	src.gone = true
	if w := src.w; w != nil {
		for s := w.next; s != w.lead+1; s++ {
			w.at(s).b.free()
		}
		src.w = nil
	}
	src.parts.reset()
	r.deliver(delivery{source: src.id, from: src.from, gone: true, lost: src.lost})
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
		src.w = newWindow(p.lead+1, r.window)
	}
	r.trail(src, p.trail)
	src.w.extend(p.lead, r.backOff(now))
	if p.fin && !src.ending {
		src.ending, src.endAt = true, now+finGrace
	}
}

// trail takes the sender's word for what it has not any more.
func (r *receiver) trail(src *source, trail uint32) {
	skipped := src.w.trailTo(trail)
	r.flush(src) // what was given up goes out of the way
	skipped += src.w.trailTo(trail)
	if skipped == 0 {
		return
	}
	src.lost += skipped
	r.counters.Lost.Add(skipped)
	src.parts.reset()
}

// backOff is when to ask for what was just found missing.
func (r *receiver) backOff(now time.Duration) time.Duration {
	return now + time.Duration(1+r.rand.Int64N(int64(nakBackOff)))
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
			w.extend(sqn, r.backOff(now))
		}
		if h := w.hole(sqn); h != nil && h.state != holeWaitData {
			h.state, h.due = holeWaitData, now+dataWait
		}
	}
}

// data takes a data packet.
func (r *receiver) data(now time.Duration, src *source, keep func([]byte) (*buffer, []byte)) {
	p := &r.p
	if before(p.sqn, p.trail) {
		r.counters.Malformed.Add(1)
		return
	}
	if src.w == nil {
		if p.typ == typeRDATA {
			return
		}
		src.w = newWindow(p.sqn, r.window)
	}
	w := src.w
	if before(w.next, p.trail) {
		r.trail(src, p.trail)
	}
	if before(p.sqn, w.next) || w.span() >= uint32(w.max) && before(w.lead, p.sqn) {
		return
	}
	if !before(w.lead, p.sqn) && w.at(p.sqn).state != slotMissing {
		return
	}
	b, data := keep(p.data)
	if p.fragment {
		b.fragment = &fragment{p.first, p.offset, p.length}
	}
	due := never
	if before(w.lead+1, p.sqn) {
		due = r.backOff(now)
	}
	stored, repaired := w.put(p.sqn, b, data, due)
	if !stored {
		b.free()
	}
	if repaired {
		r.counters.Repaired.Add(1)
	}
}

// flush hands out what is next, as long as it is there or given up, and there is
// room for it.
func (r *receiver) flush(src *source) {
	w := src.w
	if w == nil {
		return
	}
	for w.next != w.lead+1 && r.room() {
		s := w.at(w.next)
		switch s.state {
		case slotLost:
			src.lost++
			r.counters.Lost.Add(1)
			src.parts.reset()
		case slotHere:
			r.hand(src, s)
		default:
			r.tell(src)
			return
		}
		*s = slot{}
		w.next++
	}
	r.tell(src)
}

// hand delivers what lies in s, or puts it to the other parts of its unit.
func (r *receiver) hand(src *source, s *slot) {
	if f := s.b.fragment; f != nil {
		b, data, ok := src.parts.add(src.w.next, f, s.b, s.data)
		if !ok {
			src.lost++ // a part whose beginning is missing
			r.counters.Lost.Add(1)
			return
		}
		if b == nil {
			return
		}
		s.b, s.data = b, data
	} else {
		src.parts.reset()
	}
	r.deliver(delivery{source: src.id, from: src.from, b: s.b, data: s.data, lost: src.lost})
	src.lost = 0
}

// tell reports a loss that nothing has followed yet.
func (r *receiver) tell(src *source) {
	if src.lost > 0 && r.room() {
		r.deliver(delivery{source: src.id, from: src.from, lost: src.lost})
		src.lost = 0
	}
}

// tick does what is due, and returns when something is again.
func (r *receiver) tick(now time.Duration) time.Duration {
	next := never
	r.late = r.late[:0]
	for _, src := range r.sources {
		switch {
		case now-src.heard >= peerExpiry:
			r.late = append(r.late, src)
			continue
		case src.gone:
			continue
		}
		r.flush(src)
		if !src.spmSeen && !src.asked {
			if now < src.spmrAt {
				next = min(next, src.spmrAt)
			} else {
				src.asked = true
				r.buf = appendSPMR(r.buf[:0], src.key.tsi, r.dport)
				r.emit(r.buf, src.nla)
			}
		}
		next = min(next, r.repair(now, src))
		if src.ending {
			next = min(next, r.ended(now, src))
		}
	}
	for _, src := range r.late {
		r.remove(src)
	}
	if len(r.sources) > 0 {
		next = min(next, now+peerExpiry/10)
	}
	return max(next, now+time.Millisecond)
}

// repair asks for what is missing of src (section 6.3), and returns when to look
// again.
func (r *receiver) repair(now time.Duration, src *source) time.Duration {
	w := src.w
	if w == nil || w.holes == 0 {
		return never
	}
	next := never
	r.ask = r.ask[:0]
	for i := range w.missing {
		h := &w.missing[i]
		// What is due within moments goes into the same request.
		if h.state == holeFilled {
			continue
		}
		if now+granularity < h.due {
			next = min(next, h.due)
			continue
		}
		switch h.state {
		case holeBackOff:
			if len(r.ask) == maxAsks*(1+maxNakList) {
				next = min(next, now+granularity)
				continue
			}
			r.ask = append(r.ask, h.sqn)
			h.state, h.due = holeWaitNCF, now+ncfWait
		case holeWaitNCF:
			if h.ncfs++; h.ncfs >= ncfRetries {
				w.giveUp(h)
				continue
			}
			h.state, h.due = holeBackOff, r.backOff(now)
		case holeWaitData:
			if h.datas++; h.datas >= dataRetries {
				w.giveUp(h)
				continue
			}
			h.state, h.due = holeBackOff, r.backOff(now)
		}
		next = min(next, h.due)
	}
	for ask := r.ask; len(ask) > 0; {
		n := min(len(ask), 1+maxNakList)
		r.buf = appendNAK(r.buf[:0], src.key.tsi, r.dport, typeNAK, src.nla, r.group, ask[:n])
		r.emit(r.buf, src.nla)
		ask = ask[n:]
	}
	w.compact()
	r.flush(src)
	return next
}

// ended is called for a session that has said its end.
func (r *receiver) ended(now time.Duration, src *source) time.Duration {
	w := src.w
	if w.holes > 0 && now < src.endAt {
		return src.endAt
	}
	for i := range w.missing {
		if h := &w.missing[i]; h.state != holeFilled {
			w.giveUp(h)
		}
	}
	w.compact()
	r.flush(src)
	if w.span() > 0 || src.lost > 0 {
		return now + granularity // there is no room for the rest now
	}
	r.end(src)
	return never
}
