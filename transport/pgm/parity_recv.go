package pgm

import (
	"bytes"
	"encoding/binary"
	"time"
)

// A parity is what a receiver has and knows of the parity of a sender that offers it
// on demand (RFC 3208 section 11.5). Its packets make groups of k. What is missing of
// a group once that has ended is asked for by number, and repaired by as many parity
// packets; to compute it takes the rest of the group, which is kept even when it was
// handed out. Where there is no parity, or it does not come or fit, the packets
// themselves are asked for, so that nobody can do harm by offering what there is not.
type parity struct {
	k      uint32
	from   uint32            // of what is before it, nothing is kept
	trail  uint32            // of the sender's window
	lead   uint32            // as its last SPM has it
	paused bool              // so had the one before it
	kept   []*buffer         // what was handed out of the group of the next packet; nil is lost
	tight  time.Duration     // until when there was no memory for it
	groups map[uint32]*group // of which some is missing, by their first number
}

// A group is what has come to repair it.
type group struct {
	vary    bool // its packets vary in length, and the parity of their lengths follows that of their data
	size    int  // of the largest
	numbers []byte
	packets []*buffer
	refused bool // its packets are to be asked for
}

const (
	groupCost   = 256         // bytes, besides the packets
	parityTries = 5           // without success, until a packet itself is asked for
	parityPause = time.Second // without a repair of anything, likewise: others may have their turn
	tightFor    = time.Second
)

// learnParity takes note of what the SPM in r.p offers. It does not change in a
// session.
func (r *receiver) learnParity(src *source) {
	p := &r.p
	if y := src.parity; y != nil {
		y.paused, y.lead = y.lead == p.lead, p.lead
		return
	}
	if p.groupSize == 0 || src.plain {
		return
	}
	if p.groupSize > maxGroup || !groupSize(int(p.groupSize)) {
		src.plain = true
		r.counters.Malformed.Add(1)
		return
	}
	src.parity = &parity{k: p.groupSize, from: src.w.next, trail: p.trail, lead: p.lead, groups: map[uint32]*group{}}
}

// refuseParity gives up the use of parity of src: that of packets that are parts of
// larger units is beyond what is understood here.
func (r *receiver) refuseParity(src *source) {
	src.plain = true
	if src.parity == nil {
		return
	}
	r.dropKept(src)
	for base := range src.parity.groups {
		r.dropGroup(src, base)
	}
	src.parity = nil
}

// trailParity takes the sender's word for where its window begins; skipped says that
// some packets are neither kept nor to be had.
func (r *receiver) trailParity(src *source, trail uint32, skipped bool) {
	y := src.parity
	if before(y.trail, trail) {
		y.trail = trail
	}
	if !skipped {
		return
	}
	r.dropKept(src)
	y.from = src.w.next
	for base := range y.groups {
		if before(base, y.from) {
			r.dropGroup(src, base)
		}
	}
}

func (y *parity) base(sqn uint32) uint32 { return sqn &^ (y.k - 1) }

// data is the packet with that number if it is there.
func (y *parity) data(w *window, sqn uint32) *buffer {
	if before(sqn, w.next) {
		if i := sqn & (y.k - 1); y.base(sqn) == y.base(w.next) && i < uint32(len(y.kept)) {
			return y.kept[i]
		}
		return nil
	}
	if w.has(sqn) {
		return w.at(sqn).b
	}
	return nil
}

// lack is how many packets of the group are not there, and how many of those may
// still come.
func (y *parity) lack(w *window, base uint32) (absent, missing int) {
	for s := base; s != base+y.k; s++ {
		if y.data(w, s) == nil {
			absent++
		}
		if w.has(s) && w.at(s).state.missing() {
			missing++
		}
	}
	return absent, missing
}

// keepForParity keeps the next packet of src, b or nil if that is lost, beyond its
// being handed out.
func (r *receiver) keepForParity(src *source, b *buffer) {
	y, sqn := src.parity, src.w.next
	if y.base(sqn) == sqn { // another group begins
		r.dropKept(src)
		r.dropGroup(src, sqn-y.k)
		y.from = sqn // it goes along, as numbers can be compared over half of their range only
	}
	switch {
	case before(y.base(sqn), y.from): // not all of it is there
	case b == nil:
		y.kept = append(y.kept, nil)
	case r.takeForParity(src, b.cost()):
		b.shared = true
		y.kept = append(y.kept, b)
	default:
		r.dropKept(src)
		y.from = sqn + 1
	}
}

