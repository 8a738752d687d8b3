package msgcore

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A packetLink makes an endpoint of packets look to a session like a connection
// that speaks ZMTP 3: what is written becomes packets, and packets become what is
// read. What a subscriber says of its subscriptions goes nowhere, because nobody
// could hear it; its socket filters.
//
// One goroutine may read while another writes.
type packetLink struct {
	ss   *session
	conn transport.PacketConn
	enc  packetEncoder // nil where nothing is sent
	dec  packetDecoder // nil where nothing is received

	in    []transport.Packet
	plain []byte // decoded and not handed out: plain[at:]
	at    int
}

type (
	// A packetEncoder makes packets of messages.
	packetEncoder interface {
		// add takes one frame.
		add(flags byte, body []byte)
		// packets returns what is to be sent now; end says that no more frames
		// are at hand. They are valid until the next call of add.
		packets(end bool) []transport.Packet
	}
	// A packetDecoder makes messages of packets.
	packetDecoder interface {
		// decode appends the messages that p makes whole to dst, in ZMTP
		// framing.
		decode(dst []byte, p *transport.Packet) []byte
	}
)

const packetBatch = 64

func newPacketLink(ss *session, conn transport.PacketConn, ordered bool) *packetLink {
	l := &packetLink{ss: ss, conn: conn}
	s := ss.s
	switch {
	case ordered && (s.typ == Pub || s.typ == XPub):
		l.enc = newFeedEncoder(conn.MaxPacket())
	case ordered:
		l.dec = newFeedDecoder(s.opts.MaxMessage, &s.packets, l.lost)
	default:
		if s.typ != Dish {
			l.enc = &datagramEncoder{addressed: s.typ == Dgram}
		}
		if s.typ != Radio {
			l.dec = &datagramDecoder{addressed: s.typ == Dgram, max: s.opts.MaxMessage, counters: &s.packets}
		}
	}
	return l
}

// lost reports packets that are missing for good.
func (l *packetLink) lost(n uint64) {
	l.ss.s.event(Event{Kind: PacketsLost, Endpoint: l.ss.info.Endpoint, Peer: *l.ss.info, Lost: n})
}

// Read reads a part of the messages that have come.
func (l *packetLink) Read(p []byte) (int, error) {
	for l.at == len(l.plain) {
		l.plain, l.at = l.plain[:0], 0
		if cap(l.plain) > maxBatchBytes {
			l.plain = nil
		}
		if l.in == nil {
			l.in = make([]transport.Packet, packetBatch)
		}
		n, err := l.conn.ReadPackets(l.in)
		if err != nil {
			return 0, err
		}
		for i := range n {
			if l.dec != nil {
				l.plain = l.dec.decode(l.plain, &l.in[i])
			}
		}
	}
	n := copy(p, l.plain[l.at:])
	l.at += n
	return n, nil
}

// writeParts writes parts, which are whole frames, and removes them. It returns
// early, so that it is seen that something moves.
func (l *packetLink) writeParts(parts *net.Buffers) (total int64, err error) {
	w := frameWalker{parts: *parts}
	for {
		flags, body, size, ok := w.next()
		total += size
		if l.enc == nil && ok {
			continue
		}
		if ok && flags&zmtp.FlagCommand == 0 {
			l.enc.add(flags, body)
		}
		if l.enc != nil {
			ps := l.enc.packets(!ok)
			if err := l.send(ps); err != nil {
				return 0, err
			}
			if rest := w.rest(); len(ps) > 0 && len(rest) > 0 && flags&zmtp.FlagMore == 0 {
				*parts = rest
				return total, nil
			}
		}
		if !ok {
			*parts = nil
			return total, nil
		}
	}
}

// send sends ps. A packet that the system refuses is lost, as any may be; the
// transport has counted it.
func (l *packetLink) send(ps []transport.Packet) error {
	for len(ps) > 0 {
		n, err := l.conn.WritePackets(ps)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			n++
		}
		ps = ps[min(n, len(ps)):]
	}
	return nil
}

// Write is writeParts for one part.
func (l *packetLink) Write(p []byte) (int, error) {
	parts := net.Buffers{p}
	var total int64
	for len(parts) > 0 {
		n, err := l.writeParts(&parts)
		total += n
		if err != nil {
			return int(total), err
		}
	}
	return int(total), nil
}

// CloseWrite lets the transport finish what it has to do for others, such as
// repairs; without that there is nothing to wait for.
func (l *packetLink) CloseWrite() error {
	if f, ok := l.conn.(transport.Finisher); ok && f.Finish() {
		return nil
	}
	return errors.ErrUnsupported
}

func (l *packetLink) Close() error                     { return l.conn.Close() }
func (l *packetLink) LocalAddr() net.Addr              { return l.conn.Addr() }
func (l *packetLink) RemoteAddr() net.Addr             { return l.conn.Addr() }
func (l *packetLink) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (l *packetLink) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (l *packetLink) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// A frameWalker walks whole frames, of which a body may stand in a part of its
// own behind its header.
type frameWalker struct {
	parts net.Buffers
	i, at int
}

// next returns the next frame and how many bytes it takes.
func (w *frameWalker) next() (flags byte, body []byte, size int64, ok bool) {
	for w.i < len(w.parts) && w.at == len(w.parts[w.i]) {
		w.i, w.at = w.i+1, 0
	}
	if w.i == len(w.parts) {
		return 0, nil, 0, false
	}
	part := w.parts[w.i]
	flags, n, pos := frameAt(part, w.at)
	size = int64(pos - w.at + n)
	if pos+n > len(part) { // then nothing of it is in this part
		w.i++
		w.at = n
		return flags, w.parts[w.i][:n], size, true
	}
	w.at = pos + n
	return flags, part[pos:w.at], size, true
}

// rest returns what was not walked.
func (w *frameWalker) rest() net.Buffers {
	if w.i < len(w.parts) {
		w.parts[w.i] = w.parts[w.i][w.at:]
		w.at = 0
		if len(w.parts[w.i]) == 0 {
			w.i++
		}
	}
	return w.parts[w.i:]
}
