//go:build unix

package msgcore

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// rawConn gives access to c's descriptor, so that reading can wait without a
// buffer and writing need not wait; nil if c has none.
func rawConn(c net.Conn) syscall.RawConn {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readFD reads once without waiting; again says that nothing is there yet.
func readFD(fd uintptr, b []byte) (n int, again bool, err error) {
	for {
		n, err = sysRead(fd, b)
		switch {
		case err == nil && n == 0:
			return 0, false, io.EOF
		case err == nil:
			return n, false, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, true, nil
		default:
			return 0, false, err
		}
	}
}
