package msgcore

import (
	"errors"
	"net"
	"os"
	"time"
)

// A writer is what a session needs to write. But for control, it belongs to
// whoever plays the writer's part: the one who found p.out.idle set under
// sendMu and cleared it (see peer.claim), until it finds nothing to write and
// sets it again. So a writer exists while there is something to write, and the
// caller of Send can play the part itself.
type writer struct {
	control []byte // commands that wait, guarded by sendMu

	busy  []byte  // commands that are being written
	taken []block // messages, the first of which are being written
	batch int     // so many
	bufs  net.Buffers
	parts [][]byte // bufs[:0] of the whole array
	wrote int64    // of the batch, commands first
	msgs  int      // written, and to be credited
	bytes int64

	tryFn func(fd uintptr) bool // of tryWrite, made once
	n     int                   // its results
	err   error

	used bool // a message was written; guarded by sendMu
}

// Bounds of what goes out in one system call: beyond them nothing gets faster,
// and credit comes late.
const (
	maxBatchBytes = 256 << 10
	maxBatchParts = 256
)

// write plays the writer's part to its end.
func (ss *session) write() {
	defer ss.writers.Done()
	for ss.nextBatch() {
		if !ss.writeBatch() {
			return
		}
	}
}

// writeInline is write by the caller of Send. It does not wait: what the
// connection does not take at once is left to a goroutine.
func (ss *session) writeInline() {
	w := &ss.w
	for ss.nextBatch() {
		if ss.raw == nil || len(w.bufs) != 1 {
			go ss.finishWrite()
			return
		}
		n, err := ss.tryWrite()
		w.wrote += int64(n)
		if err != nil {
			ss.writeFailed(err)
			ss.writers.Done()
			return
		}
		if n < len(w.bufs[0]) {
			w.bufs[0] = w.bufs[0][n:]
			go ss.finishWrite()
			return
		}
		ss.batchDone()
	}
	ss.writers.Done()
}

// tryWrite writes what the connection takes of the batch's first part at once.
func (ss *session) tryWrite() (int, error) {
	w := &ss.w
	if w.tryFn == nil {
		w.tryFn = func(fd uintptr) bool {
			w.n, w.err = writeFD(fd, w.bufs[0])
			return true
		}
	}
	if err := ss.raw.Write(w.tryFn); err != nil {
		return 0, err
	}
	return w.n, w.err
}

// finishWrite goes on with a batch that was begun.
func (ss *session) finishWrite() {
	if ss.writeBatch() {
		ss.write()
		return
	}
	ss.writers.Done()
}

// nextBatch credits what was written and prepares what to write next. Without
// anything to write it gives the writer's part up and returns false.
func (ss *session) nextBatch() bool {
	s, w, out := ss.s, &ss.w, ss.p.out
	var next, own *waiter
	s.sendMu.Lock()
	if w.msgs > 0 {
		if out.credit(w.msgs, w.bytes) {
			if ss.p.attached {
				s.pat.room(ss.p)
			}
			next, own = s.sendWait.pop(), ss.p.wait.pop()
		}
		w.msgs, w.bytes = 0, 0
	}
	if len(w.taken) == 0 {
		w.taken = out.take(w.taken)
		w.used = w.used || len(w.taken) > 0
	}
	w.busy, w.control = w.control, w.busy[:0]
	more := len(w.taken) > 0 || len(w.busy) > 0
	out.idle = !more
	drained := !more && s.closed
	if drained {
		s.changed.wakeAll()
	}
	s.sendMu.Unlock()
	next.signal()
	own.signal()
	if more {
		w.gather()
	}
	return more
}

// gather makes a batch of what is taken.
func (w *writer) gather() {
	parts := w.parts[:0]
	size := int64(len(w.busy))
	if size > 0 {
		parts = append(parts, w.busy)
	}
	w.batch, w.wrote = 0, 0
	for w.batch < len(w.taken) && size < maxBatchBytes && len(parts) < maxBatchParts {
		b := &w.taken[w.batch]
		parts = b.appendParts(parts)
		size += b.size
		w.batch++
	}
	w.parts = parts
	w.bufs = parts
}

// writeBatch writes the batch, or what is left of it, and reports whether the
// session goes on.
func (ss *session) writeBatch() bool {
	w := &ss.w
	for {
		n, err := ss.writeBufs()
		w.wrote += n
		if n > 0 && ss.s.isClosing.Load() {
			ss.s.progress.Add(1)
		}
		if err == nil {
			ss.batchDone()
			return true
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && ss.s.isClosing.Load() {
			// Close looks whether bytes move, which a write without a deadline
			// would not show.
			if ss.conn.SetWriteDeadline(time.Now().Add(lingerStep)) == nil {
				continue
			}
		}
		ss.writeFailed(err)
		return false
	}
}

const lingerStep = 50 * time.Millisecond

func (ss *session) writeBufs() (int64, error) {
	w := &ss.w
	if c, ok := ss.conn.(*sealedConn); ok {
		return c.writeParts(&w.bufs)
	}
	if len(w.bufs) == 1 {
		n, err := ss.conn.Write(w.bufs[0])
		w.bufs[0] = w.bufs[0][n:]
		return int64(n), err
	}
	return w.bufs.WriteTo(ss.conn)
}

// batchDone frees the batch, which was written as a whole.
func (ss *session) batchDone() {
	w := &ss.w
	for i := range w.batch {
		b := &w.taken[i]
		w.msgs += b.msgs
		w.bytes += b.size
		b.free()
	}
	clear(w.parts)
	w.advance()
}

// advance takes the batch off.
func (w *writer) advance() {
	n := copy(w.taken, w.taken[w.batch:])
	clear(w.taken[n:])
	w.taken = w.taken[:n]
	w.batch = 0
	if cap(w.busy) > 4<<10 {
		w.busy = nil
	}
	if cap(w.parts) > maxBatchParts {
		w.parts = nil
	}
	w.bufs = nil
}

// writeFailed ends the session because of err. Messages whose last byte was
// written are done with; giveBackTo returns the others.
func (ss *session) writeFailed(err error) {
	w := &ss.w
	left := w.wrote - int64(len(w.busy))
	for i := 0; i < w.batch && left > 0; i++ {
		b := &w.taken[i]
		before := b.size
		msgs, size := b.cut(left)
		w.msgs += msgs
		w.bytes += size
		if left < before {
			break
		}
		left -= before
	}
	ss.s.sendMu.Lock()
	ss.p.out.live = false
	ss.s.sendMu.Unlock()
	ss.end(err)
}

// giveBackTo returns to the pipe what was taken and not written: whole messages
// only, for one that was cut restarts at its first frame. Nobody plays the
// writer's part any more; under sendMu.
func (w *writer) giveBackTo(out *pipe) {
	out.credit(w.msgs, w.bytes)
	w.msgs, w.bytes = 0, 0
	var rest []block
	for i := range w.taken {
		if w.taken[i].msgs > 0 {
			rest = append(rest, w.taken[i])
		} else {
			w.taken[i].free()
		}
	}
	w.taken = nil
	out.untake(rest)
}
