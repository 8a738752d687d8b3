package msgcore

// With Options.Conflate a pipe keeps its last message only. It has no bound then,
// and needs none: a message that the consumer has taken is the consumer's, and
// what comes meanwhile replaces what came before it.

// A replacing counts what is replaced in a pipe of s, to or from p. The info is
// p's own, if not given.
type replacing struct {
	s    *Socket
	p    *peer
	info *PeerInfo
}

// conflates makes q such a pipe, to or from p, if s is to have them.
func (s *Socket) conflates(q *pipe, p *peer, info *PeerInfo) {
	if s.opts.Conflate {
		q.replaced = &replacing{s, p, info}
	}
}

// keepLast drops all messages but the last one; under p.mu. It is called behind
// each message that is added, before that counts.
func (p *pipe) keepLast() {
	last := len(p.blocks) - 1
	if last < 0 {
		return
	}
	for i := range p.blocks[:last] {
		p.replace(p.blocks[i].msgs, p.blocks[i].size)
		p.blocks[i].free()
	}
	p.blocks[0], p.blocks[last] = p.blocks[last], p.blocks[0]
	p.blocks = p.blocks[:1]
	p.replace(p.blocks[0].cut(p.blocks[0].size - 1))
}

// keepNone drops all messages, since one is about to be added; under p.mu.
func (p *pipe) keepNone() {
	for i := range p.blocks {
		p.replace(p.blocks[i].msgs, p.blocks[i].size)
		p.blocks[i].free()
	}
	p.blocks, p.open = p.blocks[:0], false
}

// replace accounts for messages that are dropped for a newer one.
func (p *pipe) replace(msgs int, size int64) {
	p.msgs -= msgs
	p.bytes -= size
	p.other.add(tally{int64(msgs), size})
	p.replaced.count(msgs)
}

func (r *replacing) count(msgs int) {
	info := r.info
	if info == nil {
		info = r.p.describe()
	}
	r.s.drop(DropReplaced, r.p, info, msgs)
}
