package pgm

import "time"

// A window is what a receiver knows of a sender's packets: those from next to
// lead, which are there, missing, or given up (RFC 3208 section 6.3). What is
// before next was handed out.
type window struct {
	slots  []slot // of sqn at sqn % len(slots), a power of two that grows up to max
	max    int
	next   uint32 // the number to hand out next
	lead   uint32 // the highest that is known of; next-1 if all were handed out
	holes  int    // that are missing
	lostTo uint32 // what was missing before it is given up; of no meaning without holes
	timers holeTimers
	afford func(bytes int) bool // takes memory for so much more, if it may
}

// A slot is a packet, or a hole and how far its repair is (section 6.3).
type slot struct {
	b     *buffer       // of one that is there
	due   time.Duration // of a hole: when its repair goes on
	state slotState
	ncfs  uint8 // requests without confirmation
	datas uint8 // confirmations without data
}

type slotState uint8

const (
	slotEmpty slotState = iota // beyond lead
	slotHere
	slotLost
	slotBackOff // missing: a request is sent when due, unless another's is confirmed first
	slotWaitNCF
	slotWaitData
)

func (s slotState) missing() bool { return s >= slotBackOff }

const (
	firstSlots = 16
	slotCost   = 64 // bytes, with its share of the timers
)

// newWindow returns a window that begins with first, for which the memory of
// firstSlots was taken.
func newWindow(first uint32, maxSlots int, afford func(int) bool) *window {
	return &window{slots: make([]slot, firstSlots), max: maxSlots, next: first, lead: first - 1, afford: afford}
}

func (w *window) at(sqn uint32) *slot { return &w.slots[sqn&uint32(len(w.slots)-1)] }

// span is how many numbers the window holds now.
func (w *window) span() uint32 { return w.lead + 1 - w.next }

// has reports whether the window holds sqn.
func (w *window) has(sqn uint32) bool { return sqn-w.next < w.span() }

// grow makes room for n numbers, and reports whether there is some.
func (w *window) grow(n uint32) bool {
	if n > uint32(w.max) {
		return false
	}
	size := len(w.slots)
	for uint32(size) < n {
		size *= 2
	}
	if size == len(w.slots) {
		return true
	}
	if !w.afford((size - len(w.slots)) * slotCost) {
		return false
	}
	old := *w
	w.slots = make([]slot, size)
	for s := w.next; s != w.lead+1; s++ {
		*w.at(s) = *old.at(s)
	}
	return true
}

// extend makes lead the highest number that is known of; what is new is missing
// until it is put. It reports whether there is room: beyond it nothing is taken
// note of, and learned later.
func (w *window) extend(lead uint32, due time.Duration) bool {
	n := lead + 1 - w.next // span then
	if int32(n) <= 0 || !before(w.lead, lead) {
		return true
	}
	if !w.grow(n) {
		return false
	}
	if w.holes == 0 || before(w.lostTo, w.next) {
		w.lostTo = w.next
	}
	for s := w.lead + 1; s != lead+1; s++ {
		*w.at(s) = slot{state: slotBackOff, due: due}
		w.timers.push(holeTimer{due, s})
	}
	w.holes += int(lead - w.lead)
	w.lead = lead
	w.tidy()
	return true
}

// wants reports whether the data of sqn is missing, and there would be room for
// it.
func (w *window) wants(sqn uint32) bool {
	if w.has(sqn) {
		return w.at(sqn).state.missing()
	}
	return !before(sqn, w.next) && sqn-w.next < uint32(w.max)
}

// put stores b, which wants has said is missing. It reports whether there is room,
// and whether it had been asked for. Due is for those that are found missing by
// it.
func (w *window) put(sqn uint32, b *buffer, due time.Duration) (stored, repaired bool) {
	if before(w.lead, sqn) {
		if sqn != w.lead+1 && !w.extend(sqn-1, due) || !w.grow(w.span()+1) {
			return false, false
		}
		w.lead = sqn
		*w.at(sqn) = slot{state: slotHere, b: b}
		return true, false
	}
	s := w.at(sqn)
	repaired = s.state != slotBackOff
	*s = slot{state: slotHere, b: b}
	w.holes--
	return true, repaired
}

// giveUp marks a hole as lost for good.
func (w *window) giveUp(s *slot) {
	*s = slot{state: slotLost}
	w.holes--
}

// giveUpTo gives up the holes before end.
func (w *window) giveUpTo(end uint32) {
	if w.holes == 0 {
		return
	}
	if before(w.lead+1, end) {
		end = w.lead + 1
	}
	if before(w.lostTo, w.next) {
		w.lostTo = w.next
	}
	for ; before(w.lostTo, end); w.lostTo++ {
		if s := w.at(w.lostTo); s.state.missing() {
			w.giveUp(s)
		}
	}
}

// trailTo says that the sender has nothing before trail any more. It returns how
// many numbers that the window never had are skipped.
func (w *window) trailTo(trail uint32) (skipped uint64) {
	if !before(w.next, trail) {
		return 0
	}
	w.giveUpTo(trail)
	if before(w.lead+1, trail) && w.span() == 0 {
		skipped = uint64(trail - w.next)
		w.next, w.lead = trail, trail-1
	}
	return skipped
}

// due is when the repair of a hole goes on.
func (w *window) due() time.Duration {
	if w.holes == 0 || len(w.timers) == 0 {
		return never
	}
	return w.timers[0].due
}

// nextDue removes a hole whose time has come by end from the timers, and returns
// it. Who goes on waiting for it puts it back.
func (w *window) nextDue(end time.Duration) (sqn uint32, s *slot) {
	for len(w.timers) > 0 && w.timers[0].due <= end {
		t := w.timers.pop()
		if !w.has(t.sqn) {
			continue
		}
		s := w.at(t.sqn)
		if !s.state.missing() {
			continue
		}
		if s.due <= end {
			return t.sqn, s
		}
		w.timers.push(holeTimer{s.due, t.sqn}) // it was put off meanwhile
	}
	return 0, nil
}

// tidy forgets the timers of holes that were filled, once those are most.
func (w *window) tidy() {
	if len(w.timers) < 2*w.holes+firstSlots {
		return
	}
	kept := w.timers[:0]
	for _, t := range w.timers {
		if w.has(t.sqn) && w.at(t.sqn).state.missing() {
			kept = append(kept, t)
		}
	}
	w.timers = kept
	w.timers.order()
}
