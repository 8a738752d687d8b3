package zmtp

import (
	"context"
	"io"
	"time"
)

// goodbye is how long a refused peer has to take the ERROR. A socket's buffer takes
// it at once; only a pipe without one, or a peer that reads nothing, needs it.
const goodbye = time.Second

// longAgo is a deadline that ends what is under way.
var longAgo = time.Unix(1, 0)

type deadliner interface{ SetDeadline(time.Time) error }

// interruptAtEnd ends reads and writes of rw when ctx ends, until release is
// called, which undoes it.
func interruptAtEnd(ctx context.Context, rw io.ReadWriter) (release func()) {
	d, ok := rw.(deadliner)
	if !ok {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		d.SetDeadline(longAgo)
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired // or it could set the deadline after we cleared it
			d.SetDeadline(time.Time{})
		}
	}
}

// write sends b from a goroutine of its own, one write at a time: both sides of a
// ZMTP handshake write before they read, and a pipe without a buffer would hold
// them both for ever. Nobody may be writing.
func (h *handshaker) write(b []byte) {
	done := make(chan error, 1)
	h.writing = done
	go func() {
		_, err := h.rw.Write(b)
		done <- err
	}()
}

// written waits for the write under way.
func (h *handshaker) written() error {
	if h.writing == nil {
		return nil
	}
	err := <-h.writing
	h.writing = nil
	return err
}

// cutOff ends the write under way after a failure: an ERROR has a moment to get
// out, all else has no more use. A connection without deadlines cannot be
// interrupted; its write ends when its owner closes it.
func (h *handshaker) cutOff() {
	if h.writing == nil {
		return
	}
	var grace time.Duration
	if h.refused {
		grace = goodbye
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-h.writing:
		return
	case <-t.C:
	}
	if d, ok := h.rw.(deadliner); ok {
		d.SetDeadline(longAgo)
		<-h.writing
		d.SetDeadline(time.Time{})
	}
}
