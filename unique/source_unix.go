//go:build unix

package unique

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A polledSource reads a file in blocking mode, which is what the standard
// streams of a process mostly are: it waits until there is something to read, or
// until it is stopped, and only then reads. Another process that reads the same
// file in between can make it wait all the same.
type polledSource struct {
	f           *os.File
	wake, waker *os.File // a pipe; waker is closed by stop

	mu      sync.Mutex // one Read at a time
	state   sync.Mutex // guards the fields below
	reading bool
	stopped bool
}

// newPolledSource returns nil if f cannot be polled.
func newPolledSource(f *os.File) source {
	wake, waker, err := os.Pipe()
	if err != nil {
		return nil
	}
	return &polledSource{f: f, wake: wake, waker: waker}
}

func (s *polledSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin() {
		return 0, errDone
	}
	defer s.end()
	ready, err := s.poll()
	if err != nil {
		return 0, err
	}
	if !ready {
		return 0, errDone
	}
	return s.f.Read(p)
}

func (s *polledSource) begin() bool {
	s.state.Lock()
	defer s.state.Unlock()
	s.reading = !s.stopped
	return s.reading
}

func (s *polledSource) end() {
	s.state.Lock()
	defer s.state.Unlock()
	s.reading = false
	if s.stopped {
		s.wake.Close()
	}
}

func (s *polledSource) stop() {
	s.state.Lock()
	defer s.state.Unlock()
	if s.stopped {
		return
	}
	s.stopped = true
	s.waker.Close() // the other end becomes readable
	if !s.reading {
		s.wake.Close()
	}
}

// poll waits; it reports false if the source was stopped.
func (s *polledSource) poll() (ready bool, err error) {
	conn, err := s.f.SyscallConn()
	if err != nil {
		return false, err
	}
	wake, err := s.wake.SyscallConn()
	if err != nil {
		return false, err
	}
	var perr error
	err = conn.Control(func(fd uintptr) {
		err := wake.Control(func(wfd uintptr) { ready, perr = pollTwo(int32(fd), int32(wfd)) })
		perr = errors.Join(perr, err)
	})
	return ready, errors.Join(perr, err)
}

func pollTwo(fd, wake int32) (ready bool, err error) {
	for {
		fds := []unix.PollFd{{Fd: fd, Events: unix.POLLIN}, {Fd: wake, Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, os.NewSyscallError("poll", err)
		case fds[1].Revents != 0:
			return false, nil
		default:
			// Readable, at its end, broken, or of a kind that cannot be polled
			// (POLLNVAL, terminals on some systems): the read tells.
			return true, nil
		}
	}
}
