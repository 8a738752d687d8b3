package zmtp

import (
	"bufio"
	"io"
	"sync"
)

const (
	readBuffer  = 4 << 10 // of a Conn that reads; larger bodies do without
	firstBuffer = 512     // of one that has read few frames, and may read few more
	fewFrames   = 16
	writeBuffer = 64 << 10 // when so much waits for a Flush, it is written
	ahead       = 64 << 10 // how much a claimed size alone makes us allocate
)

// A Conn reads and writes frames on a handshaken connection. One goroutine may
// read while others write. It has no deadlines of its own: set those of the
// connection beneath. Whoever reads and writes that connection itself uses of
// Conn only Peer, Version, Session and Leftover.
//
// A Conn owns no goroutine but, for a moment, the one that answers a PING.
type Conn struct {
	rw      io.ReadWriter
	version Version
	session Session // nil: frames are plain
	peer    Properties
	limit   int64 // Config.MaxFrame
	total   int64 // Config.MaxMessage

	ahead []byte // read by Handshake, and not yet by anybody else

	once sync.Once
	made *traffic // by once
}

// A traffic is what a Conn needs that is read or written itself.
type traffic struct {
	r reader
	w writer
	p ponger
}

func (c *Conn) traffic() *traffic {
	c.once.Do(func() { c.made = &traffic{} })
	return c.made
}

// A reader is the reading side of a Conn. It keeps what has arrived of a frame, so
// that a read which a deadline ended goes on where it was.
type reader struct {
	br     *bufio.Reader // nil until the first read
	in     io.Reader     // what br reads
	frames int           // that were read through br, up to fewFrames
	err    error         // ended the stream
	inBody bool          // the header is read, the body is not
	flags  byte
	size   int
	body   []byte

	message [][]byte // the frames of a message that ReadMessage has begun
	cost    int64    // of message
}

// A writer is the writing side of a Conn.
type writer struct {
	mu   sync.Mutex // guards the fields below, is held across writes
	buf  []byte     // not written yet
	body []byte     // scratch, for the body of a PONG
	more bool       // the last frame written was not the last of its message
	err  error      // ended the stream
}

func newConn(rw io.ReadWriter, v Version, s Session, peer Properties, cfg Config) *Conn {
	if _, plain := s.(plainSession); plain {
		s = nil
	}
	return &Conn{rw: rw, version: v, session: s, peer: peer, limit: cfg.MaxFrame, total: cfg.MaxMessage}
}

// Peer returns the peer's properties: its own and those of Config.Authorize. They
// belong to c.
func (c *Conn) Peer() Properties { return c.peer }

// Version returns the version that both sides speak: 3.1, 3.0, 2.0 or 1.0. A
// connection of 1.0 frames its messages otherwise, which Conn sees to; see Reader1
// and AppendHeader1.
func (c *Conn) Version() Version { return c.version }

// Session returns what seals and opens the frames of this connection, or nil if
// they are plain.
func (c *Conn) Session() Session { return c.session }

// Leftover returns what Handshake has read beyond the peer's last command, and what
// Conn then does not read any more: whoever reads the connection beneath begins with
// it. There is none without Config.ReadAhead and Config.Begun, nor once c has been read.
func (c *Conn) Leftover() []byte {
	b := c.ahead
	c.ahead = nil
	return b
}

// Close closes the connection beneath, if it is an io.Closer, and waits for the
// answer to a PING under way. What was not flushed is lost. It is an alternative
// to closing that connection directly.
func (c *Conn) Close() error {
	p := &c.traffic().p
	p.stop()
	var err error
	if closer, ok := c.rw.(io.Closer); ok {
		err = closer.Close()
	}
	p.wait()
	return err
}
