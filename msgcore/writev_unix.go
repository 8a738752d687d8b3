//go:build darwin || linux || openbsd

package msgcore

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// manyParts is how many parts writeFD takes; more would gain nothing.
const manyParts = 64

// writeFD writes as much of parts as is taken without waiting.
func writeFD(fd uintptr, parts [][]byte) (n int, err error) {
	for {
		if len(parts) == 1 {
			n, err = sysWrite(fd, parts[0])
		} else {
			n, err = unix.Writev(int(fd), parts)
		}
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return 0, err
		}
	}
}
