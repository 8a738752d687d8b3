//go:build !windows && !plan9

package msgcore

import (
	"errors"
	"io/fs"
	"syscall"
)

// isRefused reports whether a dial has found out that nobody listens.
func isRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
