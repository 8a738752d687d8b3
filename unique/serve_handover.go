package unique

import "crypto/subtle"

// A handover is the primary's part in giving its place to a successor, which
// holds the gate while the primary drains: nobody slips in between. The server's
// mu guards the fields that are not channels.
type handover struct {
	ticket    [16]byte // who shows it may succeed; zero: nobody
	successor *peer
	// begun is closed when there is a successor; done when it is gone, which it
	// is once it has published; lost with server.lost.
	begun, done, lost chan struct{}
	has, over         bool // begun and done are closed
}

// pid is the successor's, 0 if there is none.
func (h *handover) pid() int {
	if h.successor == nil {
		return 0
	}
	return max(h.successor.cred.PID, 1)
}

// gone notes that p is gone.
func (h *handover) gone(p *peer) {
	if h.successor == p {
		h.successor = nil
		if !h.over {
			h.over = true
			close(h.done)
		}
	}
}

// takeover answers a process that holds the gate and wants to be the primary.
// The caller holds mu.
func (s *server) takeover(p *peer, m *message) {
	h := &s.handover
	p.note(m)
	by := Peer{PID: p.cred.PID, UID: p.cred.UID, GID: p.cred.GID, Version: p.version}
	var lost error
	invited := h.ticket != [16]byte{} && subtle.ConstantTimeCompare(h.ticket[:], m.Ticket[:]) == 1
	switch {
	case p.call != nil:
		s.breach(p, &wireError{"a takeover came before the request before it was answered"})
		return
	case h.has:
		p.reply(&message{Kind: kindRefused, Code: refusedTakeover, Reason: "there is a successor already"})
		return
	case invited, s.leaving: // who leaves anyway has nothing to decide
	case s.opts.AllowReplace:
		lost = &ReplacedError{By: by}
	default:
		p.reply(&message{Kind: kindRefused, Code: refusedTakeover, Reason: "the primary does not let itself be replaced (Options.AllowReplace)"})
		return
	}
	s.opts.log("handing over", "successor", p.cred.PID)
	h.successor, h.has = p, true
	close(h.begun)
	s.sendOn(p)
	if lost != nil {
		s.lose(lost)
	} else {
		s.leave()
	}
}

// invite makes ticket the one that a successor has to show.
func (s *server) invite(ticket [16]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handover.ticket = ticket
}

// succeeded reports whether there is, or was, a successor.
func (s *server) succeeded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handover.has
}
