//go:build unix

package unique

import "syscall"

// errBrokenPipe is what programs expect of a write that nobody reads.
var errBrokenPipe error = syscall.EPIPE
