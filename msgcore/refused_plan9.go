package msgcore

import (
	"errors"
	"io/fs"
	"strings"
)

// isRefused reports whether a dial has found out that nobody listens. Errors have
// only texts here.
func isRefused(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "connection refused")
}
