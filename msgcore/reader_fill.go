package msgcore

import (
	"io"
	"net"
	"syscall"

	"github.com/solomq/solomq/transport"
)

// How a reader fills its slabs: how much it reads at once, and where to.

// more reads what has arrived, at least one byte, and makes room for need.
func (r *reader) more(need int) error {
	if r.slab != nil {
		r.makeRoom(need)
	}
	n, err := r.read()
	if n > 0 {
		room := len(r.space())
		r.fill += n
		r.full = n == room
		r.heard(n)
		r.adapt(n, room)
		return nil
	}
	if err == nil {
		err = errNothing
	}
	return err
}

// makeRoom moves what is unfinished on to another slab if this one has not
// enough room left for it, or so little that reads would become many.
func (r *reader) makeRoom(need int) {
	size := len(r.slab.buf)
	free, left := size-r.fill, r.fill-r.start
	if left == 0 && r.last >= longFrame && free < r.last {
		r.dropSlab()
		return
	}
	if free >= need && (free >= size/8 || left > size/8) {
		return
	}
	if left == 0 {
		r.dropSlab()
		return
	}
	want := left + need
	if want > slabClasses[topClass] {
		want = max(want, 2*left) // a message of many frames: do not copy it each time
	}
	s := newSlab(r.class, want)
	copy(s.buf, r.slab.buf[r.start:r.fill])
	r.slab.drop()
	r.slab = s
	r.pos -= r.start
	r.end -= r.start
	r.fill -= r.start
	r.start = 0
}

func (r *reader) dropSlab() {
	r.slab.drop()
	r.slab = nil
	r.start, r.end, r.pos, r.fill = 0, 0, 0, 0
}

// space returns where to read to. If frames are long and alike it ends where one
// does, so that no part of the next has to be moved to another slab.
func (r *reader) space() []byte {
	if r.slab == nil {
		r.slab = newSlab(r.class, 0)
	}
	room := min(len(r.slab.buf)-r.fill, r.limit)
	if r.last >= longFrame {
		have := r.fill - r.pos
		if ends := (have + room) / r.last * r.last; ends > have {
			room = ends - have
		}
	}
	return r.slab.buf[r.fill : r.fill+room]
}

// adapt chooses the size of the next read and slab by what the last one gave:
// one that took all there was room for has left more behind.
func (r *reader) adapt(n, room int) {
	switch {
	case n == room:
		if r.limit < slabClasses[topClass] {
			r.limit *= 2
		}
		if r.class < topClass {
			r.class++
		}
	case n < slabClasses[r.class]/8 && r.class > 0:
		r.class--
	}
}

// begin has the reader begin with what the handshake has read behind its last
// command, before it reads anything itself.
func (r *reader) begin(ahead []byte) {
	if len(ahead) == 0 {
		return
	}
	r.slab = newSlab(0, len(ahead))
	r.fill = copy(r.slab.buf, ahead)
	r.received = int64(r.fill)
	r.reads.Store(r.received)
}

// mayReadAhead reports whether the handshake may read more of c than it needs. Where
// the other end is told what was read, it is to be told only of what a session has
// read, which sees to it that each message is counted, whatever becomes of it.
func mayReadAhead(c net.Conn) bool {
	_, tells := c.(transport.DeliveryConn)
	return !tells
}

// readBegun reads what has come already, into b. What goes wrong shows in the next
// read.
func readBegun(raw syscall.RawConn, b []byte) []byte {
	n := 0
	_ = raw.Read(func(fd uintptr) bool {
		n, _, _ = readFD(fd, b)
		return true
	})
	return b[:n]
}

// maxEmptyReads is how often a connection may say that it has read nothing, which
// an io.Reader may do.
const maxEmptyReads = 100

// read reads once. With nothing unfinished it holds no slab while it waits.
func (r *reader) read() (int, error) {
	if r.tryFn == nil {
		if r.slab != nil && r.start == r.fill {
			r.dropSlab()
		}
		for range maxEmptyReads {
			if n, err := r.ss.conn.Read(r.space()); n > 0 || err != nil {
				return n, err
			}
		}
		return 0, io.ErrNoProgress
	}
	if err := r.ss.raw.Read(r.tryFn); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// tryRead reads what is there, for RawConn.Read. It must have found nothing
// before it says so: the runtime only tells of changes.
func (r *reader) tryRead(fd uintptr) bool {
	var again bool
	r.n, again, r.err = readFD(fd, r.space())
	if again && r.start == r.fill && !r.spin {
		r.dropSlab()
	}
	return !again || r.poll
}
