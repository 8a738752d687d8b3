//go:build !plan9

package tcp

import "syscall"

// errRefused is the system's word for a dial that nobody listens to.
var errRefused error = syscall.ECONNREFUSED
