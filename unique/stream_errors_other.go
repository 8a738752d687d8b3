//go:build !unix

package unique

import "io"

// errBrokenPipe is what programs expect of a write that nobody reads, where the
// system has no word of its own for it.
var errBrokenPipe = io.ErrClosedPipe
