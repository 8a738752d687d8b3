package zmtp

import (
	"context"
	"fmt"
)

// Null returns the NULL mechanism: no authentication but what Config.Authorize
// makes of the peer's address, and no confidentiality (RFC 37, The NULL security
// mechanism).
func Null() Mechanism { return null{} }

type null struct {
	waits bool // for the peer's READY
	early bool // READY is on its way already
}

func (null) Name() string { return "NULL" }
func (null) Server() bool { return false }

// Handshake sends READY without waiting for the peer's, unless it is known to
// come: there are no roles, so that two sides which wait would wait for ever.
func (n null) Handshake(ctx context.Context, c HandshakeConn, local Properties) (Session, error) {
	if err := c.Authorize(ctx); err != nil {
		return nil, err
	}
	ready := Command{CommandReady, AppendProperties(make([]byte, 0, 64), local)}
	if !n.waits && !n.early {
		if err := c.WriteCommand(ready); err != nil {
			return nil, err
		}
	}
	cmd, err := c.ReadCommand()
	if err != nil {
		return nil, err
	}
	if cmd.Name != CommandReady {
		return nil, &ProtocolError{Rule: fmt.Sprintf("command %q in the handshake of NULL, which has READY only", cmd.Name)}
	}
	peer, err := ParseProperties(cmd.Data)
	if err != nil {
		return nil, err
	}
	if err := c.Check(peer); err != nil {
		return nil, err
	}
	if n.waits {
		if err := c.WriteCommand(ready); err != nil {
			return nil, err
		}
	}
	return PlainSession(peer), nil
}
