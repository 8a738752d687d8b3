package unique

import (
	"io"
	"os"
	"sync"
	"time"
)

// A source reads a stream of the caller in a way that can be broken off: input
// that nobody takes must stay where it is, for whoever reads it next.
type source interface {
	io.Reader
	// stop ends a Read that is pending and all later ones with errDone. It
	// does not wait for that, and may be called more than once.
	stop()
}

// newSource returns the best source that r allows.
func newSource(r io.Reader) source {
	if d, ok := r.(deadliner); ok && d.SetReadDeadline(time.Time{}) == nil {
		return &deadlineSource{r: r, d: d}
	}
	if f, ok := r.(*os.File); ok {
		if s := newPolledSource(f); s != nil {
			return s
		}
	}
	return &plainSource{r: r, done: make(chan struct{})}
}

type deadliner interface{ SetReadDeadline(time.Time) error }

// longAgo is a deadline that ends what is pending.
func longAgo() time.Time { return time.Unix(1, 0) }

// A deadlineSource reads what has deadlines: connections, and files that the
// runtime polls.
type deadlineSource struct {
	r io.Reader
	d deadliner

	mu      sync.Mutex // one Read at a time
	state   sync.Mutex // guards the fields below
	reading bool
	stopped bool
}

func (s *deadlineSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin() {
		return 0, errDone
	}
	n, err := s.r.Read(p)
	if s.end() && n == 0 && err != nil {
		err = errDone
	}
	return n, err
}

func (s *deadlineSource) begin() bool {
	s.state.Lock()
	defer s.state.Unlock()
	s.reading = !s.stopped
	return s.reading
}

// end reports whether the source was stopped meanwhile.
func (s *deadlineSource) end() bool {
	s.state.Lock()
	defer s.state.Unlock()
	s.reading = false
	if s.stopped {
		_ = s.d.SetReadDeadline(time.Time{}) // it is the caller's again
	}
	return s.stopped
}

func (s *deadlineSource) stop() {
	s.state.Lock()
	defer s.state.Unlock()
	s.stopped = true
	if s.reading {
		_ = s.d.SetReadDeadline(longAgo())
	}
}

// A plainSource reads what cannot be broken off. Each Read has a goroutine of its
// own, which is left alone when the source is stopped; what it reads then is
// lost.
type plainSource struct {
	r    io.Reader
	once sync.Once
	done chan struct{} // closed by stop

	mu sync.Mutex // held by Read
}

func (s *plainSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return 0, errDone
	default:
	}
	type result struct {
		n   int
		err error
	}
	// A buffer of its own: p is not ours any more once we have returned.
	buf := make([]byte, min(len(p), chunk))
	got := make(chan result, 1)
	go func() {
		n, err := s.r.Read(buf)
		got <- result{n, err}
	}()
	select {
	case r := <-got:
		return copy(p, buf[:r.n]), r.err
	case <-s.done:
		return 0, errDone
	}
}

func (s *plainSource) stop() { s.once.Do(func() { close(s.done) }) }
