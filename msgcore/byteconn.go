package msgcore

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A byteConn makes a session of a connection without ZMTP: what one read gives
// looks like a message of one frame, and of the frames that are written only
// the bodies go out.
//
// One goroutine may read while another writes.
type byteConn struct {
	net.Conn
	ss  *session
	max int // of a message that is read; 0: no limit

	out regather

	mu     sync.Mutex  // guards what follows
	closes bool        // streamClose was obeyed
	timer  *time.Timer // which gives the other side time to close, too
	eof    bool        // it has
}

// byteSession returns a session for plain bytes over conn, that has not begun.
func (s *Socket) byteSession(conn net.Conn, endpoint string) *session {
	ss := &session{s: s, info: s.describe(conn, endpoint), raw: rawConn(conn), slow: isSlow(conn), stop: make(chan struct{})}
	ss.conn = &byteConn{Conn: conn, ss: ss, max: int(s.opts.MaxMessage), out: regather{sent: over(conn)}}
	ss.hb.ss = ss
	return ss
}

// describe tells of conn's other end what there is to be known without a
// handshake.
func (s *Socket) describe(conn net.Conn, endpoint string) *PeerInfo {
	info := noInfo(endpoint)
	if a := conn.RemoteAddr(); a != nil {
		info.RemoteAddr = a.String()
	}
	if c, ok := conn.(transport.CredConn); ok {
		if cred, err := c.PeerCred(); err == nil {
			info.Cred = cred
		}
	}
	return info
}

// room returns where in p the bytes go that one read gives, and how far behind
// p's beginning that is: the frame's header comes before them.
func (c *byteConn) room(p []byte) (b []byte, at int) {
	if at = zmtp.MaxHeader; len(p) <= 255 {
		at = 2
	}
	b = p[at:]
	if c.max > 0 && len(b) > c.max {
		b = b[:c.max]
	}
	return b, at
}

// frame puts the header in front of n bytes at p[at:], and returns how long both
// are.
func (*byteConn) frame(p []byte, at, n int) int {
	if at == 2 {
		p[0], p[1] = 0, byte(n)
	} else {
		p[0] = zmtp.FlagLong
		binary.BigEndian.PutUint64(p[1:], uint64(n))
	}
	return at + n
}

// Read reads once and makes a frame of it. p has room for one.
func (c *byteConn) Read(p []byte) (int, error) {
	b, at := c.room(p)
	n, err := c.Conn.Read(b)
	if n == 0 {
		return 0, err
	}
	return c.frame(p, at, n), nil // an error comes again
}

// tryReadBytes is tryRead of plain bytes.
func (r *reader) tryReadBytes(fd uintptr) bool {
	c := r.ss.conn.(*byteConn)
	p := r.space()
	b, at := c.room(p)
	var again bool
	if r.n, again, r.err = readFD(fd, b); r.n > 0 {
		r.n = c.frame(p, at, r.n)
	}
	if again && r.start == r.fill {
		r.dropSlab()
	}
	return !again || r.poll
}

// writeParts writes the bodies of the frames in parts and does what commands
// among them say.
func (c *byteConn) writeParts(parts *net.Buffers) (int64, error) {
	return c.out.write(c.Conn, parts, c.obey)
}

// obey does what was asked for between the bytes.
func (c *byteConn) obey(command byte) {
	_ = c.CloseWrite()
	if command != streamClose {
		return
	}
	// What arrives from now on is thrown away until the other side closes, too:
	// closing with something unread could take away what was sent.
	linger := c.ss.s.opts.Linger
	if linger < 0 {
		linger = defaultLinger
	}
	c.mu.Lock()
	eof := c.eof
	if c.closes = true; !eof {
		c.timer = time.AfterFunc(linger, func() { c.ss.end(errLetGo) })
	}
	c.mu.Unlock()
	if eof {
		c.ss.end(io.EOF)
	}
}

// wasClosed reports whether the application has closed c by a message.
func (c *byteConn) wasClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closes
}

// readEnded is called when reading has ended because of err. Behind the peer's
// last byte writing goes on: as long as a streamConn wants, or else until what is
// queued is written. It returns when the session has ended, or is to end.
func (c *byteConn) readEnded(err error) {
	ss, conn := c.ss, c.ss.r.in.conn
	if err == io.EOF {
		if conn != nil {
			conn.readEnded(err)
		} else {
			ss.s.command(ss.p, ss.p.finish)
		}
		c.mu.Lock()
		c.eof = true
		closes := c.closes
		c.mu.Unlock()
		if !closes && !ss.s.isClosing.Load() {
			<-ss.stop
		}
	}
	ss.end(err)
	if conn != nil {
		conn.readEnded(ss.err)
	}
}

// CloseWrite ends the sending half, if the connection beneath can. When the
// socket is about to close and the other side has ended its half, that is all.
func (c *byteConn) CloseWrite() error {
	c.mu.Lock()
	eof := c.eof
	c.mu.Unlock()
	if eof && c.ss.s.isClosing.Load() {
		c.ss.end(io.EOF)
		return io.ErrClosedPipe
	}
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Close closes the connection.
func (c *byteConn) Close() error {
	c.mu.Lock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	return c.Conn.Close()
}
