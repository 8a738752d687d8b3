package msgcore

import (
	"errors"
	"io/fs"
	"syscall"
)

// isRefused reports whether a dial has found out that nobody listens. Transports
// that do not ask the system use the error of other systems.
func isRefused(err error) bool {
	const wsaeConnRefused syscall.Errno = 10061 // WSAECONNREFUSED of winsock2.h; not in package syscall
	return errors.Is(err, wsaeConnRefused) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
