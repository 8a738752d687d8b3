//go:build unix && !(darwin || linux || openbsd)

package msgcore

import (
	"errors"
	"syscall"
)

// manyParts is how many parts writeFD takes.
const manyParts = 1

// writeFD writes as much of the one part as is taken without waiting.
func writeFD(fd uintptr, parts [][]byte) (n int, err error) {
	for {
		n, err = sysWrite(fd, parts[0])
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
