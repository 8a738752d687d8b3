package msgcore

import (
	"context"
	"errors"
	"fmt"
)

var errNoFrames = errors.New("a message needs at least one frame")

// Send sends one message of the given frames, all or nothing. It waits for room
// where the type waits at its high-water mark (see its constructor), until ctx
// ends. The frames are copied: they may be changed as soon as Send returns.
func (s *Socket) Send(ctx context.Context, frames ...[]byte) error {
	o := outgoing{frames: frames}
	o.measure()
	return s.transmit(ctx, "send", &o)
}

// SendMsg is Send without copying large frames: on success it takes ownership
// of m, also of one that was received, whose buffers it releases in time; the
// caller must not use m and its frames any more. On an error m is still the
// caller's.
func (s *Socket) SendMsg(ctx context.Context, m Msg) error {
	own := m
	o := outgoing{frames: m.Frames, msg: &own}
	o.measure()
	if err := s.transmit(ctx, "send", &o); err != nil {
		return err
	}
	own.Release()
	return nil
}

// TrySend is SendMsg without waiting; it reports whether m was taken.
func (s *Socket) TrySend(m Msg) (bool, error) {
	own := m
	o := outgoing{frames: m.Frames, msg: &own}
	o.measure()
	err := s.transmit(nil, "send", &o)
	if err == errFull {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own.Release()
	return true, nil
}

// SendBatch is SendMsg for each of msgs, at less cost for each. It returns how
// many were sent: all of them, or those before the one that failed, which stay
// the caller's from there on.
func (s *Socket) SendBatch(ctx context.Context, msgs []Msg) (int, error) {
	for i := 0; i < len(msgs); {
		n, err := s.sendSome(msgs[i:])
		i += n
		if err != nil {
			return i, err
		}
		if i < len(msgs) && n == 0 {
			if err := s.SendMsg(ctx, msgs[i]); err != nil {
				return i, err
			}
			i++
		}
	}
	return len(msgs), nil
}

// sendSome sends as many of msgs as there is room for now.
func (s *Socket) sendSome(msgs []Msg) (n int, err error) {
	var woken []wakeup
	var o outgoing
	s.sendMu.Lock()
	if err = s.sendable("send"); err != nil {
		s.sendMu.Unlock()
		return 0, err
	}
	for n < len(msgs) {
		own := msgs[n]
		o = outgoing{frames: own.Frames, msg: &own}
		o.measure()
		if err = s.checkOut("send", &o); err != nil {
			break
		}
		var r sendResult
		if r, err = s.pat.send(&o); err != nil {
			err = s.fail("send", "", err)
			break
		}
		if r.full {
			break
		}
		own.Release()
		n++
		if r.woken != nil {
			woken = append(woken, r.woken.claim())
		}
		for _, p := range r.more {
			woken = append(woken, p.claim())
		}
	}
	s.sendMu.Unlock()
	for _, w := range woken {
		w.do(false)
	}
	return n, err
}

// errFull is TrySend's reason for not sending.
var errFull = errors.New("msgcore: no room")

// sendable says why nothing can be sent at all; under sendMu.
func (s *Socket) sendable(op string) error {
	if s.optErr != nil {
		return s.optErr
	}
	if s.closed {
		return s.fail(op, "", errClosed)
	}
	return nil
}

func (s *Socket) checkOut(op string, o *outgoing) error {
	if len(o.frames) == 0 {
		return s.fail(op, "", errNoFrames)
	}
	if limit := s.opts.MaxMessage; limit > 0 {
		n := int64(0)
		for _, f := range o.frames {
			n += int64(len(f))
		}
		if n > limit {
			return s.fail(op, "", fmt.Errorf("%w: %d bytes, Options.MaxMessage is %d", ErrMessageTooBig, n, limit))
		}
	}
	return nil
}

// transmit sends o by the rules of the pattern, waiting for room until ctx ends;
// a nil ctx does not wait.
func (s *Socket) transmit(ctx context.Context, op string, o *outgoing) error {
	if s.optErr != nil {
		return s.optErr
	}
	if err := s.checkOut(op, o); err != nil {
		return err
	}
	var waited *waitList
	s.sendMu.Lock()
	for {
		if s.closed {
			s.sendMu.Unlock()
			return s.fail(op, "", errClosed)
		}
		r, err := s.pat.send(o)
		if err != nil {
			s.sendMu.Unlock()
			return s.fail(op, "", err)
		}
		if !r.full {
			s.sent(r, waited)
			return nil
		}
		waited = &s.sendWait
		if r.on != nil {
			waited = &r.on.wait
		}
		if err := s.waitRoom(ctx, op, waited); err != nil {
			return err
		}
	}
}

// waitRoom waits on l, for room. sendMu is held, and is held again at return
// unless there was an error.
func (s *Socket) waitRoom(ctx context.Context, op string, l *waitList) error {
	if ctx == nil {
		s.sendMu.Unlock()
		return errFull
	}
	w := l.add()
	s.sendMu.Unlock()
	if err := l.wait(ctx, &s.sendMu, w); err != nil {
		return s.fail(op, "", err)
	}
	s.sendMu.Lock()
	return nil
}

// sent gives up sendMu and wakes whom a message concerns: the consumer of the
// pipe it went to, and, if the sender had to wait, who waits behind it: there
// may be room for several, and only one is woken by credit.
func (s *Socket) sent(r sendResult, waited *waitList) {
	var next *waiter
	if waited != nil {
		next = waited.pop()
	}
	var w wakeup
	if r.woken != nil {
		w = r.woken.claim()
	}
	s.sendMu.Unlock()
	next.signal()
	w.do(s.inline)
	for _, p := range r.more {
		p.claim().do(false)
	}
}

// A wakeup is the duty to wake the consumer of a pipe, which only one has.
type wakeup struct {
	sess *session // whose writer's part was claimed
	twin *peer
}

// claim is called, under sendMu, when p.out says that its consumer must be woken.
func (p *peer) claim() wakeup {
	if p.sess != nil {
		p.sess.writers.Add(1)
	}
	return wakeup{p.sess, p.twin}
}

// do wakes the consumer, without sendMu; inline lets the caller do the writing
// itself.
func (w wakeup) do(inline bool) {
	switch {
	case w.twin != nil:
		w.twin.s.arrived(w.twin.in)
	case w.sess == nil:
	case inline:
		w.sess.writeInline()
	default:
		go w.sess.write()
	}
}

// replyTo sends o to p and nobody else.
func (s *Socket) replyTo(ctx context.Context, p *peer, o *outgoing) error {
	if err := s.checkOut("reply", o); err != nil {
		return err
	}
	var waited *waitList
	s.sendMu.Lock()
	for {
		switch {
		case s.closed:
			s.sendMu.Unlock()
			return s.fail("reply", "", errClosed)
		case !p.attached:
			s.sendMu.Unlock()
			return s.fail("reply", "", ErrUnroutable)
		case p.out.room(o.size):
			var r sendResult
			if p.out.push(o) {
				r.woken = p
			}
			s.sent(r, waited)
			return nil
		}
		p.out.starved = true
		waited = &p.wait
		if err := s.waitRoom(ctx, "reply", waited); err != nil {
			return err
		}
	}
}
