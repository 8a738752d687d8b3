package msgcore

// Most messages are small and are sent by sockets that give each one to a peer
// without a look at it, or that publish it. For these, what transmit does is
// spelled out here, since describing a message to a pattern costs more than
// sending it.

// A spreading pattern sends each message as it is, to one peer that does not
// depend on it.
type spreading interface {
	// pick returns the peer whose turn it is and that has room for size bytes;
	// nil if there is none. Under sendMu.
	pick(size int64) *peer
	// alone reports whether that peer also has the turns that follow, as long as
	// it has room. Under sendMu.
	alone() bool
}

// quicken looks whether s can do so: a REQ, say, has a say in what is sent.
func (s *Socket) quicken() {
	if s.opts.Conflate || s.opts.InvertMatching || s.opts.Pub.ManualLastValue {
		return
	}
	switch s.typ {
	case Push, Dealer, Pair:
		s.spread = s.pat.(spreading)
	case Scatter, Client, Channel:
		s.spread, s.single = s.pat.(spreading), true
	case Pub:
		s.pub = s.pat.(*pubPattern)
	case XPub:
		if m, ok := s.pat.(*manualPattern); ok {
			s.pub = m.pubPattern
		} else {
			s.pub = s.pat.(*xpubPattern).pubPattern
		}
	default:
		return
	}
	s.smallMax = inlineMax
	if m := s.opts.MaxMessage; m > 0 {
		s.smallMax = int(min(m, inlineMax))
	}
}

// small returns what frames take on the wire, if all of them go into a slab and
// any number of such messages may.
func (s *Socket) small(frames [][]byte) (size int, ok bool) {
	if s.single && len(frames) != 1 {
		return 0, false
	}
	if len(frames) == 1 {
		size = frameSize(len(frames[0]))
	} else {
		if len(frames) > freeFrames {
			return 0, false
		}
		for _, f := range frames {
			if len(f) > inlineMax {
				return 0, false
			}
			size += frameSize(len(f))
		}
	}
	return size, size > 0 && size <= s.smallMax
}

// sendQuick is transmit if that needs neither to wait nor to think.
func (s *Socket) sendQuick(frames [][]byte) bool {
	size, ok := s.small(frames)
	if !ok {
		return false
	}
	s.sendMu.Lock()
	if s.pub != nil {
		var few [4]wakeup
		woken, done := few[:0], false
		if !s.closed {
			done, woken = s.pub.sendSmall(frames, size, woken)
		}
		s.sendMu.Unlock()
		for _, w := range woken {
			w.do(false)
		}
		return done
	}
	p := s.pickOpen(size)
	if p == nil {
		s.sendMu.Unlock()
		return false
	}
	if !p.out.pushFrames(frames, size) {
		s.sendMu.Unlock()
		return true
	}
	w := p.claim()
	s.sendMu.Unlock()
	w.do(false)
	return true
}

// pickOpen is pick unless the socket is closed.
func (s *Socket) pickOpen(size int) *peer {
	if s.closed {
		return nil
	}
	return s.spread.pick(int64(size))
}

// sendQuickly sends of msgs what sendQuick would, up to the first that it would
// not, and returns how many these are and whom to wake; under sendMu, with the
// socket open. It leaves it to the caller to release them.
func (s *Socket) sendQuickly(msgs []Msg, woken []wakeup) (int, []wakeup) {
	n := 0
	for n < len(msgs) {
		frames := msgs[n].Frames
		size, ok := s.small(frames)
		if !ok {
			break
		}
		if s.pub != nil {
			if ok, woken = s.pub.sendSmall(frames, size, woken); !ok {
				break
			}
			n++
			continue
		}
		p := s.spread.pick(int64(size))
		if p == nil {
			break
		}
		if p.out.pushFrames(frames, size) {
			woken = append(woken, p.claim())
		}
		n++
		if s.spread.alone() {
			n += p.out.pushShort(msgs[n:], s.smallMax)
		}
	}
	return n, woken
}
