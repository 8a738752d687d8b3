package unique

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/solomq/solomq/transport"
)

// A peer is a connection to the primary. It carries one call at a time.
type peer struct {
	s    *server
	id   string
	cred transport.Cred
	// ctx ends when the peer is gone.
	ctx    context.Context
	cancel context.CancelFunc

	delimited atomic.Bool // it is a REQ, which puts an empty frame first and wants it back

	// The server's mu guards these.
	version string
	call    *call // nil: none
}

// reply sends m without waiting. Only small messages that answer one of the
// peer's are sent so: a peer that does not read its answers loses them. The
// caller holds the server's mu.
func (p *peer) reply(m *message) { p.s.port.trySend(p.id, p.frames(m)) }

// send sends m and waits for room.
func (p *peer) send(ctx context.Context, m *message) error {
	return p.s.port.send(ctx, p.id, p.frames(m))
}

func (p *peer) frames(m *message) [][]byte {
	f := m.frames()
	if p.delimited.Load() {
		f = append([][]byte{{}}, f...)
	}
	return f
}

// handle does what a packet asks for. It never waits: what could is the handler that it
// returns, if it is time for one.
func (s *server) handle(pk packet) (handler func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[pk.from]
	if pk.gone {
		if p != nil {
			s.forget(p)
		}
		return nil
	}
	if p == nil {
		p = &peer{s: s, id: pk.from, cred: pk.cred}
		p.ctx, p.cancel = context.WithCancel(context.Background())
		s.peers[pk.from] = p
	}
	frames := pk.frames
	delimited := len(frames) > 1 && len(frames[0]) == 0
	p.delimited.Store(delimited)
	if delimited {
		frames = frames[1:]
	}
	m := &s.in
	defer func() { *m = message{} }() // which may be large
	err := m.decode(frames)
	switch {
	case errors.Is(err, errVersion):
		p.reply(&message{Kind: kindRefused, Code: refusedVersion, Reason: reasonText(err), MinVersion: wireVersion, MaxVersion: wireVersion})
	case err != nil:
		s.breach(p, err)
	default:
		return s.message(p, m)
	}
	return nil
}

// forget removes a peer that is gone, and ends what it had asked for.
func (s *server) forget(p *peer) {
	delete(s.peers, p.id)
	p.cancel()
	s.handover.gone(p)
	if c := p.call; c != nil {
		s.stats.CallersGone++
		s.opts.log("the caller is gone", "pid", p.cred.PID)
		if c.state == callRunning {
			c.abort(ErrCallerGone)
		} else {
			s.end(c)
		}
	}
}

// breach answers a peer that broke the protocol, and ends what it had asked for.
func (s *server) breach(p *peer, err error) {
	s.stats.Violations++
	s.opts.log("a peer broke the protocol", "pid", p.cred.PID, "err", err)
	if c := p.call; c != nil {
		if c.state == callRunning {
			c.abort(err)
			return // the handler's end is its answer
		}
		s.end(c)
	}
	p.reply(&message{Kind: kindRefused, Code: refusedProtocol, Reason: reasonText(err)})
}

func (s *server) message(p *peer, m *message) (handler func()) {
	c := p.call
	switch m.Kind {
	case kindHello:
		s.hello(p, m)
	case kindRequest:
		s.request(p, m)
	case kindGo:
		switch {
		case c == nil:
			p.reply(&message{Kind: kindExpired})
		case c.state == callOffered:
			fault("told to go")
			s.opts.log("the handler starts", "pid", p.cred.PID)
			return s.start(c)
		}
	case kindCancel:
		if c == nil {
			return nil
		}
		s.stats.Canceled++
		s.opts.log("the caller has given up", "pid", p.cred.PID)
		if c.state == callRunning {
			c.abort(ErrCanceled)
		} else {
			s.end(c)
		}
	case kindTakeover:
		s.takeover(p, m)
	case kindStdin, kindCredit, kindSignal:
		// After the handler's end these may still be under way: they count for
		// nothing then.
		if c == nil || c.state != callRunning {
			return nil
		}
		if err := c.message(m); err != nil {
			s.breach(p, err)
		}
	}
	return nil
}

func (s *server) hello(p *peer, m *message) {
	if m.MinVersion > wireVersion || m.MaxVersion != 0 && m.MaxVersion < wireVersion {
		p.reply(&message{Kind: kindRefused, Code: refusedVersion, Reason: "no version of the protocol in common", MinVersion: wireVersion, MaxVersion: wireVersion})
		return
	}
	p.note(m)
	w := s.welcome
	w.State, w.Successor = s.state(), uint64(s.handover.pid())
	p.reply(&w)
	fault("welcomed")
}

// note keeps what p says of itself.
func (p *peer) note(m *message) {
	if m.AppVersion != "" {
		p.version = m.AppVersion
	}
}

func (s *server) request(p *peer, m *message) {
	if p.call != nil {
		s.breach(p, &wireError{"a request came before the one before it was answered"})
		return
	}
	if size := m.size(); size > s.opts.MaxRequest {
		s.stats.Refused++
		p.reply(&message{Kind: kindRefused, Code: refusedSize, Size: uint64(size), Limit: uint64(s.opts.MaxRequest), Reason: "the request is too large"})
		return
	}
	p.note(m)
	fault("requested")
	c := newRemoteCall(p, m)
	p.call = c
	if err := s.enqueue(c); err != nil {
		p.call = nil
		if errors.Is(err, errQueueFull) {
			s.stats.Refused++
			p.reply(&message{Kind: kindRefused, Code: refusedQueue, Reason: reasonText(err)})
		} else {
			s.sendOn(p)
		}
	}
}

// reasonText is an error's text for the other side, which puts its own prefix.
func reasonText(err error) string {
	const prefix = "unique: "
	text := err.Error()
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		text = text[len(prefix):]
	}
	return text
}
