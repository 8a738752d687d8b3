package msgcore

// With Options.Conflate a pipe keeps its last message only. It has no bound then,
// and needs none: a message that the consumer has taken is the consumer's, and
// what comes meanwhile replaces what came before it.

// conflates makes p such a pipe, if s is to have them.
func (s *Socket) conflates(p *pipe) {
	if s.opts.Conflate {
		p.replaced = &s.drops.replaced
	}
}

// keepLast drops all messages but the last one; under p.mu. It is called behind
// each message that is added, before that counts.
func (p *pipe) keepLast() {
	last := len(p.blocks) - 1
	if last < 0 {
		return
	}
	drop := func(msgs int, size int64) {
		p.msgs -= msgs
		p.bytes -= size
		p.replaced.Add(uint64(msgs))
	}
	for i := range p.blocks[:last] {
		drop(p.blocks[i].msgs, p.blocks[i].size)
		p.blocks[i].free()
	}
	p.blocks[0], p.blocks[last] = p.blocks[last], p.blocks[0]
	p.blocks = p.blocks[:1]
	drop(p.blocks[0].cut(p.blocks[0].size - 1))
}
