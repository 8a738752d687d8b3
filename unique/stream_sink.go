package unique

import (
	"context"
	"io"
	"sync"
)

// A sink writes what arrives on a stream to a writer of the caller, on a
// goroutine of its own, so that a writer that blocks holds up nothing else. It
// begins with the first that arrives: most launches have no output.
type sink struct {
	w      io.Writer
	credit func(n int64)                   // tells the other side what was written
	closed func(end uint64, reason string) // tells it that no more can be written
	done   chan struct{}                   // closed when run has returned, or will not begin

	mu      sync.Mutex
	cond    sync.Cond
	data    [][]byte
	allowed int64 // granted and not arrived
	begun   bool  // run is called, or never will be
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
		if !s.begun {
			s.begun = true
			go s.run()
		}
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
	if !s.begun {
		s.begun = true
		close(s.done)
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
