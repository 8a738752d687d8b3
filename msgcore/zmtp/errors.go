package zmtp

import (
	"errors"
	"strconv"
)

// A ProtocolError reports a peer that broke the protocol, or speaks a version
// of it that this package does not. The connection is of no more use.
type ProtocolError struct {
	// Rule says which rule was broken and by what.
	Rule string
}

// Error implements error.
func (e *ProtocolError) Error() string { return "zmtp: " + e.Rule }

// A RejectedError is the reason a peer gave in an ERROR command when it refused
// this side, or, within an error of Config.Authorize and Config.Check, the one for
// which this side refuses the peer. libzmq sends a status of RFC 27 such as "400".
type RejectedError struct {
	// Reason is what the peer wrote: up to 255 bytes that nobody has checked.
	Reason string
}

// Error implements error.
func (e *RejectedError) Error() string {
	return "zmtp: the peer rejected this side, giving the reason " + strconv.Quote(e.Reason)
}

// ErrTooBig is wrapped by the error for a frame over Config.MaxFrame or a message
// over Config.MaxMessage. Nothing was allocated for what did not fit.
var ErrTooBig = errors.New("over this side's limit")
