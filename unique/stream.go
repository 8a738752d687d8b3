package unique

import (
	"context"
	"errors"
	"io"
	"sync"
)

const (
	// window is how many bytes of a stream may be under way, unread by the
	// other side.
	window = 256 << 10
	// maxWindow bounds what a peer may ask us to send ahead.
	maxWindow = 16 << 20
	// chunk is the most that one message of a stream carries: small enough
	// that streams take turns, large enough that heads do not count.
	chunk = 64 << 10
	// progressStream is the number by which CREDIT speaks of PROGRESS, which
	// is counted in messages.
	progressStream = 3
)

var errWindow = &wireError{"more was sent on a stream than was granted"}

// errDone is what streams say once the handler has returned.
var errDone = errors.New("unique: the invocation is over: its streams must not be used any more")

// An inlet is the reading end of a stream, the Stdin of a handler. It grants
// nothing before it is first read from, so that whoever starts the program
// keeps the input that nobody asks for.
type inlet struct {
	grant func(n int64) error // tells the other side

	mu      sync.Mutex
	cond    sync.Cond // with mu: data, end or err have changed
	data    [][]byte  // arrived and not read
	allowed int64     // granted and not arrived
	freed   int64     // read since the last grant
	asked   bool      // the first grant was made
	end     error     // io.EOF or what ended the stream, behind data
	err     error     // the invocation is over: data do not count any more
}

func newInlet(grant func(int64) error) *inlet {
	s := &inlet{grant: grant}
	s.cond.L = &s.mu
	return s
}

// Read implements io.Reader.
func (s *inlet) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.mu.Lock()
	for {
		switch {
		case s.err != nil:
			s.mu.Unlock()
			return 0, s.err
		case len(s.data) > 0:
			n := copy(p, s.data[0])
			if s.data[0] = s.data[0][n:]; len(s.data[0]) == 0 {
				s.data = s.data[1:]
			}
			grant := s.free(int64(n))
			s.mu.Unlock()
			if grant > 0 {
				_ = s.grant(grant) // whatever is wrong, the next Read meets it
			}
			return n, nil
		case s.end != nil:
			s.mu.Unlock()
			return 0, s.end
		case !s.asked:
			s.asked = true
			s.allowed += window
			s.mu.Unlock()
			if err := s.grant(window); err != nil {
				return 0, err
			}
			s.mu.Lock()
		default:
			s.cond.Wait()
		}
	}
}

// free counts n bytes as read and returns what to grant for them: half a window
// at a time. The caller holds mu.
func (s *inlet) free(n int64) int64 {
	s.freed += n
	if s.freed < window/2 || s.end != nil {
		return 0
	}
	n, s.freed = s.freed, 0
	s.allowed += n
	return n
}

// push adds what has arrived; p is the inlet's from then on.
func (s *inlet) push(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(len(p)) > s.allowed {
		return errWindow
	}
	s.allowed -= int64(len(p))
	if len(p) > 0 && s.end == nil && s.err == nil {
		s.data = append(s.data, p)
		s.cond.Broadcast()
	}
	return nil
}

// finish ends the stream behind what has arrived.
func (s *inlet) finish(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = end
		s.cond.Broadcast()
	}
}

// fail ends the stream at once.
func (s *inlet) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err, s.data = err, nil
		s.cond.Broadcast()
	}
}

// A credit is what may still be sent on a stream.
type credit struct {
	mu   sync.Mutex
	cond sync.Cond // with mu: n or err have changed
	n    int64     // may be sent
	err  error     // nothing may be sent any more
	late error     // nothing may be waited for any more
}

func newCredit(n int64) *credit {
	c := &credit{n: n}
	c.cond.L = &c.mu
	return c
}

// take waits for credit and takes up to most of it.
func (c *credit) take(most int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n <= 0 && c.err == nil && c.late == nil {
		c.cond.Wait()
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case c.n <= 0:
		return 0, c.late
	}
	n := min(int64(most), c.n)
	c.n -= n
	return int(n), nil
}

