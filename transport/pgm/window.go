package pgm

import "time"

// A window is what a receiver knows of a sender's packets: those from next to
// lead, which are there, missing, or given up (RFC 3208 section 6.3). What is
// before next was handed out.
type window struct {
	slots   []slot // of sqn at sqn % len(slots), a power of two that grows up to max
	max     int
	next    uint32 // the number to hand out next
	lead    uint32 // the highest that is known of; next-1 if all were handed out
	missing []hole // in order; those that were filled meanwhile included
	holes   int    // that are still open
}

type slot struct {
	state slotState
	b     *buffer // of one that is there
	data  []byte  // in b
}

type slotState uint8

const (
	slotEmpty slotState = iota // beyond lead
	slotMissing
	slotHere
	slotLost
)

// A hole is a missing packet and how far its repair is (section 6.3).
type hole struct {
	sqn   uint32
	state holeState
	due   time.Duration
	ncfs  uint8 // requests without confirmation
	datas uint8 // confirmations without data
}

type holeState uint8

const (
	holeFilled  holeState = iota
	holeBackOff           // a request is sent when due, unless another's is confirmed first
	holeWaitNCF
	holeWaitData
)

func newWindow(first uint32, maxSlots int) *window {
	return &window{slots: make([]slot, 64), max: maxSlots, next: first, lead: first - 1}
}

func (w *window) at(sqn uint32) *slot { return &w.slots[sqn&uint32(len(w.slots)-1)] }

// span is how many numbers the window holds now.
func (w *window) span() uint32 { return w.lead + 1 - w.next }

// extend makes lead the highest number that is known of; what is new is missing
// until it is put. It reports whether there is room: beyond max nothing is taken
// note of, and learned later.
func (w *window) extend(lead uint32, due time.Duration) bool {
	n := lead + 1 - w.next // span then
	if int32(n) <= 0 || !before(w.lead, lead) {
		return true
	}
	if n > uint32(w.max) {
		return false
	}
	if n > uint32(len(w.slots)) {
		size := len(w.slots)
		for uint32(size) < n {
			size *= 2
		}
		old := *w
		w.slots = make([]slot, size)
		for s := w.next; s != w.lead+1; s++ {
			*w.at(s) = *old.at(s)
		}
	}
	for s := w.lead + 1; s != lead+1; s++ {
		*w.at(s) = slot{state: slotMissing}
		w.missing = append(w.missing, hole{sqn: s, state: holeBackOff, due: due})
		w.holes++
	}
	w.lead = lead
	return true
}

// put stores data, which lies in b, and reports whether it was missing, and
// whether it had been asked for.
func (w *window) put(sqn uint32, b *buffer, data []byte, due time.Duration) (stored, repaired bool) {
	if before(sqn, w.next) {
		return false, false
	}
	if sqn == w.lead+1 && w.span() < uint32(len(w.slots)) { // as it should be
		w.lead = sqn
		*w.at(sqn) = slot{state: slotHere, b: b, data: data}
		return true, false
	}
	if before(w.lead, sqn) && !w.extend(sqn, due) {
		return false, false
	}
	s := w.at(sqn)
	if s.state != slotMissing {
		return false, false
	}
	*s = slot{state: slotHere, b: b, data: data}
	if h := w.hole(sqn); h != nil {
		repaired = h.state != holeBackOff
		h.state = holeFilled
		w.holes--
	}
	return true, repaired
}

// hole finds the hole of sqn.
func (w *window) hole(sqn uint32) *hole {
	lo, hi := 0, len(w.missing)
	for lo < hi {
		mid := (lo + hi) / 2
		if before(w.missing[mid].sqn, sqn) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(w.missing) || w.missing[lo].sqn != sqn || w.missing[lo].state == holeFilled {
		return nil
	}
	return &w.missing[lo]
}

// giveUp marks a hole as lost for good.
func (w *window) giveUp(h *hole) {
	w.at(h.sqn).state = slotLost
	h.state = holeFilled
	w.holes--
}

// trailTo says that the sender has nothing before trail any more. It returns how
// many numbers that the window never had are skipped.
func (w *window) trailTo(trail uint32) (skipped uint64) {
	if !before(w.next, trail) {
		return 0
	}
	for i := range w.missing {
		h := &w.missing[i]
		if !before(h.sqn, trail) {
			break
		}
		if h.state != holeFilled {
			w.giveUp(h)
		}
	}
	if w.holes == 0 {
		w.missing = w.missing[:0]
	}
	if before(w.lead+1, trail) && w.span() == 0 {
		skipped = uint64(trail - w.next)
		w.next, w.lead = trail, trail-1
	}
	return skipped
}

// compact forgets the holes that were filled.
func (w *window) compact() {
	if w.holes == 0 {
		w.missing = w.missing[:0]
		return
	}
	if len(w.missing) < 2*w.holes+64 {
		return
	}
	kept := w.missing[:0]
	for _, h := range w.missing {
		if h.state != holeFilled {
			kept = append(kept, h)
		}
	}
	w.missing = kept
}
