package simnet

import (
	"context"
	"time"
)

// DefaultBuffer is how many bytes a connection takes, in each direction, before a
// write waits, unless [Link.SetBuffer] says otherwise.
const DefaultBuffer = 64 << 10

// A Link is what connects two hosts, with all of their connections.
type Link struct {
	n     *Network
	a, b  *Host
	ways  [2]way             // from a to b, and back
	conns map[*conn]struct{} // the ends that dialed
}

// A way is one direction of a link. Guarded by Network.mu.
type way struct {
	delay     time.Duration
	bandwidth int64 // bytes a second; 0: no bound
	buffer    int
	free      time.Time     // when the line has sent all that was written
	isCut     bool          // nothing arrives that has not arrived
	mended    chan struct{} // closed and replaced with each change, for dials
}

func newLink(n *Network, a, b *Host) *Link {
	l := &Link{n: n, a: a, b: b, conns: map[*conn]struct{}{}}
	for i := range l.ways {
		l.ways[i] = way{buffer: DefaultBuffer, mended: make(chan struct{})}
	}
	return l
}

// from returns the way that begins at h, and the one that ends there.
func (l *Link) from(h *Host) (out, back *way) {
	if h == l.a {
		return &l.ways[0], &l.ways[1]
	}
	return &l.ways[1], &l.ways[0]
}

// SetDelay sets how long anything takes from one host to the other, for what is
// sent from now on. A round trip takes twice as long.
func (l *Link) SetDelay(d time.Duration) {
	l.change(func(w *way) { w.delay = max(d, 0) })
}

// SetBandwidth sets how many bytes a second pass in each direction, of all
// connections together, for what is written from now on. 0 is no bound.
func (l *Link) SetBandwidth(bytes int64) {
	l.change(func(w *way) { w.bandwidth, w.free = max(bytes, 0), time.Time{} })
}

// SetBuffer sets how many bytes a connection takes in each direction before a
// write waits for the other side to read; at least 1.
func (l *Link) SetBuffer(bytes int) {
	l.change(func(w *way) { w.buffer = max(bytes, 1) })
}

// Cut lets nothing arrive any more, in both directions, and tells nobody: dials
// wait, and so does what is written, until Mend.
func (l *Link) Cut() {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	l.cut(0, 1)
}

// CutFrom is Cut for what h sends. It still hears the other host. h must be one
// of the two.
func (l *Link) CutFrom(h *Host) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	if h == l.a {
		l.cut(0)
	} else {
		l.cut(1)
	}
}

// Mend undoes Cut and CutFrom. What was written meanwhile arrives now, as soon
// as it would have.
func (l *Link) Mend() {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	l.mend()
}

// Reset breaks every connection of the link at once, and returns how many. Both
// sides get an error; what they had not yet read is lost.
func (l *Link) Reset() int { return l.each((*stream).reset) }

// End ends every connection of the link, and returns how many. Each side reads
// what the other has written, and then io.EOF; writes fail. A connection of a
// link that is cut ends at once for those who write, and for those who read as
// soon as it is mended.
func (l *Link) End() int { return l.each((*stream).end) }

// Conns returns how many connections the link has: those that neither its sides
// nor the test have ended.
func (l *Link) Conns() int { return l.each(func(*stream) {}) }

// each calls f for both directions of each connection that has not ended in both,
// and returns how many connections these are.
func (l *Link) each(f func(*stream)) (n int) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for c := range l.conns {
		if c.in.live() || c.out.live() {
			f(c.in)
			f(c.out)
			n++
		}
	}
	return n
}

// change calls f for both ways and lets everybody look at the new state.
func (l *Link) change(f func(*way)) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for i := range l.ways {
		f(&l.ways[i])
	}
	l.wake()
}

// cut cuts ways, after all that is due by now has arrived.
func (l *Link) cut(ways ...int) {
	for c := range l.conns {
		c.in.settle()
		c.out.settle()
	}
	for _, i := range ways {
		l.ways[i].isCut = true
	}
}

func (l *Link) mend() {
	for i := range l.ways {
		l.ways[i].isCut = false
	}
	l.wake()
}

// wake lets all who wait look again.
func (l *Link) wake() {
	for i := range l.ways {
		w := &l.ways[i]
		close(w.mended)
		w.mended = make(chan struct{})
	}
	for c := range l.conns {
		c.in.changed.Broadcast()
		c.out.changed.Broadcast()
	}
}

// arrived reports whether what is due then is there now. The zero time stands for
// something that is.
func (w *way) arrived(due time.Time) bool {
	return due.IsZero() || !w.isCut && !time.Now().Before(due)
}

// settle makes the zero time of due if that has come.
func (w *way) settle(due *time.Time) {
	if w.arrived(*due) {
		*due = time.Time{}
	}
}

// next returns when something that is due then arrives, or the zero time if it
// is not known.
func (w *way) next(due time.Time) time.Time {
	if w.isCut {
		return time.Time{}
	}
	return due
}

// travel waits for as long as something small takes over w, or until ctx ends.
func (n *Network) travel(ctx context.Context, w *way) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	due := time.Now().Add(w.delay)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.arrived(due) {
			return nil
		}
		n.pause(ctx, w, due)
	}
}

// pause gives up mu until due, or until ctx ends or w changes.
func (n *Network) pause(ctx context.Context, w *way, due time.Time) {
	changed := w.mended
	there := make(chan struct{})
	if t := timer(w.next(due), func() { close(there) }); t != nil {
		defer t.Stop()
	}
	n.mu.Unlock()
	defer n.mu.Lock()
	select {
	case <-there:
	case <-changed:
	case <-ctx.Done():
	}
}
