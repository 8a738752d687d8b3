package msgcore

import (
	"encoding/binary"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A block is a run of whole messages in the framing of ZMTP 3 (RFC 37): the
// unit that goroutines hand to each other. Frames lie one behind the other in
// b, headers and bodies; the body of a large frame may stand beside it.
//
// A block holds a reference of its slab and of each of its bodies.
type block struct {
	slab   *slab
	b      []byte
	bodies []body
	msgs   int
	frames int
	size   int64  // on the wire
	note   bool   // no peer has sent it
	event  Notify // instead of data: what a ROUTER tells its application
}

// A body is a frame's body that does not lie in its block: it follows b[:off].
type body struct {
	off int
	b   []byte
	own *bodyBuf // nil: left to the collector
}

// free gives everything back that b holds.
//
//go:noinline
func (b *block) free() {
	if b.slab != nil {
		b.slab.drop()
	}
	for i := range b.bodies {
		b.bodies[i].own.drop()
	}
	*b = block{}
}

// frameAt reads the header at pos of a block, which is known to be whole.
func frameAt(b []byte, pos int) (flags byte, n, body int) {
	flags = b[pos]
	if flags&zmtp.FlagLong == 0 {
		return flags, int(b[pos+1]), pos + 2
	}
	return flags, int(binary.BigEndian.Uint64(b[pos+1:])), pos + 9
}

// A messageEnd is where a message of a block ends: on the wire, in its bytes, and among
// its bodies and its frames.
type messageEnd struct {
	wire                int64
	pos, bodies, frames int
}

// each calls f with where each message of b ends, until that returns false.
func (b *block) each(f func(messageEnd) bool) {
	var m messageEnd
	for m.pos < len(b.b) {
		flags, n, body := frameAt(b.b, m.pos)
		m.wire += int64(body-m.pos) + int64(n)
		m.frames++
		if m.pos = body; m.bodies < len(b.bodies) && b.bodies[m.bodies].off == body {
			m.bodies++
		} else {
			m.pos += n
		}
		if flags&zmtp.FlagMore == 0 && !f(m) {
			return
		}
	}
}

// cut splits off the messages whose last byte is among the first n bytes on the
// wire, and returns how many messages and bytes these were. What remains
// begins with a message of which no byte, or not every byte, is among the n.
func (b *block) cut(n int64) (msgs int, size int64) {
	var done messageEnd
	b.each(func(m messageEnd) bool {
		if m.wire <= n {
			msgs, done = msgs+1, m
		}
		return m.wire < n
	})
	for i := range b.bodies {
		if i < done.bodies {
			b.bodies[i].own.drop()
		} else {
			b.bodies[i].off -= done.pos
		}
	}
	clear(b.bodies[:done.bodies]) // the block may be there for long
	b.bodies = b.bodies[done.bodies:]
	b.b = b.b[done.pos:]
	b.msgs -= msgs
	b.frames -= done.frames
	b.size -= done.wire
	return msgs, done.wire
}

// appendParts appends the pieces of b to dst in the order of the wire.
func (b *block) appendParts(dst [][]byte) [][]byte {
	at := 0
	for i := range b.bodies {
		bd := &b.bodies[i]
		if bd.off > at {
			dst = append(dst, b.b[at:bd.off])
			at = bd.off
		}
		if len(bd.b) > 0 {
			dst = append(dst, bd.b)
		}
	}
	if at < len(b.b) {
		dst = append(dst, b.b[at:])
	}
	return dst
}
