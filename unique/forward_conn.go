package unique

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A patientConn looks at what has arrived before it says that the time is up. A
// process that was stopped for a minute finds every deadline past when it is
// resumed, and the answer, which came in time, in the connection.
type patientConn struct {
	net.Conn
	written atomic.Int64 // bytes that the system has taken

	// stall, unless 0, is how long the other side may take no byte of a long
	// Write: its deadline moves with what is taken.
	stall time.Duration

	mu    sync.Mutex // guards isCut, held while a deadline is set
	isCut bool
}

// grace is how long a Read or Write whose deadline is past tries all the same.
// What is there already needs none of it, but the processes may have to get the
// processor first, and a handshake has several steps.
const grace = 100 * time.Millisecond

// errCut is what a connection says that was cut. It is no time-out: trying again
// is of no use.
var errCut = errors.New("unique: the call was given up")

// SyscallConn implements syscall.Conn, which tells that short writes do not wait.
func (c *patientConn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Read implements io.Reader.
func (c *patientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	if err := c.SetReadDeadline(time.Now().Add(grace)); err != nil {
		return 0, err
	}
	n, err = c.Conn.Read(p)
	if e := c.SetReadDeadline(longAgo()); n == 0 && e != nil {
		err = e
	}
	return n, err
}

// writeStep is how much of a Write is given to the system at once.
const writeStep = 64 << 10

// Write implements io.Writer.
func (c *patientConn) Write(p []byte) (n int, err error) {
	for {
		k, err := c.write(p[n:min(n+writeStep, len(p))])
		n += k
		moves := k > 0 && c.stall > 0
		switch {
		case n == len(p), err != nil && !(moves && errors.Is(err, os.ErrDeadlineExceeded)):
			return n, err
		case moves:
			_ = c.SetWriteDeadline(time.Now().Add(c.stall)) // an error shows in the next write
		}
	}
}

func (c *patientConn) write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		if err := c.SetWriteDeadline(time.Now().Add(grace)); err != nil {
			return 0, err
		}
		n, err = c.Conn.Write(p)
		_ = c.SetWriteDeadline(longAgo()) // an error shows in the next Write
	}
	c.written.Add(int64(n))
	return n, err
}

// SetReadDeadline implements net.Conn. Like the other two it fails once the
// connection is cut, whose own deadline is to stay.
func (c *patientConn) SetReadDeadline(t time.Time) error {
	return c.set(c.Conn.SetReadDeadline, t)
}

// SetWriteDeadline implements net.Conn.
func (c *patientConn) SetWriteDeadline(t time.Time) error {
	return c.set(c.Conn.SetWriteDeadline, t)
}

// SetDeadline implements net.Conn.
func (c *patientConn) SetDeadline(t time.Time) error { return c.set(c.Conn.SetDeadline, t) }

func (c *patientConn) set(to func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isCut {
		return errCut
	}
	return to(t)
}

// cut ends what is pending, and what comes, without grace.
func (c *patientConn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	if brief, ok := c.Conn.(interface{ cut() }); ok {
		brief.cut()
		return
	}
	_ = c.Conn.SetDeadline(longAgo())
}
