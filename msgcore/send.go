package msgcore

import (
	"context"
	"errors"
	"fmt"
)

var errNoFrames = errors.New("a message needs at least one frame")

// A sending is how a call wants its frames to be sent; zero is as Send does.
type sending struct {
	head       []byte // see outgoing
	headFrames int
	given      bool
	from       Msg
	try        bool // do not wait
	call       *call
}

// Send sends one message of the given frames, all or nothing. It waits for room
// where the type waits at its high-water mark (see its constructor), until ctx
// ends. The frames are copied: they may be changed as soon as Send returns.
func (s *Socket) Send(ctx context.Context, frames ...[]byte) error {
	if s.sendQuick(frames) {
		return nil
	}
	var c sending
	return s.transmit(ctx, "send", frames, &c)
}

// SendMsg is Send without copying large frames: on success it takes ownership
// of m, also of one that was received, whose buffers it releases in time; the
// caller must not modify m's frames any more, nor use them at all if they were
// received. On an error m is still the caller's.
func (s *Socket) SendMsg(ctx context.Context, m Msg) error {
	if s.sendQuick(m.Frames) {
		m.Release()
		return nil
	}
	c := sending{given: true, from: m}
	return s.transmit(ctx, "send", m.Frames, &c)
}

// TrySend is SendMsg without waiting; it reports whether m was taken.
func (s *Socket) TrySend(m Msg) (bool, error) {
	if s.sendQuick(m.Frames) {
		m.Release()
		return true, nil
	}
	c := sending{given: true, from: m, try: true}
	err := s.transmit(context.Background(), "send", m.Frames, &c)
	if err == errFull {
		return false, nil
	}
	return err == nil, err
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
	if s.optErr != nil {
		return 0, s.optErr
	}
	var few [8]wakeup
	woken := few[:0]
	s.sendMu.Lock()
	if s.closed {
		err = s.fail("send", "", errClosed)
	}
	quick := 0 // so many at the end of msgs[:n] are to be released
	for n < len(msgs) && err == nil {
		if s.smallMax > 0 {
			var k int
			k, woken = s.sendQuickly(msgs[n:], woken)
			if n, quick = n+k, quick+k; n == len(msgs) {
				break
			}
		}
		frames := msgs[n].Frames
		if s.typ == XSub {
			if len(frames) > 0 && isSubscription(frames[0]) {
				break // not under sendMu; SendBatch sends it alone
			}
		}
		c := sending{given: true, from: msgs[n]}
		if err = s.checkOut("send", frames); err != nil {
			break
		}
		var r sendResult
		if r, err = s.put("send", frames, &c); err != nil || r.full {
			break
		}
		if quick > 0 { // put sees to its own
			ReleaseBatch(msgs[n-quick : n])
			quick = 0
		}
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
	ReleaseBatch(msgs[n-quick : n])
	return n, err
}

// put hands one message to the pattern, under sendMu.
func (s *Socket) put(op string, frames [][]byte, c *sending) (sendResult, error) {
	o := &s.out
	o.set(frames, c)
	r, err := s.pat.send(o)
	if err != nil || r.full {
		o.forget()
	} else {
		o.unset()
	}
	if err != nil {
		err = s.fail(op, "", err)
	}
	return r, err
}

// errFull is TrySend's reason for not sending.
var errFull = errors.New("msgcore: no room")

func (s *Socket) checkOut(op string, frames [][]byte) error {
	if len(frames) == 0 {
		return s.fail(op, "", errNoFrames)
	}
	if limit := s.opts.MaxMessage; limit > 0 {
		n := int64(max(len(frames)-freeFrames, 0)) * frameCost
		for _, f := range frames {
			n += int64(len(f))
		}
		if n > limit {
			return s.fail(op, "", fmt.Errorf("%w: %d bytes, Options.MaxMessage is %d", ErrMessageTooBig, n, limit))
		}
	}
	return nil
}

// transmit sends frames by the rules of the pattern, waiting for room until ctx ends.
func (s *Socket) transmit(ctx context.Context, op string, frames [][]byte, c *sending) error {
	if s.optErr != nil {
		return s.optErr
	}
	if err := s.checkOut(op, frames); err != nil {
		return err
	}
	if s.typ == XSub {
		if isSubscription(frames[0]) {
			return s.passSubscriptions(ctx, op, frames, c)
		}
	}
	var waited *waitList
	s.sendMu.Lock()
	for {
		if s.closed {
			s.sendMu.Unlock()
			return s.fail(op, "", errClosed)
		}
		r, err := s.put(op, frames, c)
		if err != nil {
			var next *waiter
			if waited != nil {
				next = waited.pop() // the room is another's
			}
			s.sendMu.Unlock()
			next.signal()
			return err
		}
		if !r.full {
			s.sent(r, waited)
			return nil
		}
		if c.try {
			s.sendMu.Unlock()
			return errFull
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

// replyTo sends frames, behind an envelope in framing, to p and nobody else.
func (s *Socket) replyTo(ctx context.Context, p *peer, envelope []byte, n int, frames [][]byte) error {
	if err := s.checkOut("reply", frames); err != nil {
		return err
	}
	c := sending{head: envelope, headFrames: n}
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
		}
		o := &s.out
		o.set(frames, &c)
		if p.out.room(o.size) {
			var r sendResult
			if p.out.push(o) {
				r.woken = p
			}
			o.forget()
			s.sent(r, waited)
			return nil
		}
		o.forget()
		p.out.starved = true
		waited = &p.wait
		if err := s.waitRoom(ctx, "reply", waited); err != nil {
			return err
		}
	}
}
