package msgcore

import (
	"context"
	"time"
)

// Close ends the socket. Every call that waits, and every later one, answers
// with net.ErrClosed. Messages that were sent are still written, while bytes
// move, within the bounds of Options.Linger; if some could not be, the error is
// an *UnsentError that says how many and to whom. When Close returns no
// goroutine of the socket is left. A second Close waits for the first.
func (s *Socket) Close() error { return s.shutdown(context.Background(), true) }

// Shutdown is Close that waits for unsent messages until ctx ends, instead of
// the bounds of Options.Linger.
func (s *Socket) Shutdown(ctx context.Context) error { return s.shutdown(ctx, false) }

// shutdown waits for unsent messages within the bounds of linger, or else until
// ctx ends.
func (s *Socket) shutdown(ctx context.Context, linger bool) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.done
		return s.err
	}
	s.closing = true
	endpoints := s.endpoints
	s.endpoints = nil
	s.mu.Unlock()

	s.recvMu.Lock()
	s.sendMu.Lock()
	s.closed = true
	s.isClosing.Store(true)
	close(s.quit)
	s.recvWait.wakeAll()
	s.sendWait.wakeAll()
	s.changed.wakeAll()
	s.chooseReader()
	for p := range s.peers {
		p.wait.wakeAll()
	}
	s.sendMu.Unlock()
	s.recvMu.Unlock()

	for _, e := range endpoints {
		if e.bound {
			e.end()
			s.event(Event{Kind: Closed, Endpoint: e.name})
		}
	}
	if s.optErr == nil {
		if pending := s.flush(ctx, linger); pending != nil {
			s.err = s.fail("close", "", &UnsentError{pending})
		}
		s.flushed.Store(true)
		s.farewell()
		s.partAll()
	}
	s.cancel()
	s.wg.Wait()
	s.partAll() // what a dialer joined in the meantime
	if s.events != nil {
		s.events.close()
	}
	close(s.done)
	return s.err
}

// flush waits for what is queued to be written; it returns what is left when
// nothing moves any more, or ctx has ended.
func (s *Socket) flush(ctx context.Context, bounded bool) []Pending {
	linger := s.opts.Linger
	if bounded && linger == Discard {
		return nil
	}
	s.hurry()
	start := time.Now()
	moved, at := s.progress.Load(), start
	for {
		s.sendMu.Lock()
		pending := s.pending()
		if pending == nil {
			s.sendMu.Unlock()
			return nil
		}
		if bounded && linger > 0 {
			if n := s.progress.Load(); n != moved {
				moved, at = n, time.Now()
			}
			if time.Since(at) >= linger || time.Since(start) >= lingerCap*linger {
				s.sendMu.Unlock()
				return pending
			}
		}
		if ctx.Err() != nil {
			s.sendMu.Unlock()
			return pending
		}
		s.awaitChange(lingerStep)
	}
}

// hurry makes writes that are under way return, to be seen to move or not.
func (s *Socket) hurry() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for p := range s.peers {
		if p.sess != nil && p.out.msgs > 0 {
			// A connection without deadlines is only not watched.
			_ = p.sess.conn.SetWriteDeadline(time.Now())
		}
	}
}

// awaitChange gives up sendMu and waits until something about the peers has
// changed, at most for d.
func (s *Socket) awaitChange(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	w := s.changed.add()
	s.sendMu.Unlock()
	_ = s.changed.wait(ctx, &s.sendMu, w)
}

// Pending lists the peers that messages are queued for, and how many these are,
// with their framing: what would hold back a Close. Messages for peers in this
// process are theirs at once and do not count.
func (s *Socket) Pending() []Pending {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	return s.pending()
}

// pending is Pending under sendMu.
func (s *Socket) pending() []Pending {
	var list []Pending
	for p := range s.peers {
		if p.twin != nil || p.out.msgs == 0 {
			continue
		}
		at := p.info.Endpoint
		if p.info.RemoteAddr != "" {
			at = p.info.RemoteAddr
		}
		list = append(list, Pending{Endpoint: at, Messages: p.out.msgs, Bytes: p.out.bytes})
	}
	return list
}

// farewellTime bounds the wait for peers to close their end.
const farewellTime = 100 * time.Millisecond

// farewell ends the sending half of the connections that messages were written
// to, and gives the peers a moment to read them and close theirs: closing a
// connection in which something unread has arrived makes some systems throw
// away what was sent.
func (s *Socket) farewell() {
	deadline := time.Now().Add(farewellTime)
	waiting := true
	for first := true; waiting && time.Now().Before(deadline); first = false {
		waiting = false
		s.sendMu.Lock()
		for p := range s.peers {
			if p.sess == nil || !p.sess.w.used {
				continue
			}
			c, ok := p.sess.conn.(interface{ CloseWrite() error })
			if !ok || first && c.CloseWrite() != nil {
				continue
			}
			waiting = true
		}
		if !waiting {
			s.sendMu.Unlock()
			return
		}
		s.awaitChange(time.Until(deadline))
	}
}

// partAll ends all links to sockets of this process.
func (s *Socket) partAll() {
	s.sendMu.Lock()
	var linked []*peer
	for p := range s.peers {
		if p.twin != nil {
			linked = append(linked, p)
		}
	}
	s.sendMu.Unlock()
	for _, p := range linked {
		p.part()
	}
}
