package msgcore

import (
	"cmp"
	"errors"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// handOver passes the whole messages on, waiting while the pipe is full.
func (r *reader) handOver() error {
	if r.msgs == 0 {
		return nil
	}
	b := &r.out
	b.slab, b.b = r.slab, r.slab.buf[r.start:r.end:r.end]
	b.bodies, b.msgs, b.frames, b.size = r.bodies[:r.done:r.done], r.msgs, r.frames, r.size
	r.slab.hold()
	rest := r.bodies[r.done:]
	r.bodies = nil
	for i := range rest { // those of the unfinished message
		r.bodies = append(r.bodies, rest[i])
		r.bodies[i].off -= r.end - r.start
	}
	r.start, r.msgs, r.frames, r.size, r.done = r.end, 0, 0, 0, 0
	switch {
	case r.publish:
		err := r.upstream(b)
		b.free()
		return err
	case r.discard:
		r.drop(b, DropUnwanted)
		return nil
	}
	return r.deliver(b)
}

// upstream takes what subscribers send: peers before ZMTP 3.1 subscribe by
// messages, and an XSUB may send messages of its own, which an XPUB receives.
// A message whose first frame is a subscription may have more of them.
func (r *reader) upstream(b *block) error {
	next := 0
	first, changes := true, false
	var frames [][]byte
	var failed error // what is behind is counted all the same
	for pos := 0; pos < len(b.b); {
		flags, n, at := frameAt(b.b, pos)
		f := zmtp.Frame{More: flags&zmtp.FlagMore != 0}
		if next < len(b.bodies) && b.bodies[next].off == at {
			f.Body, pos = b.bodies[next].b, at
			next++
		} else {
			f.Body, pos = b.b[at:at+n], at+n
		}
		if prefix, on, ok := zmtp.ParseSubscription(f); ok && (first || changes) {
			r.ss.p.hearSubscription(prefix, on)
			changes = true
		} else {
			frames = append(frames, f.Body)
		}
		if first = !f.More; f.More {
			continue
		}
		changes = false
		if r.ss.s.typ == XPub && len(frames) > 0 {
			one := oneBlock(frames)
			failed = cmp.Or(failed, r.deliver(&one))
		} else if len(frames) > 0 {
			one := oneBlock(frames)
			r.drop(&one, DropUnwanted)
		}
		frames = frames[:0]
	}
	return failed
}

// oneBlock returns a block of one message, with a copy of its frames.
func oneBlock(frames [][]byte) block {
	var b block
	last := len(frames) - 1
	for i, f := range frames {
		var flags byte
		if i < last {
			flags = zmtp.FlagMore
		}
		b.b = append(zmtp.AppendHeader(b.b, flags, len(f)), f...)
	}
	b.msgs, b.frames, b.size = 1, len(frames), int64(len(b.b))
	return b
}

var errSessionEnded = errors.New("the session has ended")

// deliver queues b, which it takes over, for the application. Where the pipe is full
// some blocks wait for room, and settle for them; behind these, deliver waits itself.
func (r *reader) deliver(b *block) error {
	in, s := r.in, r.ss.s
	for parked := false; ; parked = true {
		if in.peer.gone.Load() { // nobody receives any more
			r.drop(b, DropUnexpected)
			return nil
		}
		if s.isClosing.Load() {
			r.drop(b, DropUnread)
			return nil
		}
		in.mu.Lock()
		if len(in.ahead) == 0 && in.fits(b.msgs, b.size) {
			wake := in.pushBlock(b)
			in.mu.Unlock()
			*b = block{}
			r.delivered = true
			switch {
			case !wake:
			case r.one:
				s.foundHere(in)
			default:
				s.arrived(in)
			}
			if parked {
				r.ss.hb.park(false)
			}
			return nil
		}
		in.starved = true
		if r.back == nil && len(in.ahead) < maxAhead {
			in.ahead = append(in.ahead, *b)
			in.mu.Unlock()
			*b = block{}
			r.delivered = r.delivered || r.one
			if parked {
				r.ss.hb.park(false)
			}
			return nil
		}
		in.mu.Unlock()
		if err := r.awaitRoom(); err != nil {
			r.drop(b, DropUnread)
			return err
		}
	}
}

// drop frees b, which the application does not get.
func (r *reader) drop(b *block, cause DropCause) {
	r.in.mu.Lock()
	r.in.other.add(tally{int64(b.msgs), b.size})
	r.in.mu.Unlock()
	r.ss.s.drop(cause, r.in.peer, r.in.info, b.msgs)
	b.free()
}

// awaitRoom waits for a sign that the pipe may have room.
//
//go:noinline
func (r *reader) awaitRoom() error {
	var tick <-chan time.Time
	var timer *time.Timer
	wait, every := r.ss.hb.park(true)
	if every > 0 {
		timer = time.NewTimer(wait)
		defer timer.Stop()
		tick = timer.C
	}
	for {
		select {
		case <-r.wait:
			return nil
		case <-r.ss.s.quit:
			return nil
		case <-r.ss.stop:
			return errSessionEnded
		case <-tick:
			r.ss.hb.pong()
			timer.Reset(every)
		}
	}
}

// notify tells the application in band that the peer came or goes.
func (r *reader) notify(event Notify) { r.insert(eventBlock(event)) }

// insert adds a block to what has come from the peer. It needs no room: there
// are few for a session.
func (r *reader) insert(b block) {
	if r.ss.s.isClosing.Load() {
		return // nobody receives any more
	}
	r.in.mu.Lock()
	wake := r.in.pushNote(&b)
	r.in.mu.Unlock()
	if wake {
		r.ss.s.arrived(r.in)
	}
}
