package msgcore

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"
)

// A door bounds how many accepted connections are in their handshake at once. If
// there are too many, the one that has been at it the longest has to go: strangers
// that connect and say nothing do not keep out a peer that comes to the point.
//
// It also ends those that take too long (Options.Handshake), and all when the
// socket lets go of everything.
type door struct {
	mu          sync.Mutex // guards what follows, and each visit
	first, last *visit     // the oldest first
	n           int
	closed      bool
	clock       *time.Timer // for the first one's time; nil until it is needed

	outside *visit        // the first of those that have not begun; all behind it have not, either
	fresh   *visit        // the first of those that have begun within the last moment, as far as is known
	freshN  int           // so many of them there are
	extra   int           // so many may be fresh besides a few
	quick   int           // have left while they were fresh, for extra
	slow    time.Duration // when the last one turned out to take longer than a moment
	opener  *time.Timer   // for fresh; nil until it is needed
}

// Only a few begin at once, as long as these are through within a moment. Hundreds
// would but wait for a processor, each with buffers and a goroutine whose stack has
// grown, and such memory is not given back soon. But they may also wait for peers far
// away, or for whoever authorizes them: then the more there are the more must begin
// at once. So with each few that get through the number grows, by a fourth of them:
// ten thousand that come together and need 60 ms each are in within a second and a
// half. If they take longer than a moment, or have nothing to say at all, waiting for them
// is of no use. A thousand strangers that say nothing hold up the next one for less
// than half a second, once.
const (
	moment   = 100 * time.Millisecond
	few      = 8  // for each processor
	extraFew = 64 // times few is the most that are extra
	perSlow  = 4  // extra for each that takes longer, until it is quiet
	perQuick = 4  // so many that get through make one extra
)

var errCrowded = errors.New("it took longer than the others and made room for a new connection (Options.HandshakePeers)")

// enter has conn, which was accepted at the endpoint called name, served: at once,
// or soon.
func (s *Socket) enter(conn net.Conn, name string) {
	s.wg.Add(1) // for serve
	v, d := newVisit(s, conn, name), &s.door
	d.join(v)
	d.mu.Lock()
	d.letIn()
	d.mu.Unlock()
}

// join makes v the last one.
func (d *door) join(v *visit) {
	var oldest *visit
	d.mu.Lock()
	if most := v.s.opts.HandshakePeers; most > 0 && d.n == most {
		oldest = d.first
		d.remove(oldest)
	}
	d.add(v)
	closed := d.closed
	d.mu.Unlock()
	if oldest != nil {
		oldest.end(context.Canceled, errCrowded)
	}
	if closed {
		d.close()
	}
}

// add puts v behind the others; under mu.
func (d *door) add(v *visit) {
	v.inside, v.prev = true, d.last
	if d.last != nil {
		d.last.next = v
	} else {
		d.first = v
	}
	d.last = v
	if d.n++; d.n == 1 {
		d.setClock()
	}
	if d.outside == nil {
		d.outside = v
	}
}

// letIn has those begin that may; under mu.
func (d *door) letIn() {
	usual, t := few*runtime.GOMAXPROCS(0), now()
	for d.fresh != nil && t-d.fresh.since >= moment {
		d.slow = d.fresh.since + moment
		d.age(d.fresh)
		d.widen(perSlow)
	}
	if d.freshN == 0 && t-d.slow >= moment { // it was quiet
		d.extra = 0
	}
	for d.outside != nil && d.freshN < usual+d.extra {
		v := d.outside
		d.outside = v.next
		if d.freshN++; d.fresh == nil {
			d.fresh = v
		}
		v.fresh, v.since = true, t
		v.begin()
	}
	if d.outside == nil {
		return
	}
	wait := d.fresh.since + moment - t
	if d.opener == nil {
		d.opener = time.AfterFunc(wait, d.open)
	} else {
		d.opener.Reset(wait)
	}
}

// widen lets n more be fresh; under mu.
func (d *door) widen(n int) {
	d.extra = min(d.extra+n, extraFew*few*runtime.GOMAXPROCS(0))
}

// pass is remove for one that is through, or out; under mu.
func (d *door) pass(v *visit) {
	if v.fresh {
		if d.quick++; d.quick%perQuick == 0 {
			d.widen(1)
		}
	}
	d.remove(v)
	d.letIn()
}

// open is letIn when the first fresh one is no longer.
func (d *door) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letIn()
}

// remove takes v off the list, if it is there; under mu.
func (d *door) remove(v *visit) {
	if !v.inside {
		return
	}
	v.inside = false
	switch {
	case v.fresh:
		d.age(v)
	case d.outside == v:
		d.outside = v.next
	}
	if v.prev != nil {
		v.prev.next = v.next
	} else {
		d.first = v.next
	}
	if v.next != nil {
		v.next.prev = v.prev
	} else {
		d.last = v.prev
	}
	v.prev, v.next = nil, nil
	if d.n--; d.n == 0 {
		d.setClock()
	}
}

// age makes v one that is not fresh; under mu.
func (d *door) age(v *visit) {
	v.fresh = false
	d.freshN--
	if d.fresh == v {
		d.fresh = v.next
		if d.fresh == d.outside {
			d.fresh = nil
		}
	}
}

// setClock sets the clock for the first one, if its time is bounded; under mu.
func (d *door) setClock() {
	switch {
	case d.first != nil && d.first.until.IsZero():
	case d.first != nil && d.clock == nil:
		d.clock = time.AfterFunc(time.Until(d.first.until), d.endLate)
	case d.first != nil:
		d.clock.Reset(time.Until(d.first.until))
	case d.clock != nil:
		d.clock.Stop()
	}
}

// endLate ends those whose time is over.
func (d *door) endLate() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t := time.Now(); d.first != nil && !t.Before(d.first.until); {
		d.endFirst(context.DeadlineExceeded)
	}
	if d.first != nil {
		d.setClock()
	}
}

// close ends all, and those to come.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.closed = true; d.first != nil; {
		d.endFirst(context.Canceled)
	}
}

// endFirst ends the first one; under mu, which it gives up meanwhile.
func (d *door) endFirst(err error) {
	v := d.first
	d.remove(v)
	d.mu.Unlock()
	v.end(err, nil)
	d.mu.Lock()
}
