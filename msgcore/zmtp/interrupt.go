package zmtp

import (
	"context"
	"io"
	"sync"
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

// An interruption ends reads and writes of a connection when a context ends.
type interruption struct {
	conn  deadliner // nil: it cannot be interrupted
	stop  func() bool
	under sync.WaitGroup // interrupt
}

// begin has rw interrupted when ctx ends, until release is called. A context may
// have a method that saves it what context.AfterFunc allocates.
func (i *interruption) begin(ctx context.Context, rw io.ReadWriter) {
	if _, bounded := ctx.Deadline(); !bounded && ctx.Done() == nil {
		return // a look at what rw and ctx can do takes a moment, the first time
	}
	var ok bool
	if i.conn, ok = rw.(deadliner); !ok {
		return
	}
	i.under.Add(1)
	if a, ok := ctx.(interface {
		AfterFunc(func()) (stop func() bool)
	}); ok {
		i.stop = a.AfterFunc(i.interrupt)
	} else {
		i.stop = context.AfterFunc(ctx, i.interrupt)
	}
}

func (i *interruption) interrupt() {
	defer i.under.Done()
	_ = i.conn.SetDeadline(longAgo())
}

// release undoes begin.
func (i *interruption) release() {
	if i.conn == nil || i.stop() {
		return
	}
	i.under.Wait() // or it could set the deadline after it is cleared
	_ = i.conn.SetDeadline(time.Time{})
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
