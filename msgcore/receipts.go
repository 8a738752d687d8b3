package msgcore

import (
	"net"

	"github.com/solomq/solomq/transport"
)

// Receipts are kept of the messages written to a connection that knows what its
// other end has read (transport.DeliveryConn), so that nothing is in doubt when it
// has ended. Positions count the bytes that a session has written since its
// handshake, commands among them. They belong to whoever plays the writer's part,
// and once the session has ended are guarded by sendMu.
type receipts struct {
	p    *peer
	info *PeerInfo
	conn plainDelivery
	at   int64   // the position behind the last command or message
	ends []int64 // of messages that may not be read yet
	most int     // so many ends are kept before it is looked which of them are
}

// A plainDelivery tells how many bytes in the framing of ZMTP 3 the other end has
// read, since the handshake, and whether it will read no more. Bytes of a frame that
// goes over the wire in another form count once it was read as a whole.
type plainDelivery interface {
	readBack() (n int64, final bool)
}

const fewReceipts = 256

// keepReceipts begins to keep them, if c, which is as ss.conn or beneath it, tells.
func (ss *session) keepReceipts() {
	if d := deliveryOf(ss.conn); d != nil {
		ss.receipts = &receipts{conn: d, most: fewReceipts}
	}
}

// deliveryOf returns what c tells of its other end; nil if it does not.
func deliveryOf(c net.Conn) plainDelivery {
	switch c := c.(type) {
	case *sealedConn:
		return c.out.sent.ifTold()
	case *oldConn:
		return c.out.sent.ifTold()
	case *byteConn:
		return c.out.sent.ifTold()
	case transport.DeliveryConn:
		written, _, _ := c.Delivery()
		return &delivered{c, written}
	}
	return nil
}

// A delivered is a connection that has the framing of ZMTP 3 itself.
type delivered struct {
	conn transport.DeliveryConn
	from int64 // so many bytes were written before
}

func (d *delivered) readBack() (n int64, final bool) {
	_, read, final := d.conn.Delivery()
	return max(read-d.from, 0), final
}

// A translation notes where frames end, as they were and as they go over the wire.
// Its user calls add for each frame, in their order, if told is set.
type translation struct {
	told  *delivered // nil: the connection does not tell
	total frameEnds  // of all frames
	ends  []frameEnds
	most  int   // so many ends are kept before it is looked which of them were read
	read  int64 // plain bytes, of frames that are not among ends any more
}

type frameEnds struct{ plain, wire int64 }

// over is a translation of what goes over c.
func over(c net.Conn) translation {
	t := translation{}
	if d, ok := c.(transport.DeliveryConn); ok {
		written, _, _ := d.Delivery()
		t.told = &delivered{d, written}
	}
	return t
}

func (t *translation) ifTold() plainDelivery {
	if t.told == nil {
		return nil
	}
	return t
}

func (t *translation) add(plain, wire int64) {
	t.total.plain += plain
	t.total.wire += wire
	t.ends = append(t.ends, t.total)
	if len(t.ends) > max(t.most, fewReceipts) { // there may be commands only, for which nobody asks
		t.readBack()
		t.most = 2 * len(t.ends)
	}
}

func (t *translation) readBack() (int64, bool) {
	n, final := t.told.readBack()
	done := 0
	for done < len(t.ends) && t.ends[done].wire <= n {
		t.read = t.ends[done].plain
		done++
	}
	t.ends = t.ends[:copy(t.ends, t.ends[done:])]
	return t.read, final
}

// commands notes that commands of n bytes are about to be written.
func (r *receipts) commands(n int) { r.at += int64(n) }

// written notes the messages of b whose last byte is among its first n bytes, which
// were written; those behind them are noted later.
func (r *receipts) written(b *block, n int64) {
	from := r.at
	b.each(func(m messageEnd) bool {
		if m.wire <= n {
			r.at = from + m.wire
			r.ends = append(r.ends, r.at)
		}
		return m.wire < n
	})
	if len(r.ends) > r.most {
		r.prune()
		r.most = max(fewReceipts, 2*len(r.ends))
	}
}

// prune forgets the messages that were read.
func (r *receipts) prune() (final bool) {
	read, final := r.conn.readBack()
	n := 0
	for n < len(r.ends) && r.ends[n] <= read {
		n++
	}
	r.ends = r.ends[:copy(r.ends, r.ends[n:])]
	return final
}

// settle counts what the peers of connections that have ended have not read, as far
// as that is known by now; under sendMu. What they may yet read stays for later.
func (s *Socket) settle() {
	kept := s.unsettled[:0]
	for _, r := range s.unsettled {
		if r.prune() {
			s.drop(DropUndelivered, r.p, r.info, len(r.ends))
		} else if len(r.ends) > 0 {
			kept = append(kept, r)
		}
	}
	clear(s.unsettled[len(kept):])
	s.unsettled = kept
}
