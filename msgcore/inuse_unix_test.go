//go:build unix

package msgcore_test

import "syscall"

// errInUse is what binding an endpoint that is in use gives.
var errInUse error = syscall.EADDRINUSE
