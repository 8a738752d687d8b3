package unique

import (
	"context"

	"github.com/solomq/solomq/transport"
)

// A port carries messages between the primary and its peers. It is the seam
// between the protocol, which knows no sockets, and the socket, which knows no
// protocol.
type port interface {
	// run gives what comes to handle, in order for each peer, until the port is closed.
	// What handle returns, if not nil, is a handler to run, while more of the same peer is
	// to be heard.
	run(handle func(packet) (handler func())) error
	// send sends frames to the peer, in order with other sends to it. If it waits for
	// room, then for that peer alone, and until ctx ends. It does not keep frames.
	send(ctx context.Context, to string, frames [][]byte) error
	// trySend is send that drops the message rather than wait.
	trySend(to string, frames [][]byte)
	// close sends what is queued, for a moment, and ends run.
	close() error
}

// A packet is what a port receives: a message of a peer, or that it is gone.
type packet struct {
	from   string // names the peer while it is connected
	cred   transport.Cred
	gone   bool
	frames [][]byte
}
