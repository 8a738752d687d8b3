package msgcore

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A streamConn is one connection of a STREAM as a net.Conn. It stands at both
// ends of what a peer usually shares with the socket: it sends to its peer
// alone, and receives from the peer's inlet by itself, so that no connection
// waits for another.
type streamConn struct {
	s             *Socket
	p             *peer
	local, remote net.Addr

	readMu sync.Mutex // held by whoever reads; guards what follows, and in
	in     *inlet
	msg    Msg
	rest   []byte // of msg, not yet handed out

	writeMu sync.Mutex // held by whoever writes
	most    int        // bytes of one message

	ready   chan struct{} // capacity 1: something has arrived
	ended   chan struct{} // closed when nothing more will arrive
	err     error         // why; read after ended
	readBy  deadline
	writeBy deadline

	once   sync.Once     // Close
	closed chan struct{} // closed by Close

	mu       sync.Mutex
	shutdown bool // CloseWrite was called; guarded by mu
}

const (
	streamChunk  = 64 << 10  // of a Write, to become one message
	streamQueued = 256 << 10 // bytes that wait in each direction of a streamConn
)

// newStreamConn takes ss, which is attached and does not run yet, over from its
// socket.
func newStreamConn(ss *session, conn net.Conn) *streamConn {
	s := ss.s
	c := &streamConn{
		s: s, p: ss.p, in: ss.r.in,
		local: conn.LocalAddr(), remote: conn.RemoteAddr(),
		most:  streamChunk,
		ready: make(chan struct{}, 1), ended: make(chan struct{}), closed: make(chan struct{}),
	}
	if m := s.opts.MaxMessage; m > 0 && m < streamChunk {
		c.most = int(m)
	}
	c.readBy.init()
	c.writeBy.init()
	bound := func(p *pipe) {
		if p.maxBytes == 0 || p.maxBytes > streamQueued {
			p.maxBytes = streamQueued
		}
	}
	s.sendMu.Lock()
	bound(ss.p.out)
	s.sendMu.Unlock()
	bound(ss.r.in.pipe)
	s.recvMu.Lock() // for who asks for Stats
	ss.r.in.conn = c
	s.recvMu.Unlock()
	return c
}

// arrived is told that there may be something to read.
func (c *streamConn) arrived() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// readEnded makes err the end of what can be read, unless it has ended already.
func (c *streamConn) readEnded(err error) {
	select {
	case <-c.ended:
	default:
		c.err = err
		close(c.ended)
	}
}

// Read implements net.Conn.
func (c *streamConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.readMu.Lock()
	defer c.readMu.Unlock()
	over := c.readBy.over()
	for {
		ended := false
		select {
		case <-c.closed:
			return 0, c.fail("read", net.ErrClosed)
		default:
		}
		select {
		case <-over:
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		default:
		}
		select {
		case <-c.ended:
			ended = true
		default:
		}
		if len(c.rest) > 0 || c.next() {
			n := copy(b, c.rest)
			if c.rest = c.rest[n:]; len(c.rest) == 0 {
				c.msg.Release()
				c.msg = Msg{}
			}
			return n, nil
		}
		if ended {
			return 0, c.fail("read", c.err)
		}
		select {
		case <-c.ready:
		case <-c.ended:
		case <-c.closed:
		case <-over:
		}
	}
}

// next opens the next message, if one has arrived.
func (c *streamConn) next() bool {
	for {
		ok, room := c.in.refill(0)
		if room {
			c.in.roomed()
		}
		if !ok {
			return false
		}
		c.in.pop(&c.msg, nil)
		if c.msg.Event() == 0 {
			c.rest = c.msg.Frames[0]
			return true
		}
		c.msg.Release()
	}
}

// Write implements net.Conn. It returns when all of b is queued.
func (c *streamConn) Write(b []byte) (n int, err error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	ctx := c.writeBy.context()
	for {
		c.mu.Lock()
		shutdown := c.shutdown
		c.mu.Unlock()
		switch {
		case c.isClosed():
			return n, c.fail("write", net.ErrClosed)
		case ctx.Err() != nil:
			return n, c.fail("write", os.ErrDeadlineExceeded)
		case shutdown:
			return n, c.fail("write", io.ErrClosedPipe)
		case n == len(b):
			return n, nil
		}
		k := min(len(b)-n, c.most)
		if err := c.s.replyTo(ctx, c.p, nil, 0, [][]byte{b[n : n+k]}); err != nil {
			return n, c.writeError(err)
		}
		n += k
	}
}

// writeError says in the terms of package net why a message was not taken.
func (c *streamConn) writeError(err error) error {
	switch {
	case c.isClosed(), errors.Is(err, errClosed):
		return c.fail("write", net.ErrClosed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.fail("write", os.ErrDeadlineExceeded)
	}
	select {
	case <-c.ended:
		if c.err != io.EOF {
			return c.fail("write", c.err)
		}
	default:
	}
	return c.fail("write", io.ErrClosedPipe)
}

// fail is err as package net's connections wrap it; io.EOF stays bare.
func (c *streamConn) fail(op string, err error) error {
	var ne *net.OpError
	if err == io.EOF || errors.As(err, &ne) {
		return err
	}
	if c.remote == nil {
		return &net.OpError{Op: op, Net: Stream.String(), Err: err}
	}
	return &net.OpError{Op: op, Net: c.remote.Network(), Source: c.local, Addr: c.remote, Err: err}
}

func (c *streamConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// CloseWrite ends what the other side reads, after what was written; reading
// goes on.
func (c *streamConn) CloseWrite() error {
	c.mu.Lock()
	again := c.shutdown
	c.shutdown = true
	c.mu.Unlock()
	switch {
	case c.isClosed():
		return c.fail("close", net.ErrClosed)
	case !again:
		c.s.command(c.p, func() bool { return c.p.pushCommand(streamEnd) })
	}
	return nil
}

// Close ends the connection. What was written is still sent, in the background.
func (c *streamConn) Close() error {
	err := c.fail("close", net.ErrClosed)
	c.once.Do(func() {
		err = nil
		close(c.closed)
		c.readBy.stop()
		c.writeBy.stop()
		c.s.command(c.p, c.p.letGo)
	})
	return err
}

// LocalAddr implements net.Conn.
func (c *streamConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *streamConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *streamConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *streamConn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readBy, t) }

// SetWriteDeadline implements net.Conn. It bounds the wait for room in the queue.
func (c *streamConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeBy, t) }

func (c *streamConn) setDeadline(d *deadline, t time.Time) error {
	if c.isClosed() {
		return c.fail("set", net.ErrClosed)
	}
	d.set(t)
	return nil
}
