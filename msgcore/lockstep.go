package msgcore

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"time"
)

// A socket in lockstep, REQ or REP, waits for one message at a time. If it is
// known from which connection that comes, since there is exactly one, or since a
// request went out on it, whoever waits in Recv reads that connection itself:
// waking another goroutine for each message would be most of a round trip.
//
// Reading is the reader's token; whoever has it parks in the read. The
// session's own goroutine has it first. Once that has delivered something it
// steps aside, and comes back when nobody has read for a tick, which bounds
// how late a PING or the end of the connection is noticed between two calls.
// What a parked caller must hear of otherwise, the end of its context, another
// connection, Close, reaches it by a read deadline in the past. Whoever comes
// back from a read clears the deadline and looks again.

// tick is how long the session's own goroutine stays aside. Shorter ones cost
// callers that think between two calls.
const tick = 100 * time.Millisecond

// chooseReader notes which session callers may read themselves; under sendMu,
// whenever connections have come or gone.
func (s *Socket) chooseReader() {
	if !s.inline {
		return
	}
	var only *session
	if s.ready == 1 && s.watcher.Load() == nil && s.opts.Heartbeat.Interval == 0 && !s.closed {
		for p := range s.peers {
			if p.sess != nil && p.sess.raw != nil && !p.sess.hb.pinged.Load() {
				only = p.sess
			}
		}
	}
	if old := s.only.Swap(only); old != nil && old != only {
		old.reclaim() // nobody else reads it any more
	}
	if w := s.watcher.Load(); w != nil && s.closed {
		w.set.interrupt()
		w.callBack()
	}
	if s.closed {
		for p := range s.peers {
			if p.sess != nil {
				p.sess.unlend()
			}
		}
	}
}

// lend lets callers of Recv read ss while they wait for the reply to a request
// that went out on it; under sendMu.
func (ss *session) lend() {
	s := ss.s
	ss.lent.Store(s.typ == Req && ss.raw != nil && s.opts.Heartbeat.Interval == 0 && !s.closed)
}

// unlend undoes lend.
func (ss *session) unlend() {
	if ss.lent.Swap(false) {
		ss.reclaim()
	}
}

// reclaim has the session's own goroutine read again.
func (ss *session) reclaim() {
	ss.interrupt()
	ss.r.callBack()
}

// shared reports whether callers may read ss.
func (ss *session) shared() bool { return ss.lent.Load() || ss.s.only.Load() == ss }

// idle reports whether nobody needs the session's own goroutine to read: no
// receiver that waits already, and no Request, whose caller does not read one of
// several connections.
func (ss *session) idle() bool {
	if !ss.shared() {
		return false
	}
	s := ss.s
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	return s.recvWait.head == nil && (s.only.Load() == ss || len(s.calls.waiting) == 0)
}

// answering is the session that the message for Recv comes from, if callers may
// read it; nil if that is not known.
func (s *Socket) answering() *session {
	if s.typ == Req {
		if ss := s.asked.Load(); ss != nil && ss.shared() {
			return ss
		}
		return nil
	}
	return s.only.Load()
}

// interrupt makes whoever reads ss look again.
func (ss *session) interrupt() {
	// A connection that cannot do this has no RawConn either.
	_ = ss.conn.SetReadDeadline(time.Unix(1, 0))
}

// readHere lets the caller of Recv read ss itself, if that can be; it reports
// whether something may have come of it. recvMu is held, and held again at
// return; without wait it does not wait.
func (s *Socket) readHere(ctx context.Context, ss *session, wait bool) bool {
	if ss == nil || s.fair.n > 0 || !ss.r.token.TryLock() {
		return false
	}
	s.recvMu.Unlock()
	ss.r.uses.Add(1)
	var ok bool
	if wait && ctx.Done() != nil {
		unwatch := context.AfterFunc(ctx, ss.interrupt)
		ok = ss.r.readOne(wait)
		unwatch()
	} else {
		ok = ss.r.readOne(wait)
	}
	ss.r.token.Unlock()
	recall := ss.r.recall.Swap(false)
	s.recvMu.Lock()
	if recall || s.recvWait.head != nil {
		ss.r.callBack() // others wait, and will not read
	}
	return ok || s.fair.n > 0 // or something has come while recvMu was free
}

