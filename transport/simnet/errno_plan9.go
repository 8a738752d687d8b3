package simnet

import "errors"

var (
	errInUse   = errors.New("address in use")
	errRefused = errors.New("connection refused")
	errReset   = errors.New("connection reset by peer")
	errPipe    = errors.New("the peer has closed the connection")
)