// wait waits until there is credit and takes none.
func (c *credit) wait() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n <= 0 && c.err == nil {
		c.cond.Wait()
	}
	return c.err
}

// give puts back what was taken and not used.
func (c *credit) give(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *credit) add(n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = min(c.n+int64(min(n, maxWindow)), maxWindow)
	c.cond.Broadcast()
}

// fail makes take return err from now on; the first error counts.
func (c *credit) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.cond.Broadcast()
	}
}

// hurry makes take return err from now on when it would have to wait.
func (c *credit) hurry(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = err
	c.cond.Broadcast()
}

func (c *credit) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// An outlet is the writing end of a stream, the Stdout or Stderr of a handler.
type outlet struct {
	credit *credit
	send   func(p []byte) error // does not keep p

	mu sync.Mutex // one Write at a time, so that they do not mix
}

// Write implements io.Writer.
func (o *outlet) Write(p []byte) (written int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) == 0 {
		return 0, o.credit.failed()
	}
	for len(p) > 0 {
		n, err := o.credit.take(min(len(p), chunk))
		if err != nil {
			return written, err
		}
		if err := o.send(p[:n]); err != nil {
			o.credit.fail(err)
			return written, err
		}
		p, written = p[n:], written+n
	}
	return written, nil
}

// A sink writes what arrives on a stream to a writer of the caller, on a
// goroutine of its own, so that a writer that blocks holds up nothing else.
type sink struct {
	w      io.Writer
	credit func(n int64)                   // tells the other side what was written
	closed func(end uint64, reason string) // tells it that no more can be written
	done   chan struct{}                   // closed when run has returned

	mu      sync.Mutex
	cond    sync.Cond
	data    [][]byte
	allowed int64 // granted and not arrived
	ended   bool  // nothing comes any more
	dropped bool  // what is left does not count
}

func newSink(w io.Writer, credit func(int64), closed func(uint64, string)) *sink {
	s := &sink{w: w, credit: credit, closed: closed, done: make(chan struct{}), allowed: window}
	s.cond.L = &s.mu
	return s
}

// push adds what has arrived and never waits.
func (s *sink) push(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(len(p)) > s.allowed {
		return errWindow
	}
	s.allowed -= int64(len(p))
	if len(p) > 0 && !s.dropped {
		s.data = append(s.data, p)
		s.cond.Signal()
	}
	return nil
}

// end lets run write what has arrived and return.
func (s *sink) end() { s.stop(false) }

// drop lets run return without that.
func (s *sink) drop() { s.stop(true) }

func (s *sink) stop(drop bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if drop {
		s.dropped, s.data = true, nil
	}
	s.cond.Signal()
}

// next waits for data and returns all of it, or nil at the end.
func (s *sink) next() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) == 0 && !s.ended {
		s.cond.Wait()
	}
	data := s.data
	s.data = nil
	return data
}

// grant counts n bytes as written.
func (s *sink) grant(n int64) {
	s.mu.Lock()
	s.allowed += n
	ended := s.ended
	s.mu.Unlock()
	if !ended {
		s.credit(n)
	}
}

func (s *sink) isDropped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// run writes until the end, or until w fails.
func (s *sink) run() {
	defer close(s.done)
	var freed int64
	for {
		data := s.next()
		if data == nil {
			return
		}
		for _, p := range data {
			if s.isDropped() {
				return
			}
			if _, err := s.w.Write(p); err != nil {
				s.drop()
				if isBrokenPipe(err) {
					s.closed(endNormal, "")
				} else {
					s.closed(endError, reasonOf(err))
				}
				return
			}
			if freed += int64(len(p)); freed >= window/4 {
				s.grant(freed)
				freed = 0
			}
		}
	}
}

// isDone reports whether run has returned.
func (s *sink) isDone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// wait waits until everything is written, or ctx ends.
func (s *sink) wait(ctx context.Context) {
	select {
	case <-s.done:
	case <-ctx.Done():
	}
}
