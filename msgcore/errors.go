package msgcore

import (
	"errors"
	"fmt"
	"strings"
)

// An OpError tells which operation failed, on which type of socket, at which
// endpoint, and why. Every error of this package is one.
type OpError struct {
	Op       string // the method in lower case: "bind", "send", ...
	Type     Type   // of the socket; 0 where there is none
	Endpoint string // empty where there is none
	Err      error
}

// Error implements error.
func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString("msgcore: ")
	b.WriteString(e.Op)
	if e.Type != 0 {
		b.WriteByte(' ')
		b.WriteString(e.Type.String())
	}
	if e.Endpoint != "" {
		b.WriteByte(' ')
		b.WriteString(e.Endpoint)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns e.Err.
func (e *OpError) Unwrap() error { return e.Err }

// Errors that callers test for with errors.Is. A closed socket answers with
// net.ErrClosed, an ended context with its own error, and a verb that the type
// does not have with errors.ErrUnsupported.
var (
	// ErrState reports an operation that the pattern does not allow now.
	ErrState = errors.New("wrong state for this operation")
	// ErrUnroutable reports that no connected peer has the routing id.
	ErrUnroutable = errors.New("no route to peer")
	// ErrNoReply reports that the connection which a Request went out on has
	// broken, or its endpoint was given up, before the reply. The request may
	// have been carried out.
	ErrNoReply = errors.New("the connection broke before the reply came")
	// ErrMessageTooBig reports a message over Options.MaxMessage.
	ErrMessageTooBig = errors.New("message too big")
)

// An UnsentError is what Close and Shutdown return when they gave up with
// messages still unsent.
type UnsentError struct {
	Pending []Pending
}

// Pending tells what one peer still holds back.
type Pending struct {
	Endpoint string // of the peer, or of the connection's remote side
	Messages int    // queued and not completely written
	Bytes    int64  // of these, as framed
}

// Error implements error.
func (e *UnsentError) Error() string {
	var n int
	var at []string
	for _, p := range e.Pending {
		n += p.Messages
		at = append(at, p.Endpoint)
	}
	return fmt.Sprintf("%d messages not sent to %s; a longer Options.Linger waits for slower peers", n, strings.Join(at, ", "))
}
