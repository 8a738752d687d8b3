//go:build !plan9

package inproc

import "syscall"

// errInUse is what other transports get from the system.
var errInUse error = syscall.EADDRINUSE
