package zmtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// PlainClient returns the client's role of PLAIN (RFC 24): it shows a username and
// a password to a server, in the clear. Anybody on the way can read them, and
// nothing proves that the server is the right one, so that PLAIN is for ipc and
// for networks that are secure by other means.
//
// Username and password have at most 255 bytes each, or every handshake fails.
// Printing what PlainClient returns does not disclose them.
func PlainClient(username, password string) Mechanism {
	return plainClient{func() (string, string) { return username, password }}
}

// PlainServer returns the server's role of PLAIN (RFC 24). Config.Authorize is
// given the username and the password, in this order, and decides; without
// Authorize every client is refused.
func PlainServer() Mechanism { return plainServer{} }

const plainName = "PLAIN"

// A plainClient has its credentials in a function: package fmt calls no method of
// what lies in an unexported field of something, but does not look into functions.
type plainClient struct {
	credentials func() (username, password string)
}

func (plainClient) Name() string { return plainName }
func (plainClient) Server() bool { return false }

// Format keeps the password out of whatever is printed.
func (plainClient) Format(s fmt.State, _ rune) { io.WriteString(s, "zmtp.PlainClient(hidden)") }

func (m plainClient) Handshake(_ context.Context, c HandshakeConn, local Properties) (Session, error) {
	username, password := m.credentials()
	hello, err := appendHello(nil, username, password)
	if err != nil {
		return nil, err
	}
	if err := c.WriteCommand(Command{CommandHello, hello}); err != nil {
		return nil, err
	}
	welcome, err := readPlain(c, CommandWelcome)
	if err != nil {
		return nil, err
	}
	if len(welcome) > 0 {
		return nil, &ProtocolError{Rule: fmt.Sprintf("WELCOME of PLAIN with %d bytes of data: it has none", len(welcome))}
	}
	if err := c.WriteCommand(Command{CommandInitiate, AppendProperties(nil, local)}); err != nil {
		return nil, err
	}
	ready, err := readPlain(c, CommandReady)
	if err != nil {
		return nil, err
	}
	peer, err := ParseProperties(ready)
	if err != nil {
		return nil, err
	}
	if err := c.Check(peer); err != nil {
		return nil, err
	}
	return PlainSession(peer), nil
}

type plainServer struct{}

func (plainServer) Name() string { return plainName }
func (plainServer) Server() bool { return true }

// needsAuthorize says that credentials are worth nothing until somebody has
// compared them.
func (plainServer) needsAuthorize() {}

func (plainServer) Handshake(ctx context.Context, c HandshakeConn, local Properties) (Session, error) {
	hello, err := readPlain(c, CommandHello)
	if err != nil {
		return nil, err
	}
	username, password, err := parseHello(hello)
	if err != nil {
		return nil, err
	}
	if err := c.Authorize(ctx, username, password); err != nil {
		return nil, err
	}
	if err := c.WriteCommand(Command{Name: CommandWelcome}); err != nil {
		return nil, err
	}
	initiate, err := readPlain(c, CommandInitiate)
	if err != nil {
		return nil, err
	}
	peer, err := ParseProperties(initiate)
	if err != nil {
		return nil, err
	}
	if err := c.Check(peer); err != nil {
		return nil, err
	}
	if err := c.WriteCommand(Command{CommandReady, AppendProperties(nil, local)}); err != nil {
		return nil, err
	}
	return PlainSession(peer), nil
}

// readPlain reads the command whose turn it is.
func readPlain(c HandshakeConn, name string) ([]byte, error) {
	cmd, err := c.ReadCommand()
	if err != nil {
		return nil, err
	}
	if cmd.Name != name {
		return nil, &ProtocolError{Rule: fmt.Sprintf("command %q in the handshake of PLAIN, where %s comes", cut(cmd.Name, 20), name)}
	}
	return cmd.Data, nil
}

// libzmqError is how libzmq 4.3 begins an ERROR of PLAIN: "\x5ERROR" in C is not
// what its author meant.
const libzmqError = "^RROR"

// parseCommand is ParseCommand that knows libzmqError.
func (h *handshaker) parseCommand(body []byte) (name string, data []byte, err error) {
	if reason, ok := bytes.CutPrefix(body, []byte(libzmqError)); ok && h.name == plainName {
		return CommandError, reason, nil
	}
	return ParseCommand(body)
}

var errLongCredentials = errors.New("zmtp: username or password for PLAIN is over 255 bytes: use a shorter one")

// appendHello appends the data of a HELLO of PLAIN.
func appendHello(dst []byte, username, password string) ([]byte, error) {
	for _, s := range []string{username, password} {
		if len(s) > 255 {
			return dst, errLongCredentials
		}
		dst = append(dst, byte(len(s)))
		dst = append(dst, s...)
	}
	return dst, nil
}

// parseHello reads the data of a HELLO of PLAIN. The error is a *ProtocolError.
func parseHello(data []byte) (username, password []byte, err error) {
	var parts [2][]byte
	for i := range parts {
		if len(data) == 0 || len(data)-1 < int(data[0]) {
			return nil, nil, &ProtocolError{Rule: "HELLO of PLAIN that ends within its username or password"}
		}
		n := 1 + int(data[0])
		parts[i], data = data[1:n:n], data[n:]
	}
	if len(data) > 0 {
		return nil, nil, &ProtocolError{Rule: "HELLO of PLAIN with bytes behind its password"}
	}
	return parts[0], parts[1], nil
}