// leadHere is readHere for a socket with a watcher: the caller waits for all of
// its connections that sleep.
func (s *Socket) leadHere(ctx context.Context, w *watcher, wait bool) bool {
	if s.fair.n > 0 || w.pinged.Load() || w.ended.Load() || !w.token.TryLock() {
		return false
	}
	s.leads = true
	s.recvMu.Unlock()
	w.uses.Add(1)
	var ok bool
	if wait && ctx.Done() != nil {
		unwatch := context.AfterFunc(ctx, w.set.interrupt)
		ok = w.lead(wait)
		unwatch()
	} else {
		ok = w.lead(wait)
	}
	s.recvMu.Lock()
	s.leads = false // before another one may lead
	w.token.Unlock()
	if recall := w.recall.Swap(false); recall || s.recvWait.head != nil {
		w.callBack() // others wait, and will not read
	}
	return ok || s.fair.n > 0
}

// attend has the goroutines of the socket read from now on, and no caller.
func (s *Socket) attend() {
	if w := s.watcher.Load(); w != nil {
		w.pinged.Store(true)
		w.callBack()
	}
}

// calm lets a lively session of a socket in lockstep sleep again, if nobody waits
// whom it must wake: who comes next can wait in the watcher's place.
func (ss *session) calm() {
	s := ss.s
	if !s.inline || s.opts.Heartbeat.Interval != 0 {
		return
	}
	s.recvMu.Lock()
	quiet := s.recvWait.head == nil
	s.recvMu.Unlock()
	if quiet {
		ss.nap.lively.Store(false)
	}
}

// needed has the session's own goroutine read.
func (ss *session) needed() {
	if w := ss.s.watcher.Load(); w != nil {
		w.wakeUp(ss, false)
	}
	ss.r.callBack()
}

// serveHere lets a caller of Recv, on a socket in lockstep, do the reading, if
// that can be; recvMu is held, and held again at return. It reports whether
// something may have come of it; without wait it does not wait.
func (s *Socket) serveHere(ctx context.Context, wait bool) bool {
	if w := s.watcher.Load(); w != nil {
		return s.leadHere(ctx, w, wait)
	}
	return s.readHere(ctx, s.answering(), wait)
}

// readOne reads until something was delivered; the token is held. What it
// delivers has to fit into the pipe, which its caller is the one to empty. While
// others have their turn after this one (single), or its caller is an application's that
// waits for a message, it stops after maxReads that deliver nothing, as of a peer that
// sends one command after the other.
func (r *reader) readOne(wait bool) bool {
	select {
	case <-r.ss.stop:
		return false
	default:
	}
	r.one, r.poll = true, !wait
	reads := 0
	defer func() { r.one, r.poll, r.spin = false, false, false }()
	r.delivered = false
	var since time.Duration
	if spin := r.ss.s.opts.Spin; wait && spin > 0 {
		r.poll, r.spin, since = true, true, now()
	}
	for {
		need, err := r.parseAll()
		if err == nil && !r.delivered {
			if reads++; reads > maxReads && (r.single || r.standsIn) {
				r.unread = r.single
				return false
			}
			err = r.more(need)
		}
		switch {
		case err == nil:
			if r.delivered {
				return true
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = r.ss.conn.SetReadDeadline(time.Time{})
			return true
		case err == errNothing && r.spin:
			if now()-since > r.ss.s.opts.Spin {
				r.poll, r.spin = false, false
			}
			runtime.Gosched() // the peer may be of this process
		case err == errNothing:
			return false
		case err == errLarge:
			r.ss.needed()
			return false
		default:
			r.ss.end(r.explain(err))
			return true
		}
	}
}

// maxReads is how often readOne reads in one turn.
const maxReads = 8

// errNothing says that a poll has found nothing to read.
var errNothing = errors.New("nothing to read")

// errLarge says that a large frame comes, which a caller would wait for past
// the end of its context.
var errLarge = errors.New("a large frame comes")

// explain says more of an error of reading.
func (r *reader) explain(err error) error {
	if err == io.ErrUnexpectedEOF || err == io.EOF && (r.part > 0 || r.fill > r.pos) {
		return errCut
	}
	return err
}

// stepAside leaves reading to the callers of Recv until none has read for a
// tick; then it has the token again. It returns false if the session ended.
func (r *reader) stepAside() bool {
	r.token.Unlock()
	t := time.NewTimer(tick)
	defer t.Stop()
	for {
		uses, called := r.uses.Load(), false
		select {
		case <-t.C:
		case <-r.back:
			called = true
		case <-r.ss.stop:
			return false
		}
		if called {
			r.recall.Store(true) // if somebody reads now
		}
		if (called || r.uses.Load() == uses || !r.ss.shared()) && r.token.TryLock() {
			r.recall.Store(false)
			return true
		}
		t.Reset(tick)
	}
}

// callBack ends stepAside early.
func (r *reader) callBack() {
	select {
	case r.back <- struct{}{}:
	default:
	}
}
