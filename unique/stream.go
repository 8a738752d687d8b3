package unique

import (
	"errors"
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