// takeForParity takes n bytes for parity. If there are none, packets are asked for for
// a while: they come one by one, and the next one has always room.
func (r *receiver) takeForParity(src *source, n int) bool {
	if r.take(src, n) {
		return true
	}
	src.parity.tight = r.now + tightFor
	return false
}

func (r *receiver) dropKept(src *source) {
	y := src.parity
	for i, b := range y.kept {
		r.drop(src, b)
		y.kept[i] = nil
	}
	y.kept = y.kept[:0]
}

// dropGroup forgets what has come to repair a group.
func (r *receiver) dropGroup(src *source, base uint32) {
	g := src.parity.groups[base]
	if g == nil {
		return
	}
	for _, b := range g.packets {
		r.drop(src, b)
	}
	r.charge(src, -groupCost)
	delete(src.parity.groups, base)
}

// refuseGroup gives up the use of parity for g, so that its packets are asked for.
func (r *receiver) refuseGroup(src *source, g *group) {
	for _, b := range g.packets {
		r.drop(src, b)
	}
	*g = group{refused: true}
}

type way int

const (
	askPacket way = iota
	askParity
	askLater
)

// way is how to ask for sqn, which is missing, now; y may be nil. The last repair, of
// anything, came at the time repairs.
func (y *parity) way(now, repairs time.Duration, w *window, sqn uint32, h *slot) way {
	if y == nil || now < y.tight {
		return askPacket
	}
	base := y.base(sqn)
	g := y.groups[base]
	switch {
	case before(base, y.from), before(base, y.trail), g != nil && g.refused:
		return askPacket
	case h.ncfs >= parityTries, h.datas >= parityTries && now-repairs > parityPause, h.datas >= dataRetries/2:
		return askPacket // nobody hears of it, or what was promised does not come
	case !before(w.lead, base+y.k-1):
		return askParity
	case y.lead == w.lead, y.paused && !before(y.lead, sqn):
		return askPacket // the sender pauses within the group
	}
	return askLater // the group has not ended
}

// askParity asks for parity of the group of sqn, which has ended.
func (r *receiver) askParity(now time.Duration, src *source, sqn uint32) {
	y, w := src.parity, src.w
	base := y.base(sqn)
	n, _ := y.lack(w, base)
	if g := y.groups[base]; g != nil {
		n -= len(g.packets)
	}
	r.askGroups = append(r.askGroups, base|uint32(max(n, 1)-1))
	for s := base; s != base+y.k; s++ {
		if !w.has(s) {
			continue
		}
		if h := w.at(s); h.state == slotBackOff {
			h.state, h.due = slotWaitNCF, now+src.pace.wait(ncfWait, h)
		}
	}
}

// parityNCF takes the confirmation of requests for parity: who needs no more than that
// has no need to ask.
func (r *receiver) parityNCF(now time.Duration, src *source) {
	y, w := src.parity, src.w
	for i := -1; i < len(r.p.list); i++ {
		sqn := r.p.sqn
		if i >= 0 {
			sqn = r.p.list[i]
		}
		base := y.base(sqn)
		if !r.groupEnded(now, src, base) {
			continue
		}
		n, _ := y.lack(w, base)
		if g := y.groups[base]; g != nil {
			n -= len(g.packets)
		}
		if int(sqn-base)+1 < n {
			continue
		}
		for s := base; s != base+y.k; s++ {
			if !w.has(s) {
				continue
			}
			if h := w.at(s); h.state.missing() && h.state != slotWaitData {
				h.state, h.due = slotWaitData, now+src.pace.wait(dataWait, h)
			}
		}
	}
}

// groupEnded takes note that a group has ended, as there is parity of it. It reports
// whether the window holds any of it.
func (r *receiver) groupEnded(now time.Duration, src *source, base uint32) bool {
	y, w := src.parity, src.w
	last := base + y.k - 1
	if before(last, w.next) || before(base, y.from) {
		return false
	}
	return w.extend(last, r.backOff(now, src))
}

