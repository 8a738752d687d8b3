package msgcore

import (
	"encoding/binary"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A Request whose connection has broken gets no reply any more, if it was
// written to it. That is told in band, behind the replies that have come. A
// request that was not written waits for the next connection; so each notes how
// many connections of its peer had ended when it was queued, or queued again.

// eventLost marks the block that tells of it; its message is the number of
// connections that have ended.
const eventLost Notify = 1 << 7

func lostBlock(ends uint32) block {
	b := oneBlock([][]byte{binary.BigEndian.AppendUint32(nil, ends)})
	b.event = eventLost
	return b
}

// queued notes that c's request waits for p; under sendMu.
func (c *call) queued(p *peer) { c.to, c.ends = p, p.ends }

// connectionEnded notes that p's connection has, with what it has not written
// given back, and returns how many have; lost says that Requests must hear of it.
// Under recvMu and sendMu.
func (s *Socket) connectionEnded(p *peer) (ends uint32, lost bool) {
	if !s.requests.Load() {
		return 0, false
	}
	p.ends++
	if len(s.calls.waiting) > 0 {
		for i := range p.out.blocks {
			p.out.blocks[i].requestIDs(func(id uint32) {
				if c := s.calls.waiting[id]; c != nil && c.to == p {
					c.queued(p)
				}
			})
		}
	}
	return p.ends, true
}

// loseCalls ends the Requests whose request was queued for p when at least from
// and fewer than below of its connections had ended; under recvMu.
func (s *Socket) loseCalls(p *peer, from, below uint32) {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if s.closed {
		return // that is what they say
	}
	for id, c := range s.calls.waiting {
		if c.to == p && from <= c.ends && c.ends < below {
			c.lost = true
			s.finishCall(id, c)
		}
	}
}

// requestIDs calls yield with the first frame of each message that may be the id
// of a Request.
func (b *block) requestIDs(yield func(id uint32)) {
	first := true
	for pos, next := 0, 0; pos < len(b.b); {
		flags, n, at := frameAt(b.b, pos)
		pos = at
		if next < len(b.bodies) && b.bodies[next].off == at {
			next++
		} else {
			pos += n
			if first && flags&zmtp.FlagMore != 0 && n == callID {
				yield(binary.BigEndian.Uint32(b.b[at:]))
			}
		}
		first = flags&zmtp.FlagMore == 0
	}
}
