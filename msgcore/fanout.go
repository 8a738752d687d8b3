package msgcore

import "github.com/solomq/solomq/msgcore/zmtp"

// A fanout puts one message into several pipes. It is encoded once; large
// frames are shared by the pipes that lead to connections, and copied into
// those that lead to a socket of this process, which becomes their owner.
type fanout struct {
	o       *outgoing
	left    int // pipes that may still take it
	encoded bool
	raw     []byte
	bodies  []body
}

// begin starts a message for at most n peers.
func (f *fanout) begin(o *outgoing, n int) {
	f.o, f.left, f.encoded = o, n, false
}

// offer queues the message for p if there is room, and drops it for p if not. It
// wakes p's session; a socket of this process, whose lock comes before ours, is
// left to r.
func (f *fanout) offer(s *Socket, p *peer, r *sendResult) {
	switch {
	case !p.out.room(f.o.size):
		p.drop(DropFull)
		f.left--
	case !f.push(p.out):
	case p.twin == nil:
		p.claim().do(false)
	default:
		r.more = append(r.more, p)
	}
}

// push appends the message to p, for which there is room, and reports whether
// the consumer has to be woken.
func (f *fanout) push(p *pipe) (wake bool) {
	f.left--
	if !f.encoded {
		if f.left == 0 {
			return p.push(f.o)
		}
		f.encode()
	}
	b := p.tail(len(f.raw))
	at := len(b.b)
	b.b = append(b.b, f.raw...)
	for _, bd := range f.bodies {
		bd.off += at
		if p.direct {
			own := newBody(len(bd.b))
			n := copy(own.buf, bd.b)
			bd.b, bd.own = own.buf[:n:n], own
		} else {
			bd.own.hold(1)
		}
		b.bodies = append(b.bodies, bd)
	}
	b.msgs++
	b.frames += len(f.o.frames)
	b.size += f.o.size
	if b.msgs >= p.batch {
		p.seal()
	}
	if p.replaced != nil {
		p.keepLast()
	}
	return p.added(1, f.o.size)
}

func (f *fanout) encode() {
	f.encoded = true
	f.raw = f.raw[:0]
	var shared *bodyBuf // of a message that is given away
	last := len(f.o.frames) - 1
	for i, fr := range f.o.frames {
		var flags byte
		if i < last {
			flags = zmtp.FlagMore
		}
		f.raw = zmtp.AppendHeader(f.raw, flags, len(fr))
		if len(fr) <= inlineMax {
			f.raw = append(f.raw, fr...)
			continue
		}
		bd := body{off: len(f.raw)}
		if f.o.given {
			if shared == nil {
				shared = borrowed(f.o.from)
				f.o.from = Msg{}
			} else {
				shared.hold(1)
			}
			bd.b, bd.own = fr[:len(fr):len(fr)], shared
		} else {
			bd.own = newBody(len(fr))
			bd.b = bd.own.buf[:len(fr):len(fr)]
			copy(bd.b, fr)
		}
		f.bodies = append(f.bodies, bd)
	}
}

// done gives up the fanout's own hold on what it has shared.
func (f *fanout) done() {
	for i := range f.bodies {
		f.bodies[i].own.drop()
	}
	clear(f.bodies)
	f.o, f.bodies = nil, f.bodies[:0]
}
