package zmtp

import (
	"context"
	"io"
	"syscall"
	"time"
)

// goodbye is how long a peer has, after a failure, to take what is being written:
// an ERROR, or the greeting that tells it why. A socket's buffer takes it at once;
// only a pipe without one needs the time.
const goodbye = time.Second

// longAgo is a deadline that ends what is under way.
func longAgo() time.Time { return time.Unix(1, 0) }

type deadliner interface{ SetDeadline(time.Time) error }

// interruptAtEnd ends reads and writes of rw when ctx ends, until release is
// called, which undoes it.
func interruptAtEnd(ctx context.Context, rw io.ReadWriter) (release func()) {
	if ctx.Done() == nil { // a look at what rw can do takes a moment, the first time
		return func() {}
	}
	d, ok := rw.(deadliner)
	if !ok {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		d.SetDeadline(longAgo())
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired // or it could set the deadline after we cleared it
			d.SetDeadline(time.Time{})
		}
	}
}

// direct is how much a socket of the system takes at once, as long as the peer has
// not been sent more: the least of all buffers are some kilobytes.
const direct = 2 << 10

// write sends b from a goroutine of its own, one write at a time: both sides of a
// ZMTP handshake write before they read, and a pipe without a buffer would hold
// them both for ever. A short b needs none where the system has a buffer. Nobody
// may be writing.
func (h *handshaker) write(b []byte) {
	if _, buffered := h.rw.(syscall.Conn); buffered && len(b) <= direct {
		_, h.wrote = h.rw.Write(b)
		return
	}
	done := make(chan error, 1)
	h.writing = done
	go func() {
		_, err := h.rw.Write(b)
		done <- err
	}()
}

// send writes b, behind what is held, once what is being written has gone out.
func (h *handshaker) send(b []byte) error {
	if err := h.written(); err != nil {
		return err
	}
	if len(h.held) > 0 {
		b, h.held = append(h.held, b...), nil
	}
	h.write(b)
	return nil
}

// release writes what is held.
func (h *handshaker) release() {
	if len(h.held) > 0 {
		_ = h.send(nil) // nothing else has been written yet
	}
}

// written waits for the write under way.
func (h *handshaker) written() error {
	if h.writing != nil {
		h.wrote = <-h.writing
		h.writing = nil
	}
	return h.wrote
}

// cutOff ends the write under way, if any, after a failure. A connection without
// deadlines cannot be interrupted; its write ends when its owner closes it.
func (h *handshaker) cutOff() {
	h.release()
	if h.writing == nil {
		return
	}
	t := time.NewTimer(goodbye)
	defer t.Stop()
	select {
	case <-h.writing:
		return
	case <-t.C:
	}
	if d, ok := h.rw.(deadliner); ok {
		d.SetDeadline(longAgo())
		<-h.writing
		d.SetDeadline(time.Time{})
	}
}
