package simnet

// The errors, which on some systems have no name elsewhere.
var (
	ErrReset   = errReset
	ErrPipe    = errPipe
	ErrRefused = errRefused
)
