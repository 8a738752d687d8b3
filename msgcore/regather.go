package msgcore

import (
	"net"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A regather writes the bodies of frames in another framing than that of ZMTP 3,
// in which blocks have them, or in none.
type regather struct {
	header func(dst []byte, more bool, n int) []byte // nil: none

	pieces  net.Buffers // gathered from several frames
	rest    net.Buffers // of these, what is not yet written
	added   int64       // bytes of headers among them
	headers []byte      // these headers
	skipped int64       // bytes of the headers that they stand for
	left    int         // bytes of the last frame that come in the next part
	sent    translation
	command byte // what the command behind the frames begins with; 0: there is none
}

// write writes parts, which together are whole frames, and removes what it has
// gathered from them. obey is called for the first byte of each command; commands
// do not go out. It returns how many bytes of parts were written; headers count when
// all that was gathered is. A later call goes on where this one was interrupted.
func (g *regather) write(c net.Conn, parts *net.Buffers, obey func(byte)) (total int64, err error) {
	for {
		n, err := g.rest.WriteTo(c)
		if g.added > 0 { // some of what was written stands for nothing of parts
			k := min(n, g.added)
			g.added -= k
			n -= k
		}
		total += n
		if err != nil {
			return total, err
		}
		clear(g.pieces)
		total += g.skipped
		g.skipped = 0
		if g.command != 0 {
			obey(g.command)
			g.command = 0
		}
		if len(*parts) == 0 {
			return total, nil
		}
		g.gather(parts)
	}
}

// gather moves the bodies of parts to g.rest, up to the first command, which it
// notes.
func (g *regather) gather(parts *net.Buffers) {
	g.pieces, g.headers = g.pieces[:0], g.headers[:0]
	for len(*parts) > 0 && g.command == 0 {
		p := (*parts)[0]
		for len(p) > 0 && g.command == 0 {
			if g.left == 0 {
				flags, n, at := frameAt(p, 0) // headers are in one piece
				g.skipped += int64(at)
				if flags&zmtp.FlagCommand != 0 { // and so are commands
					g.note(at+n, 0)
					g.skipped += int64(n)
					g.command = p[at]
					p = p[at+n:]
					continue
				}
				g.left, p = n, p[at:]
				g.note(at+n, g.addHeader(flags&zmtp.FlagMore != 0, n)+n)
				continue
			}
			k := min(g.left, len(p))
			g.pieces = append(g.pieces, p[:k:k])
			g.left, p = g.left-k, p[k:]
		}
		if (*parts)[0] = p; len(p) == 0 {
			(*parts)[0] = nil
			*parts = (*parts)[1:]
		}
	}
	g.rest = g.pieces
}

// note notes a frame: what it is, and what goes out for it.
func (g *regather) note(plain, wire int) {
	if g.sent.told != nil {
		g.sent.add(int64(plain), int64(wire))
	}
}

// addHeader adds the header of a frame of n bytes, and returns how long it is.
func (g *regather) addHeader(more bool, n int) int {
	if g.header == nil {
		return 0
	}
	from := len(g.headers)
	g.headers = g.header(g.headers, more, n)
	g.pieces = append(g.pieces, g.headers[from:len(g.headers):len(g.headers)])
	size := len(g.headers) - from
	g.added += int64(size)
	return size
}
