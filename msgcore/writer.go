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

	tryFn func(fd uintptr) bool // of writeSome, made once
	poll  bool                  // its parameter
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
		n, err := ss.writeSome(true)
		w.wrote += n
		if err != nil && !ss.interrupted(err) {
			ss.writeFailed(err)
			ss.writers.Done()
			return
		}
		if len(w.bufs) > 0 {
			go ss.finishWrite()
			return
		}
		ss.batchDone()
	}
	ss.writers.Done()
}

// progressive reports whether what is left of the batch can be written piece by
// piece.
func (ss *session) progressive() bool {
	return ss.raw != nil && (manyParts > 1 || len(ss.w.bufs) == 1)
}

// writeSome writes what the connection takes of the batch at once, waiting, but
// for a poll, until that is something.
func (ss *session) writeSome(poll bool) (int64, error) {
	w := &ss.w
	if w.tryFn == nil {
		w.tryFn = func(fd uintptr) bool {
			w.n, w.err = writeFD(fd, w.bufs[:min(len(w.bufs), manyParts)])
			return w.n > 0 || w.err != nil || w.poll
		}
	}
	w.poll, w.n, w.err = poll, 0, nil
	if err := ss.raw.Write(w.tryFn); err != nil {
		return 0, err
	}
	for n := w.n; n > 0; {
		k := min(n, len(w.bufs[0]))
		n -= k
		if w.bufs[0] = w.bufs[0][k:]; len(w.bufs[0]) == 0 {
			w.bufs[0] = nil
			w.bufs = w.bufs[1:]
		}
	}
	return int64(w.n), w.err
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
	s.sendMu.Lock()
	next, own := w.credit(ss.p)
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
		if ss.receipts != nil {
			ss.receipts.commands(len(w.busy))
		}
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
		switch {
		case err == nil && len(w.bufs) == 0:
			ss.batchDone()
			return true
		case err == nil:
			ss.creditWritten()
		case !ss.interrupted(err):
			ss.writeFailed(err)
			return false
		}
	}
}

const lingerStep = 50 * time.Millisecond

// interrupted reports whether err only means that Close looks whether bytes
// move, which a write without a deadline would not show.
func (ss *session) interrupted(err error) bool {
	return !ss.slow && errors.Is(err, os.ErrDeadlineExceeded) && ss.s.isClosing.Load() &&
		ss.conn.SetWriteDeadline(time.Now().Add(lingerStep)) == nil
}

// A partsWriter is a connection that makes something else of whole frames. It
// writes a part of them or all, removes these, and returns how many bytes they
// were.
type partsWriter interface {
	writeParts(parts *net.Buffers) (int64, error)
}

// writeBufs writes what is left of the batch; of a connection whose progress
// can be seen, as much as it takes at once.
func (ss *session) writeBufs() (int64, error) {
	w := &ss.w
	if c, ok := ss.conn.(partsWriter); ok {
		return c.writeParts(&w.bufs)
	}
	if ss.progressive() {
		return ss.writeSome(false)
	}
	if len(w.bufs) == 1 {
		n, err := ss.conn.Write(w.bufs[0])
		if w.bufs[0] = w.bufs[0][n:]; len(w.bufs[0]) == 0 {
			w.bufs = nil
		}
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
		if ss.receipts != nil {
			ss.receipts.written(b, b.size)
		}
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
	ss.cutWritten()
	ss.s.sendMu.Lock()
	ss.p.out.live = false
	ss.s.sendMu.Unlock()
	ss.end(err)
}

// cutWritten takes the messages off the batch whose last byte was written.
func (ss *session) cutWritten() {
	w := &ss.w
	left := w.wrote - int64(len(w.busy))
	for i := 0; i < w.batch && left > 0; i++ {
		b := &w.taken[i]
		if ss.receipts != nil {
			ss.receipts.written(b, left)
		}
		msgs, size := b.cut(left)
		w.msgs += msgs
		w.bytes += size
		w.wrote -= size
		left -= size
		if b.msgs > 0 {
			return
		}
		b.free()
	}
}

// creditWritten gives credit for what was written of a batch, because the rest
// may take its time.
func (ss *session) creditWritten() {
	w := &ss.w
	ss.cutWritten()
	if w.msgs == 0 {
		return
	}
	ss.s.sendMu.Lock()
	next, own := w.credit(ss.p)
	ss.s.sendMu.Unlock()
	next.signal()
	own.signal()
}

// credit gives credit for what was written to p, and returns whom to wake;
// under sendMu.
func (w *writer) credit(p *peer) (next, own *waiter) {
	if w.msgs > 0 && p.out.credit(w.msgs, w.bytes) {
		next, own = p.roomed()
	}
	w.msgs, w.bytes = 0, 0
	return next, own
}

// giveBackTo returns to p's pipe what was taken and not written: whole messages
// only, for one that was cut restarts at its first frame. It returns whom to
// wake. Nobody plays the writer's part any more; under sendMu.
func (w *writer) giveBackTo(p *peer) (next, own *waiter) {
	next, own = w.credit(p)
	var rest []block
	for i := range w.taken {
		if w.taken[i].msgs > 0 {
			rest = append(rest, w.taken[i])
		} else {
			w.taken[i].free()
		}
	}
	w.taken = nil
	p.out.untake(rest)
	return next, own
}
