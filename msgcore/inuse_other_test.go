//go:build !unix

package msgcore_test

// errInUse is nil where the transports do not agree on one error.
var errInUse error
