package simnet

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/solomq/solomq/transport"
)

var _ transport.DeliveryConn = (*conn)(nil)

// A conn is one end of a connection: it reads what the other end writes to in.
type conn struct {
	link          *Link
	peer          *conn // the other end
	in, out       *stream
	local, remote address
}

// newPair returns the two ends of a connection from a to b over l; under mu.
func newPair(l *Link, dialer *Host, near, far address) (a, b *conn) {
	there, back := l.from(dialer)
	up, down := newStream(l.n, there, back), newStream(l.n, back, there)
	a = &conn{link: l, in: down, out: up, local: near, remote: far}
	b = &conn{link: l, in: up, out: down, local: far, remote: near}
	a.peer, b.peer = b, a
	l.conns[a] = struct{}{}
	return a, b
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (n int, err error) {
	err = c.do("read", func() (err error) { n, err = c.in.read(p); return err })
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (n int, err error) {
	err = c.do("write", func() (err error) { n, err = c.out.write(p); return err })
	return n, err
}

// CloseWrite ends what the peer reads; reading goes on.
func (c *conn) CloseWrite() error {
	return c.do("close", func() error { return c.out.closeWrite(false) })
}

// Close ends the connection in both directions. What was written can still be
// read by the peer.
func (c *conn) Close() error {
	return c.do("close", c.close)
}

// close is Close under mu.
func (c *conn) close() error {
	err := c.in.closeRead()
	_ = c.out.closeWrite(true)
	if c.in.writer.closed { // the other end is closed, too
		delete(c.link.conns, c)
		delete(c.link.conns, c.peer)
	}
	return err
}

// Delivery tells what the peer has read; see [transport.DeliveryConn].
func (c *conn) Delivery() (written, read int64, final bool) {
	c.link.n.mu.Lock()
	defer c.link.n.mu.Unlock()
	return c.out.delivery()
}

// LocalAddr returns where the connection begins.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns where the connection ends.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.do("set", func() error { return c.in.setDeadline(&c.in.reader, t) })
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.do("set", func() error { return c.out.setDeadline(&c.out.writer, t) })
}

// do calls f under mu and wraps its error as package net's connections do; io.EOF
// must stay bare.
func (c *conn) do(op string, f func() error) error {
	c.link.n.mu.Lock()
	err := f()
	c.link.n.mu.Unlock()
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "simnet", Source: c.local, Addr: c.remote, Err: err}
}
