package inproc

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	firstBuffer = 4 << 10  // bytes; an idle connection has none
	maxBuffer   = 64 << 10 // bytes in one direction
)

// A buffer is one direction of a connection.
type buffer struct {
	writing sync.Mutex // held through a write, so that writes do not mix

	mu     sync.Mutex
	ring   []byte // guarded by mu, as all below
	start  int    // of the bytes in ring
	n      int    // how many these are
	reader side
	writer side
}

// A side is the one or the other user of a buffer.
type side struct {
	wake    sync.Cond   // with buffer.mu; signaled when bytes, room, done or expired change
	done    bool        // it will not read, or write, any more
	closed  bool        // by Close: to do so is an error
	expired bool        // the deadline has passed
	timer   *time.Timer // of the deadline; nil if there is none
}

func newBuffer() *buffer {
	b := &buffer{}
	b.reader.wake.L, b.writer.wake.L = &b.mu, &b.mu
	return b
}

// read waits for at least one byte, the end, or the reader's deadline.
func (b *buffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.reader.closed:
			return 0, net.ErrClosed
		case b.reader.expired:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case b.n > 0:
			n := b.take(p)
			b.writer.wake.Signal()
			if b.n > 0 {
				b.reader.wake.Signal() // another reader, if there is one
			}
			return n, nil
		case b.writer.done:
			return 0, io.EOF
		}
		b.reader.wake.Wait()
	}
}

// write puts all of p into the buffer, waiting for room; n tells how much went
// in before an error.
func (b *buffer) write(p []byte) (n int, err error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.writer.done:
			return n, net.ErrClosed
		case b.writer.expired:
			return n, os.ErrDeadlineExceeded
		case b.reader.done:
			return n, errPeerClosed
		case n == len(p):
			return n, nil
		}
		if k := b.put(p[n:]); k > 0 {
			n += k
			b.reader.wake.Signal()
			continue
		}
		b.writer.wake.Wait()
	}
}

// take moves bytes out to p. The caller holds mu.
func (b *buffer) take(p []byte) (n int) {
	for n < len(p) && b.n > 0 {
		k := copy(p[n:], b.ring[b.start:min(b.start+b.n, len(b.ring))])
		n += k
		b.n -= k
		b.start = (b.start + k) % len(b.ring)
	}
	return n
}

// put moves bytes of p in and returns how many found room. The caller holds mu.
func (b *buffer) put(p []byte) (n int) {
	b.grow(len(p))
	for n < len(p) && b.n < len(b.ring) {
		end := (b.start + b.n) % len(b.ring)
		limit := len(b.ring)
		if end < b.start {
			limit = b.start
		}
		k := copy(b.ring[end:limit], p[n:])
		n += k
		b.n += k
	}
	return n
}

// grow makes room for more bytes, as far as a buffer may grow.
func (b *buffer) grow(more int) {
	size := max(len(b.ring), firstBuffer)
	for size < maxBuffer && size < b.n+more {
		size *= 2
	}
	if size == len(b.ring) {
		return
	}
	ring := make([]byte, size)
	kept := b.take(ring)
	b.ring, b.start, b.n = ring, 0, kept
}

// closeRead ends reading and throws away what was not read.
func (b *buffer) closeRead() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reader.closed {
		return net.ErrClosed
	}
	b.ring, b.start, b.n = nil, 0, 0
	b.end(&b.reader, true)
	return nil
}

// closeWrite ends writing: the reader gets what is left, then io.EOF. forGood
// says that it is done by Close, after which other calls are errors.
func (b *buffer) closeWrite(forGood bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.writer.closed {
		return net.ErrClosed
	}
	b.end(&b.writer, forGood)
	return nil
}

// end marks s as done and wakes everybody. The caller holds mu.
func (b *buffer) end(s *side, forGood bool) {
	s.done = true
	s.closed = forGood
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	b.reader.wake.Broadcast()
	b.writer.wake.Broadcast()
}

// setDeadline sets the deadline of s, one of b's sides; the zero time means
// none.
func (b *buffer) setDeadline(s *side, t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.expired = false
	if t.IsZero() {
		return nil
	}
	left := time.Until(t)
	if left <= 0 {
		s.expired = true
		s.wake.Broadcast()
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if s.timer == timer { // else another deadline was set meanwhile
			s.timer, s.expired = nil, true
			s.wake.Broadcast()
		}
	})
	s.timer = timer
	return nil
}
