package msgcore

// Most messages come one after the other out of a block that is open already, to
// sockets that hand them out as they are. These are handed out here, without
// asking the pattern.

// plain reports whether all that a socket of type t receives is for the
// application, as it came; but for replies to a Request, and what a filter keeps
// back.
func plain(t Type) bool {
	switch t {
	case Pull, Pair, Dealer, Sub, XSub:
		return true
	}
	return false
}

// A filter is a pattern that does not want all messages.
type filter interface {
	wants(in *inlet, topic []byte) bool
}

func filterOf(pat pattern) filter {
	f, _ := pat.(filter)
	return f
}

// open returns the inlet to take the next message from, if take would do nothing
// else; under recvMu.
func (s *Socket) open() *inlet {
	if !s.plain || s.fair.n == 0 || s.closed || s.calls.waiting != nil || len(s.calls.aside) > 0 {
		return nil
	}
	in := s.fair.ring[s.fair.head]
	if in.left == 0 {
		return nil
	}
	return in
}

// recvQuick hands out one message; under recvMu.
func (s *Socket) recvQuick(m *Msg) bool {
	in := s.open()
	if in == nil {
		return false
	}
	in.pop(m, nil)
	s.fair.turns(in, 1)
	return s.passes(in, m)
}

// passes asks the filter, and releases what it keeps back.
func (s *Socket) passes(in *inlet, m *Msg) bool {
	if s.filter == nil || s.filter.wants(in, m.Frames[0]) {
		return true
	}
	in.refuse(DropFiltered)
	m.Release()
	*m = Msg{}
	return false
}

// recvQuickly hands out messages, and returns how many; under recvMu.
func (s *Socket) recvQuickly(dst []Msg) (n int) {
	for n < len(dst) {
		in := s.open()
		if in == nil {
			break
		}
		most := min(len(dst)-n, in.left)
		if s.fair.n > 1 {
			most = min(most, max(in.turns, 1))
		}
		for range most {
			in.pop(&dst[n], nil)
			if s.passes(in, &dst[n]) {
				n++
			}
		}
		s.fair.turns(in, most)
	}
	return n
}
