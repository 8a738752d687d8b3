package msgcore

import (
	"io"
	"net"
	"syscall"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A sealedConn is a connection whose frames a security mechanism protects. It
// looks to a session as if they were plain: frame by frame it seals what is
// written and opens what is read, many frames to a system call. Commands are
// sealed like messages, so that nothing goes over the wire in the clear.
//
// One goroutine may read while another writes. While there is nothing to read or
// write it owns no buffer.
type sealedConn struct {
	net.Conn
	session zmtp.Session
	in      sealedReader
	out     sealedWriter
}

// newSealedConn returns one of which ahead was read already.
func newSealedConn(c net.Conn, session zmtp.Session, ahead []byte) *sealedConn {
	s := &sealedConn{Conn: c, session: session}
	if len(ahead) > 0 {
		s.in.obtain()
		s.in.end = copy(s.in.buf.buf, ahead)
		s.in.trust = s.in.end
	}
	s.in.raw, s.out.sent = rawConn(c), over(c)
	return s
}

// A sealedReader is what reading needs. Frames are opened where they arrived and
// copied once, to where they are wanted.
type sealedReader struct {
	raw syscall.RawConn // nil where waiting takes a buffer

	buf      *bodyBuf // what was read and not opened is buf.buf[pos:end]
	pos, end int
	size     int // of the next buffer

	// The opened frame that is being handed out: what is left of its plain
	// header, and of its body, which lies in buf.
	hdrs [zmtp.MaxHeader]byte
	hdr  []byte
	body []byte
	err  error // to return once the frames before it are handed out

	trust int // bytes received, to judge how far to believe a claimed length

	tryFn func(fd uintptr) bool // tryRead, made once
	n     int                   // its results
	rerr  error
}

const (
	sealedFirst = bodyMin   // the first buffer
	sealedMost  = 160 << 10 // the largest one, but for a larger frame
)

// Read reads a part of the plain stream.
func (c *sealedConn) Read(p []byte) (int, error) {
	r := &c.in
	n := r.handOut(p)
	for n < len(p) && r.err == nil {
		need, err := c.openNext()
		switch {
		case err != nil:
			r.err = err
		case need == 0:
			n += r.handOut(p[n:])
		case n > 0:
			return n, nil
		default:
			if err := r.fill(c.Conn, need); err != nil {
				return 0, err // which may be a deadline
			}
		}
	}
	if n > 0 || len(p) == 0 {
		r.release()
		return n, nil
	}
	return 0, r.err
}

// handOut copies what is left of the opened frame to p.
func (r *sealedReader) handOut(p []byte) int {
	n := copy(p, r.hdr)
	r.hdr = r.hdr[n:]
	m := copy(p[n:], r.body)
	r.body = r.body[m:]
	return n + m
}

// openNext opens the next frame if it is there as a whole; else need is how many
// bytes from pos on are worth waiting for.
func (c *sealedConn) openNext() (need int, err error) {
	r := &c.in
	if r.buf == nil {
		return 1, nil
	}
	b := r.buf.buf[r.pos:r.end]
	flags, n, hdr, err := zmtp.ParseHeader(b)
	switch {
	case err != nil:
		return 0, err
	case hdr == 0:
		return len(b) + 1, nil
	case flags != 0 && flags != zmtp.FlagLong:
		return 0, &zmtp.ProtocolError{Rule: "a frame that is not sealed on a secured connection"}
	case uint64(len(b)-hdr) < n:
		return r.claim(len(b), hdr, n), nil
	}
	f, err := c.session.Open(b[hdr : hdr+int(n)])
	if err != nil {
		return 0, err
	}
	r.pos += hdr + int(n)
	flags = 0
	if f.More {
		flags = zmtp.FlagMore
	}
	if f.Command {
		flags = zmtp.FlagCommand
	}
	r.hdr = zmtp.AppendHeader(r.hdrs[:0], flags, len(f.Body))
	r.body = f.Body
	return 0, nil
}

// claim says how large a buffer to use for a frame of which have bytes are
// there: what the peer claims is believed as far as it has kept its word.
func (r *sealedReader) claim(have, hdr int, n uint64) int {
	trust := uint64(min(max(trusted, r.trust, 2*have), max(trustedMax, 2*have)))
	return int(min(uint64(hdr)+n, trust))
}

// fill reads once, into a buffer that has room for need bytes from pos on.
func (r *sealedReader) fill(c net.Conn, need int) error {
	r.makeRoom(need)
	n, err := r.read(c)
	r.end += n
	r.trust += n
	if n > 0 {
		if r.end == len(r.buf.buf) && r.size < sealedMost {
			r.size = min(2*max(r.size, sealedFirst), sealedMost)
		}
		return nil
	}
	if err == io.EOF && r.pos < r.end {
		return io.ErrUnexpectedEOF
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// makeRoom moves what is unfinished to the beginning of a buffer that has room.
func (r *sealedReader) makeRoom(need int) {
	left := r.end - r.pos
	if r.buf == nil {
		return
	}
	if size := max(need, r.size); len(r.buf.buf) < size && left > 0 {
		grown := newBody(size)
		copy(grown.buf, r.buf.buf[r.pos:r.end])
		r.buf.drop()
		r.buf = grown
	} else if r.pos > 0 {
		copy(r.buf.buf, r.buf.buf[r.pos:r.end])
	}
	r.pos, r.end = 0, left
}

// read reads once. With nothing unfinished it holds no buffer while it waits.
func (r *sealedReader) read(c net.Conn) (int, error) {
	if r.raw == nil {
		r.obtain()
		n, err := c.Read(r.buf.buf[r.end:])
		if n == 0 {
			r.release()
		}
		return n, err
	}
	if r.tryFn == nil {
		r.tryFn = r.tryRead
	}
	r.n, r.rerr = 0, nil
	if err := r.raw.Read(r.tryFn); err != nil {
		return 0, err
	}
	return r.n, r.rerr
}

func (r *sealedReader) tryRead(fd uintptr) bool {
	r.obtain()
	var again bool
	r.n, again, r.rerr = readFD(fd, r.buf.buf[r.end:])
	if r.n == 0 {
		r.release()
	}
	return !again
}

func (r *sealedReader) obtain() {
	if r.buf == nil {
		r.buf = newBody(max(r.size, sealedFirst))
		r.pos, r.end = 0, 0
	}
}

// release gives the buffer back if nothing is in it.
func (r *sealedReader) release() {
	if r.buf != nil && r.pos == r.end && len(r.hdr) == 0 && len(r.body) == 0 {
		r.buf.drop()
		r.buf = nil
	}
}

// A sealedWriter is what writing needs.
type sealedWriter struct {
	buf  *bodyBuf
	out  []byte // sealed and not written: out[pos:], in buf
	pos  int
	ends []frameEnd // of the frames in out
	body []byte     // of a frame that came in several parts
	sent translation
}

// A frameEnd tells where a frame ends: in sealedWriter.out, and how many plain
// bytes of the batch it stands for.
type frameEnd struct {
	sealed int
	plain  int64
}

const (
	sealedChunk = 64 << 10 // so much is sealed, and then written
	sealedExtra = 256      // more than a mechanism adds to a frame
)

// writeParts writes parts, which together are whole frames, and removes what it
// has written from them. It returns how many of their bytes these are; frames
// of which only a part was written do not count, but a later call goes on where
// this one was interrupted.
func (c *sealedConn) writeParts(parts *net.Buffers) (total int64, err error) {
	w := &c.out
	for {
		if w.pos < len(w.out) {
			n, err := c.Conn.Write(w.out[w.pos:])
			w.pos += n
			total += w.written(parts)
			if err != nil {
				return total, err
			}
		}
		w.pos, w.ends = 0, w.ends[:0]
		if len(*parts) == 0 {
			w.release()
			return total, nil
		}
		if err := w.seal(c.session, *parts); err != nil {
			return total, err
		}
	}
}

// release gives the buffers back: everything is written.
func (w *sealedWriter) release() {
	w.out, w.body = nil, nil
	w.buf.drop()
	w.buf = nil
}

// written removes the frames from parts that are completely written.
func (w *sealedWriter) written(parts *net.Buffers) int64 {
	var plain int64
	done := 0
	for _, e := range w.ends {
		if e.sealed > w.pos {
			break
		}
		plain += e.plain
		done++
	}
	w.ends = w.ends[:copy(w.ends, w.ends[done:])]
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
func (w *sealedWriter) seal(session zmtp.Session, parts net.Buffers) error {
	w.obtain(parts)
	i, at := 0, 0 // in parts
	for i < len(parts) && len(w.out) < sealedChunk {
		// A header lies in one part, its body behind it or in the next one.
		flags, n, pos := frameAt(parts[i], at)
		if len(w.out) > 0 && len(w.out)+n+sealedExtra > cap(w.out) {
			break
		}
		size := int64(pos - at + n)
		var body []byte
		if pos+n <= len(parts[i]) {
			body, at = parts[i][pos:pos+n], pos+n
		} else {
			body, i, at = w.gather(parts, i, pos, n)
		}
		if i < len(parts) && at == len(parts[i]) {
			i, at = i+1, 0
		}
		var err error
		from := len(w.out)
		w.out, err = session.Seal(w.out, zmtp.Frame{
			More: flags&zmtp.FlagMore != 0, Command: flags&zmtp.FlagCommand != 0, Body: body,
		})
		if err != nil {
			return err
		}
		w.ends = append(w.ends, frameEnd{len(w.out), size})
		if w.sent.told != nil {
			w.sent.add(size, int64(len(w.out)-from))
		}
	}
	return nil
}

// gather returns the body of n bytes that begins at parts[i][at:] and goes on in
// the parts behind, and where it ends.
func (w *sealedWriter) gather(parts net.Buffers, i, at, n int) (body []byte, ended, end int) {
	body = w.body[:0]
	for rest := n; rest > 0; {
		if at == len(parts[i]) {
			i, at = i+1, 0
			continue
		}
		k := min(rest, len(parts[i])-at)
		if k == n { // all of it in one piece
			body = parts[i][at : at+k]
		} else {
			body = append(body, parts[i][at:at+k]...)
			w.body = body
		}
		at += k
		rest -= k
	}
	return body, i, at
}

// obtain makes out an empty buffer with room for parts, as far as they are sealed
// at once, and for the first frame in any case.
func (w *sealedWriter) obtain(parts net.Buffers) {
	_, first, _ := frameAt(parts[0], 0)
	want := 0
	for _, p := range parts {
		want += len(p)
	}
	want = max(first+sealedExtra, min(2*want+sealedExtra, sealedMost))
	if w.buf != nil && len(w.buf.buf) < want {
		w.buf.drop()
		w.buf = nil
	}
	if w.buf == nil {
		w.buf = newBody(want)
	}
	w.out = w.buf.buf[:0]
}

// CloseWrite ends the sending half, if the connection beneath can.
func (c *sealedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
