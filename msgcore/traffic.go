package msgcore

// Traffic counts messages and their bytes. Bytes are on the wire in the framing of
// ZMTP 3, on every transport, without commands and security. Of a STREAM each piece
// of bytes is a message.
type Traffic struct {
	// MessagesIn and BytesIn are whole messages that have come from peers, those
	// among them that were dropped then included.
	MessagesIn, BytesIn uint64
	// MessagesOut and BytesOut were written to a connection as a whole, or, on
	// inproc, handed to the other socket; but for Options.Hello and ProbeRouter. An
	// XPUB's Options.Welcome is among them.
	MessagesOut, BytesOut uint64
	// QueuedIn and QueuedInBytes have come and wait for Recv.
	QueuedIn, QueuedInBytes uint64
	// QueuedOut and QueuedOutBytes were sent and are not yet written.
	QueuedOut, QueuedOutBytes uint64
	// InDoubt and InDoubtBytes may or may not have arrived: they were written to
	// connections that then ended, other than by a Close of this socket in which
	// the peer had read everything and closed its end. On tcp and ipc nothing tells
	// what the peer has read, so that this is an upper bound: all that was written to
	// such a connection. Of a connection that tells (transport.DeliveryConn), as on
	// package simnet, nothing is in doubt: what the peer has not read is counted as
	// DroppedUndelivered. Packets of udp, pgm and epgm are not counted here.
	InDoubt, InDoubtBytes uint64
	// Reconnects are connections that were made again to an endpoint of Connect.
	Reconnects uint64
}

// PeerStats counts what became of the messages of one peer. It is made of numbers
// and names, as Stats is.
type PeerStats struct {
	ID         uint64 // numbers the peers of a socket, from 1 on; no number is used twice
	Endpoint   string // of ours that it is connected through
	RemoteAddr string // as the transport tells it; empty as long as there was no connection
	Type       string // its socket type's wire name
	RoutingID  string // by which a ROUTER addresses it; empty for other types
	PID        int    // of its process, by the kernel's word on ipc; else -1
	Connected  bool   // not so while an endpoint is dialed for which messages wait
	Traffic
	DropStats
}

// A tally counts messages and their bytes.
type tally struct{ msgs, bytes int64 }

func (t *tally) add(o tally) {
	t.msgs += o.msgs
	t.bytes += o.bytes
}

func (t tally) minus(o tally) tally { return tally{t.msgs - o.msgs, t.bytes - o.bytes} }

// counts is t as Traffic has it.
func (t tally) counts() (msgs, bytes uint64) { return uint64(t.msgs), uint64(t.bytes) }

// came is what was put into p by a peer, whatever became of it.
func (p *pipe) came() tally {
	return tally{p.done.msgs + int64(p.msgs) + p.other.msgs, p.done.bytes + p.bytes + p.other.bytes}
}

// pushNote is pushBlock of something that no peer has sent; it needs no room.
func (p *pipe) pushNote(b *block) (wake bool) {
	p.note(b)
	b.note = true
	return p.pushBlock(b)
}

// note sees to it that b does not count as sent by a peer.
func (p *pipe) note(b *block) { p.other.add(tally{-int64(b.msgs), -b.size}) }

// written is what has gone to p, and waiting what is to go there; under sendMu. On
// inproc all is the other end's at once.
func (p *peer) written() tally {
	if p.twin != nil {
		return p.out.came().minus(p.greeted)
	}
	return p.out.done
}

func (p *peer) waiting() tally {
	if p.twin != nil {
		return tally{}
	}
	return tally{int64(p.out.msgs), p.out.bytes}
}

// doubt notes what ss has written, if it is not known to have arrived; under
// sendMu, when it has ended because of err.
func (ss *session) doubt(err error) {
	p := ss.p
	if p.packets {
		return
	}
	if r := ss.receipts; r != nil {
		r.p, r.info = p, ss.info
		ss.s.unsettled = append(ss.s.unsettled, r)
		ss.s.settle()
		return
	}
	if ss.readToEnd(err) {
		return
	}
	lost := p.out.done.minus(ss.before)
	p.doubt.add(lost)
	ss.s.doubt.add(lost)
}

// The following sees to what was received. A socket follows each of its inlets
// until the connection has ended and the application has received all that came
// from it, and adds it to its sums then.

// follow begins that; under recvMu.
func (s *Socket) follow(in *inlet) {
	in.after = s.inlets
	if in.after != nil {
		in.after.before = in
	}
	s.inlets = in
}

// unfollow ends it; under recvMu.
func (s *Socket) unfollow(in *inlet) {
	if in.summed {
		return
	}
	in.summed = true
	if in.before != nil {
		in.before.after = in.after
	} else {
		s.inlets = in.after
	}
	if in.after != nil {
		in.after.before = in.before
	}
	in.before, in.after = nil, nil
	in.mu.Lock()
	came := in.came()
	in.mu.Unlock()
	s.cameIn.add(came)
	in.peer.cameIn.add(came)
}

// over is told that nothing comes into in any more; under recvMu. The application may
// have something to receive all the same; what a net.Conn reads is its own.
func (s *Socket) over(in *inlet) {
	in.over = true
	in.standIn.end()
	if s.ahead == in {
		s.ahead = nil
	}
	in.mu.Lock()
	idle := in.idle
	in.mu.Unlock()
	if idle || in.conn != nil { // or the last Recv sees to it
		s.unfollow(in)
	}
}

// unread is what is in the pipe, or taken from it, and not handed out, but for
// notes of this socket; under recvMu.
func (in *inlet) unread() (n tally) {
	count := func(blocks []block) {
		for i := range blocks {
			if b := &blocks[i]; b.event == 0 && !b.note {
				n.add(tally{int64(b.msgs), b.size})
			}
		}
	}
	in.mu.Lock()
	count(in.blocks)
	in.mu.Unlock()
	if in.conn != nil { // whose reader owns the rest
		return n
	}
	count(in.taken[in.next:])
	if in.left > 0 && in.event == 0 && !in.note {
		handed := int64(in.pos)
		for i := range in.body {
			handed += int64(len(in.bodies[i].b))
		}
		n.add(tally{int64(in.left), in.owedSize - handed})
	}
	return n
}

// aside is what a Request has set aside for Recv; under recvMu.
func (s *Socket) aside() (n tally) {
	for _, m := range s.calls.aside {
		n.msgs++
		for _, f := range m.Frames {
			n.bytes += int64(frameSize(len(f)))
		}
	}
	return n
}

// leaveUnread counts what nobody can receive any more, since the socket is closed.
func (s *Socket) leaveUnread() {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	for _, m := range s.calls.aside {
		m.lease.in.refuse(DropUnread)
	}
	s.calls.aside = nil
	for s.inlets != nil {
		in := s.inlets
		s.drop(DropUnread, in.peer, in.info, int(in.unread().msgs))
		s.unfollow(in)
	}
}
