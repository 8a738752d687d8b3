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

// cut splits off the messages whose last byte is among the first n bytes on the
// wire, and returns how many messages and bytes these were. What remains
// begins with a message of which no byte, or not every byte, is among the n.
func (b *block) cut(n int64) (msgs int, size int64) {
	var at int64 // on the wire
	pos, next, frames := 0, 0, 0
	donePos, doneBodies, doneFrames := 0, 0, 0
	for pos < len(b.b) {
		flags, length, body := frameAt(b.b, pos)
		at += int64(body-pos) + int64(length)
		pos = body
		if next < len(b.bodies) && b.bodies[next].off == body {
			next++
		} else {
			pos += length
		}
		frames++
		if at > n {
			break
		}
		if flags&zmtp.FlagMore == 0 {
			msgs++
			size, donePos, doneBodies, doneFrames = at, pos, next, frames
		}
	}
	for i := range b.bodies {
		if i < doneBodies {
			b.bodies[i].own.drop()
		} else {
			b.bodies[i].off -= donePos
		}
	}
	clear(b.bodies[:doneBodies]) // the block may be there for long
	b.bodies = b.bodies[doneBodies:]
	b.b = b.b[donePos:]
	b.msgs -= msgs
	b.frames -= doneFrames
	b.size -= size
	return msgs, size
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
