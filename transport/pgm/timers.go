package pgm

import (
	"container/heap"
	"time"
)

// A holeTimer says when the repair of a hole is to go on, at the earliest: each
// hole has one, and its slot knows the true time.
type holeTimer struct {
	due time.Duration
	sqn uint32
}

// holeTimers are a heap, the earliest first; of one time, those that were sent
// first.
type holeTimers []holeTimer

func (a holeTimer) sooner(b holeTimer) bool {
	return a.due < b.due || a.due == b.due && before(a.sqn, b.sqn)
}

func (h *holeTimers) push(t holeTimer) {
	*h = append(*h, t)
	l := *h
	for i := len(l) - 1; i > 0; {
		up := (i - 1) / 2
		if !l[i].sooner(l[up]) {
			return
		}
		l[i], l[up] = l[up], l[i]
		i = up
	}
}

func (h *holeTimers) pop() holeTimer {
	l := *h
	t := l[0]
	n := len(l) - 1
	l[0] = l[n]
	*h = l[:n]
	h.sink(0)
	return t
}

func (h *holeTimers) sink(i int) {
	l := *h
	for {
		down := 2*i + 1
		if down >= len(l) {
			return
		}
		if down+1 < len(l) && l[down+1].sooner(l[down]) {
			down++
		}
		if !l[down].sooner(l[i]) {
			return
		}
		l[i], l[down] = l[down], l[i]
		i = down
	}
}

// order makes a heap of timers in any order.
func (h *holeTimers) order() {
	for i := len(*h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
}

// sourceTimers are the sources by when something is due, the earliest first.
type sourceTimers []*source

func (h sourceTimers) Len() int           { return len(h) }
func (h sourceTimers) Less(i, j int) bool { return h[i].due < h[j].due }

func (h sourceTimers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}

func (h *sourceTimers) Push(x any) {
	src := x.(*source)
	src.timer = len(*h)
	*h = append(*h, src)
}

func (h *sourceTimers) Pop() any {
	l := *h
	n := len(l) - 1
	src := l[n]
	l[n] = nil
	*h = l[:n]
	return src
}

// soonest is when something is due.
func (h sourceTimers) soonest() time.Duration {
	if len(h) == 0 {
		return never
	}
	return h[0].due
}

// advance makes src due at that time, if that is sooner than it is.
func (h *sourceTimers) advance(src *source, due time.Duration) {
	if due < src.due {
		h.set(src, due)
	}
}

func (h *sourceTimers) set(src *source, due time.Duration) {
	src.due = due
	heap.Fix(h, src.timer)
}
