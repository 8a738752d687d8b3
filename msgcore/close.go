package msgcore

import (
	"context"
	"io"
	"time"
)

// Close ends the socket. Every call that waits, and every later one, answers
// with net.ErrClosed. Messages that were sent are still written, while bytes
// move, within the bounds of Options.Linger; if some could not be, the error is
// an *UnsentError that says how many and to whom. Then the peers have as long
// to read what was written and close their ends. When Close returns no
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
	if s.listener != nil {
		s.listener.end()
	}

	for _, e := range endpoints {
		if e.packets {
			continue // it is needed to send what waits
		}
		if e.bound {
			e.end()
			s.event(Event{Kind: Closed, Endpoint: e.name})
		}
	}
	if s.optErr == nil {
		s.flush(ctx, linger)
		s.flushed.Store(true)
		s.farewell(ctx, linger)
		s.partAll()
	}
	s.cancel()
	s.door.close()
	s.endSessions()
	if w := s.watcher.Load(); w != nil {
		w.end()
	}
	s.wg.Wait()
	s.partAll() // what a dialer joined in the meantime
	s.leaveUnread()
	if discard := linger && s.opts.Linger == Discard; len(s.unsent) > 0 && !discard {
		s.err = s.fail("close", "", &UnsentError{s.unsent})
	}
	if s.events != nil {
		s.events.close()
	}
	close(s.done)
	return s.err
}

// flush waits for what is queued to be written, until nothing moves any more or
// ctx has ended. What is left then is counted by remove, when nobody writes any
// more: the system may yet have taken some of it.
func (s *Socket) flush(ctx context.Context, bounded bool) {
	linger := s.opts.Linger
	if bounded && linger == Discard {
		return
	}
	s.hurry()
	start := time.Now()
	moved, at := s.progress.Load(), start
	for {
		s.sendMu.Lock()
		if s.pending() == nil {
			s.sendMu.Unlock()
			return
		}
		if bounded && linger > 0 {
			if n := s.progress.Load(); n != moved {
				moved, at = n, time.Now()
			}
			if time.Since(at) >= linger || time.Since(start) >= lingerCap*linger {
				s.sendMu.Unlock()
				return
			}
		}
		if ctx.Err() != nil {
			s.sendMu.Unlock()
			return
		}
		away := s.awaitChange(ctx, lingerStep)
		at, start = at.Add(away), start.Add(away)
	}
}

// hurry makes writes that are under way return, to be seen to move or not.
func (s *Socket) hurry() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for p := range s.peers {
		if p.sess != nil && p.out.msgs > 0 && !p.sess.slow {
			// A connection without deadlines is only not watched.
			_ = p.sess.conn.SetWriteDeadline(time.Now())
		}
	}
}

// awaitChange gives up sendMu and waits until something about the peers has
// changed, at most for d or until ctx ends. It returns how much longer it took, as
// in a process that was stopped meanwhile: nothing could move then.
func (s *Socket) awaitChange(ctx context.Context, d time.Duration) (away time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	w := s.changed.add()
	s.sendMu.Unlock()
	began := time.Now()
	_ = s.changed.wait(ctx, &s.sendMu, w)
	return max(time.Since(began)-d, 0)
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
		list = append(list, p.pending(p.out.msgs, p.out.bytes))
	}
	return list
}

// pending describes what p holds back.
func (p *peer) pending(msgs int, bytes int64) Pending {
	at := p.info.Endpoint
	if p.info.RemoteAddr != "" {
		at = p.info.RemoteAddr
	}
	return Pending{Endpoint: at, Messages: msgs, Bytes: bytes}
}

// farewell ends the sending half of the connections that messages were written
// to, and gives the peers time to read them and close theirs: closing a
// connection in which something unread has arrived, or on which something still
// arrives, such as a PING, can throw away what was sent and is not yet read.
func (s *Socket) farewell(ctx context.Context, bounded bool) {
	wait := s.opts.Linger
	switch {
	case bounded && wait == Discard:
		return
	case wait <= Discard:
		wait = defaultLinger
	}
	deadline := time.Now().Add(wait)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		waiting := false
		s.sendMu.Lock()
		for p := range s.peers {
			if p.sess != nil && p.sess.w.used && p.out.msgs == 0 && p.sess.endWriting() {
				waiting = true
			}
		}
		if !waiting {
			s.sendMu.Unlock()
			return
		}
		away := s.awaitChange(ctx, min(time.Until(deadline), lingerStep))
		deadline = deadline.Add(away)
	}
}

// endWriting ends the sending half of ss, once nobody writes, and reports whether
// there is something to wait for; under sendMu. A PONG would come too late now:
// the connection would break.
func (ss *session) endWriting() bool {
	out := ss.p.out
	if !out.live || !out.idle {
		return true
	}
	out.live = false
	c, ok := ss.conn.(interface{ CloseWrite() error })
	ss.parted = ok && ss.aside(c.CloseWrite) == nil
	return ss.parted
}

// readToEnd reports whether the peer of ss, which has ended because of err, has
// read everything before it closed its end; under sendMu.
func (ss *session) readToEnd(err error) bool {
	parted := ss.parted
	if c, ok := ss.conn.(*byteConn); ok && !parted {
		parted = c.wasClosed()
	}
	return parted && err == io.EOF
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

// endSessions ends all connections. There are no new ones: a closed socket attaches
// no peer.
func (s *Socket) endSessions() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for p := range s.peers {
		if p.sess != nil {
			p.sess.end(errClosed)
		}
	}
}
