package simnet

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// segment is how many bytes at most arrive together where bandwidth is bounded.
const segment = 4 << 10

// A stream is one direction of a connection. All of it is guarded by Network.mu.
type stream struct {
	way, back *way      // of the link: of the bytes, and of news for who writes
	changed   sync.Cond // with Network.mu
	chunks    []chunk   // written and not read
	held      int       // bytes of these
	last      time.Time // when the last one is due
	writing   bool      // somebody writes; others wait, so that writes do not mix
	broken    bool      // by Link.Reset
	sent      int64     // bytes written, since the beginning
	taken     int64     // of them, that were read
	reader    side
	writer    side
}

// A chunk is bytes that arrive together.
type chunk struct {
	b   []byte
	due time.Time // zero: they have arrived
}

// A side is the one or the other user of a stream.
type side struct {
	done    bool      // it will not read, or write, any more
	news    time.Time // when the other side hears of that
	closed  bool      // by Close: to use it is an error
	expired bool      // the deadline has passed
	timer   *time.Timer
}

func newStream(n *Network, way, back *way) *stream {
	s := &stream{way: way, back: back}
	s.changed.L = &n.mu
	return s
}

// wait waits for a change, at most until t if that is not zero.
func (s *stream) wait(t time.Time) {
	alarm := timer(t, func() {
		s.changed.L.Lock()
		defer s.changed.L.Unlock()
		s.changed.Broadcast()
	})
	if alarm != nil {
		defer alarm.Stop()
	}
	s.changed.Wait()
}

// read waits for at least one byte, the end, or the reader's deadline.
func (s *stream) read(p []byte) (int, error) {
	for {
		switch {
		case s.reader.closed:
			return 0, net.ErrClosed
		case s.broken:
			return 0, errReset
		case s.reader.expired:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		}
		if n := s.take(p); n > 0 {
			s.changed.Broadcast()
			return n, nil
		}
		var next time.Time
		switch {
		case len(s.chunks) > 0:
			next = s.way.next(s.chunks[0].due)
		case s.writer.done && s.way.arrived(s.writer.news):
			return 0, io.EOF
		case s.writer.done:
			next = s.way.next(s.writer.news)
		}
		s.wait(next)
	}
}

// take moves bytes that have arrived to p.
func (s *stream) take(p []byte) (n int) {
	for n < len(p) && len(s.chunks) > 0 && s.way.arrived(s.chunks[0].due) {
		c := &s.chunks[0]
		k := copy(p[n:], c.b)
		n += k
		if c.b = c.b[k:]; len(c.b) == 0 {
			s.chunks[0] = chunk{}
			s.chunks = s.chunks[1:]
		}
	}
	s.held -= n
	s.taken += int64(n)
	return n
}

// write puts all of p on the way, waiting for room; n tells how much went before
// an error.
func (s *stream) write(p []byte) (n int, err error) {
	mine := false
	defer func() {
		if mine {
			s.writing = false
			s.changed.Broadcast()
		}
	}()
	for {
		var next time.Time
		switch {
		case s.writer.closed:
			return n, net.ErrClosed
		case s.broken:
			return n, errReset
		case s.writer.done:
			return n, errPipe
		case s.writer.expired:
			return n, os.ErrDeadlineExceeded
		case s.reader.done && s.back.arrived(s.reader.news):
			return n, errPipe
		case s.reader.done:
			next = s.back.next(s.reader.news)
		}
		if !s.writing || mine {
			mine, s.writing = true, true
			if n == len(p) {
				return n, nil
			}
			if k := s.put(p[n:]); k > 0 {
				n += k
				continue
			}
		}
		s.wait(next)
	}
}

// put sends as much of p as there is room for, and returns how much.
func (s *stream) put(p []byte) int {
	n := min(len(p), s.way.buffer-s.held)
	if n <= 0 {
		return 0
	}
	if s.way.bandwidth > 0 {
		n = min(n, segment)
	}
	s.last = s.due(n)
	s.sent += int64(n)
	if !s.reader.done { // else nobody will read it
		s.chunks = append(s.chunks, chunk{append([]byte(nil), p[:n]...), s.last})
		s.held += n
		s.changed.Broadcast()
	}
	return n
}

// due returns when n bytes that are sent now arrive.
func (s *stream) due(n int) time.Time {
	w, at := s.way, time.Now()
	if w.bandwidth > 0 {
		if w.free.After(at) {
			at = w.free
		}
		at = at.Add(time.Duration(float64(n) / float64(w.bandwidth) * float64(time.Second)))
		w.free = at
	}
	if at = at.Add(w.delay); at.Before(s.last) {
		return s.last
	}
	return at
}

// closeRead ends reading and throws away what was not read.
func (s *stream) closeRead() error {
	if s.reader.closed {
		return net.ErrClosed
	}
	s.chunks, s.held = nil, 0
	s.reader.news = time.Now().Add(s.back.delay)
	s.finish(&s.reader, true)
	return nil
}

// closeWrite ends writing: the reader gets what is left, then io.EOF. forGood
// says that it is done by Close, after which other calls are errors.
func (s *stream) closeWrite(forGood bool) error {
	if s.writer.closed {
		return net.ErrClosed
	}
	if !s.writer.done {
		s.writer.news = s.due(0)
	}
	s.finish(&s.writer, forGood)
	return nil
}

func (s *stream) finish(one *side, forGood bool) {
	one.done, one.closed = true, forGood
	if one.timer != nil {
		one.timer.Stop()
		one.timer = nil
	}
	s.changed.Broadcast()
}

// live reports whether s still carries something new.
func (s *stream) live() bool { return !s.broken && !s.writer.done && !s.reader.done }

// delivery is how much was written and read, and whether nothing more will be read.
func (s *stream) delivery() (sent, taken int64, final bool) {
	return s.sent, s.taken, s.broken || s.reader.done || s.writer.done && s.taken == s.sent
}

// settle notes what has arrived.
func (s *stream) settle() {
	for i := range s.chunks {
		s.way.settle(&s.chunks[i].due)
	}
	if s.writer.done {
		s.way.settle(&s.writer.news)
	}
	if s.reader.done {
		s.back.settle(&s.reader.news)
	}
}

// reset is Link.Reset.
func (s *stream) reset() {
	s.broken, s.chunks, s.held = true, nil, 0
	s.changed.Broadcast()
}

// end is Link.End.
func (s *stream) end() {
	if !s.writer.done {
		_ = s.closeWrite(false)
	}
}

// setDeadline sets the deadline of one side; the zero time means none.
func (s *stream) setDeadline(one *side, t time.Time) error {
	if one.closed {
		return net.ErrClosed
	}
	if one.timer != nil {
		one.timer.Stop()
		one.timer = nil
	}
	one.expired = false
	if t.IsZero() {
		return nil
	}
	if time.Until(t) <= 0 {
		one.expired = true
		s.changed.Broadcast()
		return nil
	}
	var own *time.Timer
	own = timer(t, func() {
		s.changed.L.Lock()
		defer s.changed.L.Unlock()
		if one.timer == own { // else another deadline was set meanwhile
			one.timer, one.expired = nil, true
			s.changed.Broadcast()
		}
	})
	one.timer = own
	return nil
}
