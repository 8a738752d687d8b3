package unique

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/transport"
)

// A briefConn is the connection of a second launch to a primary of another process.
// The process that has it lives for milliseconds, so it waits in the system call: the
// runtime's poller, its descriptors, its timers and the thread that waits for them
// cost more than the whole conversation.
//
// It is a net.Conn of which Read notices a new deadline after readSlice at the latest,
// cut and Close at once.
type briefConn struct {
	fd int

	mu          sync.Mutex // guards what follows
	busy        int        // calls that use fd
	isCut       bool
	closed      bool
	read, write briefSide
}

// A briefSide is what a Read or a Write waits by.
type briefSide struct {
	deadline time.Time // zero: none
	bell     int       // an eventfd, rung when whoever waits is to look again; -1 until one has to wait for long
}

// readSlice is how long a read call of the system waits by itself. It is less than
// fresh, so that waiting for the answer to a request begins with such a call.
const readSlice = 40 * time.Millisecond

// briefs counts the brief connections of this process. Each that waits has a thread, so
// that there are only few: a process with more is no launch.
var briefs atomic.Int32

const mostBriefs = 4

// dialBrief connects to the socket at path. It returns nil and no error if that does
// not succeed at once: then the transport is to try, to wait, and to say why.
func dialBrief(path string, admit func(transport.Cred) error) (net.Conn, error) {
	if !strings.HasPrefix(path, "/") || len(path) > maxSocketPath || strings.IndexByte(path, 0) >= 0 {
		return nil, nil
	}
	if briefs.Add(1) > mostBriefs {
		briefs.Add(-1)
		return nil, nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		briefs.Add(-1)
		return nil, nil
	}
	c := &briefConn{fd: fd, read: briefSide{bell: -1}, write: briefSide{bell: -1}}
	cred, ok := connectBrief(fd, path)
	if ok {
		err = admit(cred)
	}
	if !ok || err != nil {
		_ = c.free()
		return nil, err
	}
	runtime.SetFinalizer(c, func(c *briefConn) { _ = c.Close() }) // as any net.Conn has one
	return c, nil
}

// connectBrief connects, and reports false if that does not succeed at once.
func connectBrief(fd int, path string) (c transport.Cred, ok bool) {
	// A listener whose queue is full would make connect wait.
	least, slice := unix.Timeval{Usec: 1}, unix.NsecToTimeval(int64(readSlice))
	if unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &least) != nil ||
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &slice) != nil ||
		unix.Connect(fd, &unix.SockaddrUnix{Name: path}) != nil {
		return c, false
	}
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return c, false
	}
	c = transport.Cred{PID: int(u.Pid), UID: int(u.Uid), GID: int(u.Gid)}
	if c.PID == 0 {
		c.PID = -1 // a process that this pid name space has no number for
	}
	return c, true
}

// Read implements io.Reader.
func (c *briefConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	left, err := c.enter(&c.read)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	if left >= 0 && left <= readSlice {
		if err := c.await(&c.read, unix.POLLIN); err != nil {
			return 0, err
		}
	}
	for {
		n, err := unix.Read(c.fd, p)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			if err := c.ended(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR): // the slice is over
		default:
			if err := c.ended(); err != nil {
				return 0, err
			}
			return 0, briefError("read", err)
		}
		if err := c.await(&c.read, unix.POLLIN); err != nil {
			return 0, err
		}
	}
}

// Write implements io.Writer.
func (c *briefConn) Write(p []byte) (written int, err error) {
	left, err := c.enter(&c.write)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	if left == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	for written < len(p) {
		n, err := unix.SendmsgN(c.fd, p[written:], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case err == nil:
			written += n
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := c.await(&c.write, unix.POLLOUT); err != nil {
				return written, err
			}
		default:
			if err := c.ended(); err != nil { // which is why it is broken
				return written, err
			}
			return written, briefError("write", err)
		}
	}
	return written, nil
}

func briefError(call string, err error) error {
	return &net.OpError{Op: call, Net: "unix", Err: os.NewSyscallError(call, err)}
}

// enter begins a call that uses the descriptor. It returns the time that is left for
// it, less than 0 if that is not bounded.
func (c *briefConn) enter(s *briefSide) (left time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.over(); err != nil {
		return 0, err
	}
	c.busy++
	return s.left(), nil
}

func (c *briefConn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy--; c.busy == 0 && c.closed {
		c.free()
	}
}

// over returns why nothing can be read or written any more. The lock is held.
func (c *briefConn) over() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.isCut:
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *briefConn) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over()
}

func (s *briefSide) left() time.Duration {
	if s.deadline.IsZero() {
		return -1
	}
	return max(time.Until(s.deadline), 0)
}

// await waits until the descriptor is ready for events, or the deadline of s is past.
func (c *briefConn) await(s *briefSide, events int16) error {
	for {
		left, bell, err := c.listen(s)
		if err != nil {
			return err
		}
		var timeout *unix.Timespec
		if left >= 0 {
			t := unix.NsecToTimespec(int64(left))
			timeout = &t
		}
		fds := [2]unix.PollFd{{Fd: int32(c.fd), Events: events}, {Fd: int32(bell), Events: unix.POLLIN}}
		n, err := unix.Ppoll(fds[:], timeout, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return briefError("poll", err)
		case n == 0:
			return os.ErrDeadlineExceeded
		case fds[1].Revents != 0: // a new deadline, or the end
			var rung [8]byte
			_, _ = unix.Read(bell, rung[:])
		default:
			return c.ended() // ready, at its end, or broken: the call tells
		}
	}
}

// listen makes sure that s has a bell.
func (c *briefConn) listen(s *briefSide) (left time.Duration, bell int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.over(); err != nil {
		return 0, -1, err
	}
	if s.bell < 0 {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return 0, -1, briefError("eventfd", err)
		}
		s.bell = fd
	}
	return s.left(), s.bell, nil
}

// ring makes whoever waits on s look again. The lock is held.
func (s *briefSide) ring() {
	if s.bell >= 0 {
		one := [8]byte{1: 1} // any number but 0, and few enough times
		_, _ = unix.Write(s.bell, one[:])
	}
}

// SetDeadline implements net.Conn.
func (c *briefConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *briefConn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.read, t) }

// SetWriteDeadline implements net.Conn.
func (c *briefConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.write, t) }

func (c *briefConn) setDeadline(s *briefSide, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	s.deadline = t
	s.ring()
	return nil
}

// cut ends what is pending, and what comes.
func (c *briefConn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	c.wakeAll()
}

// Close implements io.Closer. Whoever still uses the descriptor closes it.
func (c *briefConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	runtime.SetFinalizer(c, nil)
	if c.busy > 0 {
		c.wakeAll()
		return nil
	}
	return c.free()
}

// wakeAll ends calls of the system that wait. The lock is held.
func (c *briefConn) wakeAll() {
	if c.busy > 0 {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR) // an error: the other side has closed
		c.read.ring()
		c.write.ring()
	}
}

// free gives the descriptors back. The lock is held.
func (c *briefConn) free() error {
	briefs.Add(-1)
	for _, s := range []*briefSide{&c.read, &c.write} {
		if s.bell >= 0 {
			_ = unix.Close(s.bell)
		}
	}
	return os.NewSyscallError("close", unix.Close(c.fd))
}

// LocalAddr implements net.Conn.
func (c *briefConn) LocalAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// RemoteAddr implements net.Conn. The name is in the record; nothing here asks for it.
func (c *briefConn) RemoteAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }
