package msgcore

import (
	"io"
	"net"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A sealedConn is a connection whose frames a security mechanism protects. It
// looks to a session as if they were plain: frame by frame it seals what is
// written and opens what is read, many frames to a system call. Commands are
// sealed like messages, so that nothing goes over the wire in the clear.
//
// One goroutine may read while another writes.
type sealedConn struct {
	net.Conn
	session zmtp.Session

	in      []byte // read and not opened: in[inPos:]
	inPos   int
	plain   []byte // opened and not handed out: plain[plainAt:]
	plainAt int
	trust   int // bytes received, to judge how far to believe a claimed length

	out    []byte // sealed and not written: out[outPos:]
	outPos int
	ends   []frameEnd // of the frames in out
	body   []byte     // of a frame that came in several parts
}

// A frameEnd tells where a frame ends: in sealedConn.out, and how many plain
// bytes of the batch it stands for.
type frameEnd struct {
	sealed int
	plain  int64
}

const sealedChunk = 64 << 10

func newSealedConn(c net.Conn, session zmtp.Session) *sealedConn {
	return &sealedConn{Conn: c, session: session}
}

// Read reads a part of the plain stream.
func (c *sealedConn) Read(p []byte) (int, error) {
	for c.plainAt == len(c.plain) {
		c.plain, c.plainAt = c.plain[:0], 0
		if err := c.open(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.plain[c.plainAt:])
	c.plainAt += n
	if c.plainAt == len(c.plain) && c.inPos == len(c.in) {
		c.in, c.inPos, c.plain, c.plainAt = nil, 0, nil, 0 // idle connections own no buffer
	}
	return n, nil
}

// open opens the whole frames that have arrived, and reads until there is one.
func (c *sealedConn) open() error {
	for {
		need := 0
		for {
			b := c.in[c.inPos:]
			flags, n, hdr, err := zmtp.ParseHeader(b)
			if err != nil {
				return err
			}
			if hdr == 0 {
				need = len(b) + 1
				break
			}
			if flags != 0 && flags != zmtp.FlagLong {
				return &zmtp.ProtocolError{Rule: "a frame that is not sealed on a secured connection"}
			}
			if uint64(len(b)-hdr) < n {
				need = c.claim(len(b), hdr, n)
				break
			}
			f, err := c.session.Open(b[hdr : hdr+int(n)])
			if err != nil {
				return err
			}
			c.inPos += hdr + int(n)
			flags = 0
			if f.More {
				flags = zmtp.FlagMore
			}
			if f.Command {
				flags = zmtp.FlagCommand
			}
			c.plain = zmtp.AppendHeader(c.plain, flags, len(f.Body))
			c.plain = append(c.plain, f.Body...)
			if len(c.plain) >= sealedChunk {
				return nil
			}
		}
		if len(c.plain) > 0 {
			return nil
		}
		if err := c.fill(need); err != nil {
			return err
		}
	}
}

// claim says how large a buffer to use for a frame of which have bytes are
// there: what the peer claims is believed as far as it has kept its word.
func (c *sealedConn) claim(have, hdr int, n uint64) int {
	trust := uint64(min(max(trusted, c.trust, 2*have), max(trustedMax, 2*have)))
	return int(min(uint64(hdr)+n, trust))
}

// fill reads once, into a buffer that has room for need bytes from inPos on.
func (c *sealedConn) fill(need int) error {
	left := copy(c.in, c.in[c.inPos:])
	c.in, c.inPos = c.in[:left], 0
	if cap(c.in) < need || cap(c.in) == left {
		grown := make([]byte, left, max(need, min(max(2*cap(c.in), 1<<10), sealedChunk)))
		copy(grown, c.in)
		c.in = grown
	}
	n, err := c.Conn.Read(c.in[left:cap(c.in)])
	c.in = c.in[:left+n]
	c.trust += n
	if n > 0 {
		return nil
	}
	if err == io.EOF && left > 0 {
		return io.ErrUnexpectedEOF
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// writeParts writes parts, which together are whole frames, and removes what it
// has written from them. It returns how many of their bytes these are; frames
// of which only a part was written do not count, but a later call goes on where
// this one was interrupted.
func (c *sealedConn) writeParts(parts *net.Buffers) (total int64, err error) {
	for {
		if c.outPos < len(c.out) {
			n, err := c.Conn.Write(c.out[c.outPos:])
			c.outPos += n
			total += c.written(parts)
			if err != nil {
				return total, err
			}
		}
		c.out, c.outPos, c.ends = c.out[:0], 0, c.ends[:0]
		if len(*parts) == 0 {
			if cap(c.out) > sealedChunk*2 {
				c.out = nil
			}
			return total, nil
		}
		if err := c.seal(*parts); err != nil {
			return total, err
		}
	}
}

// written removes the frames from parts that are completely written.
func (c *sealedConn) written(parts *net.Buffers) int64 {
	var plain int64
	done := 0
	for _, e := range c.ends {
		if e.sealed > c.outPos {
			break
		}
		plain += e.plain
		done++
	}
	c.ends = c.ends[done:]
	for n := plain; n > 0; {
		first := (*parts)[0]
		k := min(int64(len(first)), n)
		n -= k
		if (*parts)[0] = first[k:]; len((*parts)[0]) == 0 {
			*parts = (*parts)[1:]
		}
	}
	return plain
}

// seal seals frames from the beginning of parts on, about a chunk of them.
func (c *sealedConn) seal(parts net.Buffers) error {
	i, at := 0, 0 // in parts
	for i < len(parts) && len(c.out) < sealedChunk {
		size := int64(0)
		// A header lies in one part, its body behind it or in the next one.
		flags, n, pos := frameAt(parts[i], at)
		size = int64(pos - at + n)
		var body []byte
		if pos+n <= len(parts[i]) {
			body, at = parts[i][pos:pos+n], pos+n
		} else {
			body = c.body[:0]
			rest := n
			at = pos
			for rest > 0 {
				if at == len(parts[i]) {
					i, at = i+1, 0
				}
				k := min(rest, len(parts[i])-at)
				if k == n { // all of it in one piece
					body = parts[i][at : at+k]
				} else {
					body = append(body, parts[i][at:at+k]...)
					c.body = body
				}
				at += k
				rest -= k
			}
		}
		if at == len(parts[i]) {
			i, at = i+1, 0
		}
		var err error
		c.out, err = c.session.Seal(c.out, zmtp.Frame{
			More: flags&zmtp.FlagMore != 0, Command: flags&zmtp.FlagCommand != 0, Body: body,
		})
		if err != nil {
			return err
		}
		c.ends = append(c.ends, frameEnd{len(c.out), size})
	}
	return nil
}

// CloseWrite ends the sending half, if the connection beneath can.
func (c *sealedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