// parityData takes a parity packet.
func (r *receiver) parityData(now time.Duration, src *source) {
	y, w, p := src.parity, src.w, &r.p
	base := y.base(p.sqn)
	size := len(p.data)
	vary := p.flags&optVarLen != 0
	if vary {
		size -= 2
	}
	if p.parityGrp >= maxBlock || p.sqn-base+p.parityGrp*y.k >= maxBlock-y.k || size < 0 || before(base, p.trail) {
		r.counters.Malformed.Add(1)
		return
	}
	if p.encoded {
		r.refuseParity(src)
		return
	}
	if !r.groupEnded(now, src, base) {
		return
	}
	if p.typ == typeRDATA {
		src.repairs = now
	}
	absent, missing := y.lack(w, base)
	if missing == 0 {
		return
	}
	g := y.groups[base]
	if g == nil {
		if !r.takeForParity(src, groupCost) {
			return
		}
		g = &group{vary: vary, size: size}
		y.groups[base] = g
	}
	number := byte(y.k + p.sqn - base + p.parityGrp*y.k)
	if g.refused || len(g.packets) == absent || bytes.IndexByte(g.numbers, number) >= 0 {
		return
	}
	if g.vary != vary || g.size != size {
		r.counters.Malformed.Add(1)
		r.refuseGroup(src, g)
		return
	}
	if !r.takeForParity(src, keepCost(len(p.data))) {
		r.refuseGroup(src, g)
		return
	}
	g.numbers, g.packets = append(g.numbers, number), append(g.packets, keep(p.data))
	r.decode(src, base)
}

// decode computes what is missing of a group if enough has come for it.
func (r *receiver) decode(src *source, base uint32) {
	y, w := src.parity, src.w
	g := y.groups[base]
	if g == nil || g.refused {
		return
	}
	absent, missing := y.lack(w, base)
	if missing == 0 {
		r.dropGroup(src, base)
		return
	}
	if len(g.packets) < absent {
		return
	}
	b, ok := y.block(w, base, g)
	if !ok {
		r.counters.Malformed.Add(1)
		r.refuseGroup(src, g)
		return
	}
	rows := coefficients(b.known, b.wanted)
	found := make([]*buffer, len(rows))
	for i, coefs := range rows {
		f := newBuffer(g.size)
		found[i] = f
		f.b = f.b[:g.size]
		combine(f.b, coefs, b.data)
		if !g.vary {
			continue
		}
		var length [2]byte
		combine(length[:], coefs, b.lengths)
		n := int(binary.BigEndian.Uint16(length[:]))
		if n > g.size {
			r.counters.Malformed.Add(1)
			r.refuseGroup(src, g)
			return
		}
		f.b = f.b[:n]
	}
	for i, f := range found {
		// There is room: it takes no more than the parity packet that it came from.
		r.charge(src, f.cost())
		if _, repaired := w.put(base+uint32(b.wanted[i]), f, never); repaired {
			r.counters.Repaired.Add(1)
		}
	}
	r.dropGroup(src, base)
}

// A block is what is known of a group and its parity packets, as many as the group
// has, and which of the group is wanted.
type block struct {
	known, wanted []byte
	data, lengths [][]byte
}

// block returns the block of g, of which enough has come. It reports false if what
// has come cannot be of one group.
func (y *parity) block(w *window, base uint32, g *group) (b block, ok bool) {
	for i := range y.k {
		s := base + i
		d := y.data(w, s)
		if d == nil {
			if w.has(s) && w.at(s).state.missing() {
				b.wanted = append(b.wanted, byte(i))
			}
			continue
		}
		if len(d.b) > g.size || len(d.b) < g.size && !g.vary {
			return b, false
		}
		b.known, b.data = append(b.known, byte(i)), append(b.data, d.b)
		b.lengths = append(b.lengths, binary.BigEndian.AppendUint16(nil, uint16(len(d.b))))
	}
	for i, d := range g.packets[:int(y.k)-len(b.known)] {
		b.known, b.data = append(b.known, g.numbers[i]), append(b.data, d.b[:g.size])
		b.lengths = append(b.lengths, d.b[g.size:])
	}
	return b, true
}
