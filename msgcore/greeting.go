package msgcore

// Some messages come and go with a connection, without the application: what it
// begins with on our side (Options.Hello, ProbeRouter), and what it leaves behind
// when it ends (Options.Disconnected, Hiccup).

// greeting returns, in framing, what goes out first on each connection.
func (s *Socket) greeting() (b []byte) {
	if hello := s.opts.Hello; hello != nil {
		b = appendFrames(b, [][]byte{hello})
	}
	if s.opts.ProbeRouter {
		b = appendFrames(b, [][]byte{nil})
	}
	return b
}

// greet is greeting on inproc, where it goes ahead of what waits in p's pipe, and
// needs no room; under sendMu.
func (p *peer) greet() {
	o := &p.s.opts
	first := func(frame []byte) {
		b := oneBlock([][]byte{frame})
		p.greeted.add(tally{1, b.size})
		p.out.pushFront(b)
	}
	if o.ProbeRouter {
		first(nil)
	}
	if o.Hello != nil {
		first(o.Hello)
	}
}

// parting returns the frame that stands behind everything received from a peer
// whose connection has ended, as if the peer had sent it; nil if there is none.
func (s *Socket) parting(accepted bool) []byte {
	if accepted {
		return s.opts.Disconnected
	}
	return s.opts.Hiccup
}

// pushFront puts a block of one message in front of all others; it needs no room.
func (p *pipe) pushFront(b block) {
	p.untake([]block{b})
	p.msgs++
	p.bytes += b.size
}
