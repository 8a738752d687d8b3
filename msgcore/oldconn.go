package msgcore

import (
	"bytes"
	"io"
	"net"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// An oldConn is a connection to a peer of ZMTP 1.0, which frames otherwise
// (RFC 13). It looks to a session as if it did not. ZMTP 2.0 has the framing of 3.0,
// but for commands.
//
// One goroutine may read while another writes.
type oldConn struct {
	net.Conn
	in  *zmtp.Reader1
	out regather
}

// newOldConn returns one of which ahead was read already.
func newOldConn(c net.Conn, ahead []byte) *oldConn {
	var in io.Reader = c
	if len(ahead) > 0 {
		in = io.MultiReader(bytes.NewReader(ahead), c)
	}
	return &oldConn{Conn: c, in: zmtp.NewReader1(in), out: regather{header: zmtp.AppendHeader1, sent: over(c)}}
}

// Read reads frames as of ZMTP 3.
func (c *oldConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// writeParts writes the frames of parts. There are no commands among them: a peer of
// ZMTP 1.0 sends none that we would answer.
func (c *oldConn) writeParts(parts *net.Buffers) (int64, error) {
	return c.out.write(c.Conn, parts, func(byte) {})
}

// CloseWrite ends the sending half, if the connection beneath can.
func (c *oldConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
