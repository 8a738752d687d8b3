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
		n, err = syscall.Read(int(fd), b)
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

// tryWrite writes as much of b as the connection takes at once.
func tryWrite(raw syscall.RawConn, b []byte) (n int, err error) {
	werr := raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), b)
			if !errors.Is(err, syscall.EINTR) {
				break
			}
		}
		if n < 0 {
			n = 0
		}
		if errors.Is(err, syscall.EAGAIN) {
			err = nil
		}
		return true
	})
	if werr != nil {
		return 0, werr
	}
	return n, err
}
