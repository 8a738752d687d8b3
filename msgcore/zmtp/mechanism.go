package zmtp

import "context"

// A Mechanism is a security mechanism, ready to secure any number of connections
// at once.
type Mechanism interface {
	// Name is the name sent in the greeting, such as "CURVE": 1 to 20 capital
	// letters, digits, hyphens and underscores.
	Name() string
	// Server reports whether this side takes the server role.
	Server() bool
	// Handshake exchanges commands over c until both sides are ready, and nothing
	// after: what the peer sends next is traffic. local are the properties to
	// send, the same for all connections and not to be changed. Reads and writes of c end when ctx does.
	Handshake(ctx context.Context, c HandshakeConn, local Properties) (Session, error)
}

// A HandshakeConn is what a Mechanism sees of a connection. It is for one
// goroutine.
type HandshakeConn interface {
	// ReadCommand reads the next command, which the caller then owns. An ERROR is
	// returned as a *RejectedError, a message or a command over 64 KiB as a
	// *ProtocolError.
	ReadCommand() (Command, error)
	// WriteCommand sends a command. It may return before the command is on its
	// way, so that two sides that both write first do not wait for each other; an
	// error then comes from a later call.
	WriteCommand(Command) error
	// Authorize asks Config.Authorize about the peer, if there is one; a side that
	// decides about the other calls it before it accepts. On failure it has sent
	// the ERROR command. What the hook adds to the peer's properties reaches Check
	// and Conn.Peer without the mechanism's doing.
	Authorize(ctx context.Context, credentials ...[]byte) error
	// Check asks Config.Check about the peer's properties; a mechanism calls it
	// when it has them and before it sends its last command, if one is left to
	// send. On failure it has sent the ERROR command. If the mechanism does not
	// call it, Handshake does.
	Check(peer Properties) error
}

// An AuthRequest describes a peer that asks to be admitted (RFC 27).
type AuthRequest struct {
	// Address is the peer's network address, or "" if the connection has none.
	Address string
	// Mechanism names the mechanism in use.
	Mechanism string
	// Credentials holds nothing for NULL, a username and password for PLAIN, a
	// public key for CURVE.
	Credentials [][]byte
}

// A Session is the outcome of one handshake. Conn calls Seal from one goroutine at
// a time and Open from one goroutine at a time, which may be two.
type Session interface {
	// Peer returns the peer's own properties.
	Peer() Properties
	// Seal appends the whole wire frame, header included, that protects f to dst.
	// It does not keep or change f.Body.
	Seal(dst []byte, f Frame) ([]byte, error)
	// Open returns the frame that is protected in the body of a received frame. It
	// may use body for the frame's own.
	Open(body []byte) (Frame, error)
}

// PlainSession returns the Session of a mechanism that leaves frames as they are.
// A Conn with one has no Session.
func PlainSession(peer Properties) Session { return plainSession{peer} }

type plainSession struct{ peer Properties }

func (s plainSession) Peer() Properties { return s.peer }

func (s plainSession) Seal(dst []byte, f Frame) ([]byte, error) {
	dst = AppendHeader(dst, f.flags(), len(f.Body))
	return append(dst, f.Body...), nil
}

// Open cannot tell a command from a message; nobody calls it.
func (s plainSession) Open(body []byte) (Frame, error) { return Frame{Body: body}, nil }
