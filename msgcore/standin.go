package msgcore

import (
	"context"
	"time"
)

// A reader that finds the pipe full waits until what it has read has room. Waking it
// for each few hundred messages would cost more than to receive them. So it leaves
// reading to others then: whoever receives, and has received all that there was,
// reads on in its place, as long as there is something to read at once. Only then
// does it get to know of the room in the pipe, or once nobody has read for a tick,
// which bounds how late it notices what an application does not receive.
//
// It lends itself where it has nothing in its hands: all that is whole was handed
// over. Whoever has its token may read, while pipe.lent says so.

// maxAhead is how many blocks of one pipe wait for room at most, so that a reader of
// the largest slab can hand over all that is in it, unless messages are few bytes each.
const maxAhead = 16

// A standIn is what a socket knows of a reader that may be reading elsewhere; guarded
// by recvMu.
type standIn struct {
	untold bool // the reader waits for room, and there is some
	timer  *time.Timer
	runs   bool  // the timer
	uses   int64 // of the reader's token, when that was set
}

// settle waits until all that was delivered has room. If lend, others may read
// meanwhile; it reports whether they may have done so.
func (r *reader) settle(lend bool) (others bool, err error) {
	in := r.in
	// A publisher's reader hands over what it reads in many pieces, which may not fit.
	lend = lend && r.tryFn != nil && r.back == nil && !r.publish && !r.ss.s.bytes
	for parked := false; ; parked = true {
		in.mu.Lock()
		if len(in.ahead) == 0 {
			in.lent = false
			in.mu.Unlock()
			if parked {
				r.ss.hb.park(false)
			}
			return others, err
		}
		gone := in.peer.gone.Load()
		if gone || err != nil || r.ss.s.isClosing.Load() { // as deliver does
			ahead := in.ahead
			in.ahead = nil
			in.mu.Unlock()
			cause := DropUnread
			if gone {
				cause = DropUnexpected
			}
			for i := range ahead {
				r.drop(&ahead[i], cause)
			}
			continue
		}
		in.lent = lend
		in.mu.Unlock()
		if !lend {
			err = r.awaitRoom()
			continue
		}
		uses := r.uses.Load()
		r.token.Unlock()
		err = r.awaitRoom()
		r.token.Lock()
		others = others || r.uses.Load() != uses
	}
}

// mayStandIn is told that the reader of in, which lends itself, does not know of the
// room that there is. There is more to receive from in, or else nothing; under recvMu.
func (s *Socket) mayStandIn(in *inlet, more bool) {
	switch {
	case more && s.fair.n == 1:
		in.watchReader()
	case !more && s.fair.n == 0 && (s.ahead == nil || s.ahead == in):
		s.ahead = in
	default: // it can read while others have their turn
		in.tellReader()
	}
}

// tellReader tells the reader of in that there is room; under recvMu.
func (in *inlet) tellReader() {
	in.standIn.untold = false
	in.roomed()
}

// watchReader sees to it that the reader does not wait for long for what nobody
// does; under recvMu.
func (in *inlet) watchReader() {
	st := &in.standIn
	if st.runs {
		return
	}
	st.runs, st.uses = true, in.r.uses.Load()
	if st.timer == nil {
		st.timer = time.AfterFunc(tick, in.lookAtReader)
	} else {
		st.timer.Reset(tick)
	}
}

func (in *inlet) lookAtReader() {
	s, st := in.peer.s, &in.standIn
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	st.runs = false
	switch {
	case !st.untold || in.over:
	case in.r.uses.Load() != st.uses:
		in.watchReader()
	default:
		in.tellReader()
	}
}

// end is called when nothing comes any more; under recvMu.
func (st *standIn) end() {
	st.untold = false
	if st.timer != nil {
		st.timer.Stop()
	}
}

// readAhead reads in the place of a reader that lets it, ahead's, without waiting. It
// reports whether something may have come of it. recvMu is held, and held again at
// return.
func (s *Socket) readAhead() bool {
	in := s.ahead
	s.ahead = nil
	if !in.r.token.TryLock() {
		in.tellReader()
		return false
	}
	s.recvMu.Unlock()
	ok := in.r.readLent()
	in.r.token.Unlock()
	s.recvMu.Lock()
	if !ok || s.fair.n == 0 {
		in.tellReader()
	}
	return ok || s.fair.n > 0
}

// readAheadFor is readAhead unless ctx has ended: what is read may be for nobody, as long
// as the peer sends.
func (s *Socket) readAheadFor(ctx context.Context) bool {
	if ctx.Err() != nil {
		s.noStandIn()
		return false
	}
	return s.readAhead()
}

// readLent reads something for the application, unless the reader is back or there is
// nothing; the token is held.
func (r *reader) readLent() bool {
	r.in.mu.Lock()
	lent := r.in.lent
	r.in.mu.Unlock()
	if !lent {
		return false
	}
	r.uses.Add(1)
	r.standsIn = true
	defer func() { r.standsIn = false }()
	return r.readOne(false)
}

// noStandIn is called by those who receive and do not read; under recvMu.
func (s *Socket) noStandIn() {
	if in := s.ahead; in != nil {
		s.ahead = nil
		in.tellReader()
	}
}
