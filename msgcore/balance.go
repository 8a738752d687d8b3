package msgcore

// balance sends each message to one peer, in turn among those that have room
// (RFC 28, 30: round robin by credit). Guarded by sendMu.
type balance struct {
	s      *Socket
	peers  []*peer // those that may have room are peers[:active]
	active int
	next   int // whose turn it is, in peers[:active]
}

func (b *balance) attach(p *peer) error {
	p.index = len(b.peers)
	b.peers = append(b.peers, p)
	b.activate(p)
	return nil
}

func (b *balance) detach(p *peer) {
	if p.index < 0 {
		return
	}
	if p.index < b.active {
		b.deactivate(p)
	}
	last := len(b.peers) - 1
	b.swap(p.index, last)
	b.peers[last] = nil
	b.peers = b.peers[:last]
	p.index = -1
}

func (b *balance) room(p *peer) {
	if p.index >= b.active {
		b.activate(p)
	}
}

func (b *balance) swap(i, j int) {
	b.peers[i], b.peers[j] = b.peers[j], b.peers[i]
	b.peers[i].index, b.peers[j].index = i, j
}

func (b *balance) activate(p *peer) {
	b.swap(p.index, b.active)
	b.active++
}

func (b *balance) deactivate(p *peer) {
	b.active--
	b.swap(p.index, b.active)
	if b.next >= b.active {
		b.next = 0
	}
}

// writable reports whether a small message would be taken now.
func (b *balance) writable() bool {
	for b.active > 0 {
		p := b.peers[b.next]
		if p.out.room(1) {
			return true
		}
		p.out.starved = true
		b.deactivate(p)
	}
	return false
}

// send queues o for the next peer that has room.
func (b *balance) send(o *outgoing) (sendResult, error) {
	_, r := b.sendTo(o)
	return r, nil
}

func (b *balance) sendTo(o *outgoing) (*peer, sendResult) {
	p := b.pick(o.size)
	switch {
	case p == nil:
		return nil, sendResult{full: true}
	case p.out.push(o):
		return p, sendResult{woken: p}
	}
	return p, sendResult{}
}

func (b *balance) alone() bool { return b.active == 1 }

// pick is the next peer that has room for size bytes, which has had its turn
// then; nil if there is none.
func (b *balance) pick(size int64) *peer {
	for b.active > 0 {
		p := b.peers[b.next]
		if !p.out.room(size) {
			p.out.starved = true
			b.deactivate(p)
			continue
		}
		if b.next++; b.next >= b.active {
			b.next = 0
		}
		return p
	}
	return nil
}
