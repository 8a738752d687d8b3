package inproc

import (
	"errors"
	"io"
	"net"
	"time"
)

// errPeerClosed is what a Write gets when nobody will read it any more.
var errPeerClosed = errors.New("the peer has closed the connection")

// A conn is one end of a connection: it reads what the other end's writes put
// into in, and writes to out.
type conn struct {
	in, out *buffer
	addr    address // of both ends: there is but one name
}

// newPair returns the two ends of a connection.
func newPair(addr address) (near, far *conn) {
	a, b := newBuffer(), newBuffer()
	return &conn{in: a, out: b, addr: addr}, &conn{in: b, out: a, addr: addr}
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError("read", err)
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.opError("write", err)
}

// CloseWrite ends what the peer reads; reading goes on.
func (c *conn) CloseWrite() error {
	return c.opError("close", c.out.closeWrite(false))
}

// Close ends the connection in both directions. What was written can still be
// read by the peer.
func (c *conn) Close() error {
	err := c.in.closeRead()
	_ = c.out.closeWrite(true)
	return c.opError("close", err)
}

// LocalAddr returns the name that was dialed.
func (c *conn) LocalAddr() net.Addr { return c.addr }

// RemoteAddr returns the name that was dialed.
func (c *conn) RemoteAddr() net.Addr { return c.addr }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.opError("set", c.in.setDeadline(&c.in.reader, t))
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.opError("set", c.out.setDeadline(&c.out.writer, t))
}

// opError is how package net's connections wrap their errors; io.EOF must stay
// bare.
func (c *conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "inproc", Addr: c.addr, Err: err}
}
