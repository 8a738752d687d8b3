//go:build !plan9

package simnet

import "syscall"

// What other transports get from the system.
var (
	errInUse   error = syscall.EADDRINUSE
	errRefused error = syscall.ECONNREFUSED
	errReset   error = syscall.ECONNRESET
	errPipe    error = syscall.EPIPE
)
