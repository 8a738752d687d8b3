package msgcore

import (
	"context"
	"iter"
)

// Recv waits for the next message until ctx ends. The message and its frames
// belong to the caller; see Msg.
func (s *Socket) Recv(ctx context.Context) (m Msg, err error) {
	if s.optErr != nil {
		return Msg{}, s.optErr
	}
	s.recvMu.Lock()
	if s.recvQuick(&m) {
		next := s.passOn()
		s.recvMu.Unlock()
		next.signal()
		return m, nil
	}
	for {
		ok, err := s.take("recv", &s.in)
		if ok || err != nil {
			m, next := s.in, s.passOn()
			s.in = Msg{}
			s.recvMu.Unlock()
			next.signal()
			return m, err
		}
		if s.ahead != nil && s.readAheadFor(ctx) {
			continue
		}
		if s.inline && ctx.Err() == nil && s.serveHere(ctx, true) {
			continue
		}
		w := s.recvWait.add()
		s.recvMu.Unlock()
		if err := s.recvWait.wait(ctx, &s.recvMu, w); err != nil {
			s.gaveUp()
			return Msg{}, s.fail("recv", "", err)
		}
		s.recvMu.Lock()
	}
}

// TryRecv is Recv without waiting; it reports whether there was a message.
func (s *Socket) TryRecv() (Msg, bool, error) {
	if s.optErr != nil {
		return Msg{}, false, s.optErr
	}
	s.recvMu.Lock()
	ok, err := s.take("recv", &s.in)
	if !ok && err == nil && s.ahead != nil && s.readAhead() {
		ok, err = s.take("recv", &s.in)
	}
	if !ok && err == nil && s.inline && s.serveHere(context.Background(), false) {
		ok, err = s.take("recv", &s.in)
	}
	m, next := s.in, s.passOn()
	s.in = Msg{}
	s.recvMu.Unlock()
	next.signal()
	return m, ok, err
}

// RecvBatch waits for the next message and then receives as many more into dst
// as there are, without waiting for them. It returns how many that were, at
// least one unless there is an error or dst is empty. ReleaseBatch gives them
// back.
func (s *Socket) RecvBatch(ctx context.Context, dst []Msg) (int, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	if s.optErr != nil {
		return 0, s.optErr
	}
	s.recvMu.Lock()
	for {
		n := s.recvQuickly(dst)
		var err error
		for n < len(dst) {
			var ok bool
			if ok, err = s.take("recv", &dst[n]); !ok {
				break
			}
			n++
			n += s.recvQuickly(dst[n:])
		}
		if n > 0 || err != nil {
			next := s.passOn()
			s.recvMu.Unlock()
			next.signal()
			if n > 0 {
				err = nil // it will be there the next time
			}
			return n, err
		}
		if s.ahead != nil && s.readAheadFor(ctx) {
			continue
		}
		if s.inline && ctx.Err() == nil && s.serveHere(ctx, true) {
			continue
		}
		w := s.recvWait.add()
		s.recvMu.Unlock()
		if err := s.recvWait.wait(ctx, &s.recvMu, w); err != nil {
			s.gaveUp()
			return 0, s.fail("recv", "", err)
		}
		s.recvMu.Lock()
	}
}

// Messages ranges over received messages until ctx ends or the socket is
// closed; the last pair holds the error.
func (s *Socket) Messages(ctx context.Context) iter.Seq2[Msg, error] {
	return func(yield func(Msg, error) bool) {
		for {
			m, err := s.Recv(ctx)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// take hands out one message if there is one; under recvMu.
func (s *Socket) take(op string, m *Msg) (bool, error) {
	if s.closed {
		return false, s.fail(op, "", errClosed)
	}
	if s.recvErr != nil {
		return false, s.fail(op, "", s.recvErr)
	}
	if s.state != nil {
		if err := s.state.mayRecv(); err != nil {
			return false, s.fail(op, "", err)
		}
	}
	ok := true
	if c := &s.calls; len(c.aside) > 0 {
		*m = c.aside[0]
		c.aside[0] = Msg{}
		if c.aside = c.aside[1:]; len(c.aside) == 0 {
			c.aside = nil
		}
	} else {
		ok = s.fair.recv(s, m)
	}
	if ok && s.state != nil {
		s.state.received()
	}
	return ok, nil
}

// passOn returns who is to be woken because messages are left; under recvMu.
func (s *Socket) passOn() *waiter {
	if s.fair.n == 0 && len(s.calls.aside) == 0 {
		return nil
	}
	return s.popReceiver()
}

// gaveUp is called when the caller of Recv has stopped waiting: a message may
// have come for it, which is then for somebody else.
func (s *Socket) gaveUp() {
	s.recvMu.Lock()
	next := s.passOn()
	s.recvMu.Unlock()
	next.signal()
}
