//go:build unix

package unique

import (
	"errors"
	"syscall"
)

// readNow reads what is there, without waiting. What goes wrong shows in the next Read.
func (c *localConn) readNow(b []byte) (n int) {
	if c.raw == nil {
		return 0
	}
	_ = c.raw.Read(func(fd uintptr) bool {
		n, _ = syscall.Read(int(fd), b)
		n = max(n, 0)
		return true
	})
	return n
}

// writeNow writes of out what the system takes at once. Under mu.
func (c *localConn) writeNow() (n int, err error) {
	if c.raw == nil {
		return 0, nil
	}
	if c.now.write == nil {
		c.now.write = c.writeFD // made once, for it has to be on the heap
	}
	if err := c.raw.Write(c.now.write); err != nil {
		return 0, err
	}
	if errors.Is(c.now.err, syscall.EAGAIN) || errors.Is(c.now.err, syscall.EINTR) {
		return 0, nil
	}
	return max(c.now.n, 0), c.now.err
}

func (c *localConn) writeFD(fd uintptr) (done bool) {
	c.now.n, c.now.err = syscall.Write(int(fd), c.out)
	return true
}

// A writingNow is what writeNow keeps: its function for the descriptor, and what came of it.
type writingNow struct {
	write func(fd uintptr) bool
	n     int
	err   error
}
