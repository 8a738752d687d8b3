package msgcore

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A heartbeat finds silent peers (RFC 37, Connection heartbeating): it sends a
// PING every Interval and ends the session when nothing at all was heard for
// Timeout after one, or for as long as the peer's own PINGs ask for.
//
// A reader that back-pressure has parked hears nothing, which is not the peer's
// fault: meanwhile nothing expires, and PONGs are sent unasked, as often as the
// peer has sent PINGs, so that it does not give us up either.
//
// A process that was stopped, or had no processor, finds that a time has passed in
// which it could not hear: what the peer has said waits to be read. Then the time
// counts anew, once.
type heartbeat struct {
	ss     *session
	active atomic.Bool  // the reader tells when it hears something
	pinged atomic.Bool  // the peer sends PINGs
	heard  atomic.Int64 // when, as nanoseconds since begun

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	stopped bool
	parked  bool
	asked   time.Duration // when the oldest PING without an answer was sent; 0: none
	nextAt  time.Duration // when the next one is due
	dueAt   time.Duration // when tick should be called
	backAt  time.Duration // when it was called much too late, for what counts since then
	ttl     time.Duration // of the peer's PINGs
	lastIn  time.Duration // when its last PING came
	every   time.Duration // how often they come
	lastOut time.Duration // when the last PONG was sent
}

// begun is what times are counted from, so that they are monotonic.
var begun = time.Now()

const maxPongs = 16 << 10 // bytes that wait to be written

// lateTick is how late a timer is that tells of more than a busy machine.
const lateTick = 20 * time.Millisecond

var errSilent = errors.New("the peer is silent")

// bubbles is begun for bubbles of testing/synctest, which have no other clock than
// one that starts in the year 2000, as seconds of Unix: the day before that.
const bubbles = 946_598_400

// now is never 0 nor less.
func now() time.Duration {
	if t := time.Since(begun); t > 0 {
		return t
	}
	return max(time.Since(time.Unix(bubbles, 0)), 1)
}

func (h *heartbeat) start() {
	iv := h.ss.s.opts.Heartbeat.Interval
	if iv == 0 || h.ss.version.Minor == 0 { // ZMTP 3.0 knows no PING
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextAt = now() + iv
	h.watch()
}

// watch makes sure that tick is called when the next thing is due; under mu.
func (h *heartbeat) watch() {
	if h.stopped {
		return
	}
	if !h.active.Load() {
		h.heard.Store(int64(now()))
		h.active.Store(true)
	}
	due := time.Duration(1<<63 - 1)
	o := &h.ss.s.opts.Heartbeat
	if h.nextAt > 0 {
		due = h.nextAt
		if h.asked > 0 {
			due = min(due, max(h.asked, h.backAt)+o.Timeout)
		}
	}
	if h.ttl > 0 {
		due = min(due, max(time.Duration(h.heard.Load()), h.backAt)+h.ttl)
	}
	t := now()
	wait := max(due-t, time.Millisecond)
	h.dueAt = t + wait
	if h.timer == nil {
		h.timer = time.AfterFunc(wait, h.tick)
	} else {
		h.timer.Reset(wait)
	}
}

func (h *heartbeat) tick() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	o := &h.ss.s.opts.Heartbeat
	t, heard := now(), time.Duration(h.heard.Load())
	if t-h.dueAt > lateTick && heard > h.backAt { // else it has said nothing since we were back
		h.backAt = t
	}
	if h.parked {
		heard = t
		h.heard.Store(int64(t))
	}
	if h.asked > 0 && heard >= h.asked {
		h.asked = 0
	}
	switch {
	case h.asked > 0 && t >= max(h.asked, h.backAt)+o.Timeout:
		h.stopped = true
		h.ss.end(fmt.Errorf("%w: nothing came within %v of a PING", errSilent, o.Timeout))
		return
	case h.ttl > 0 && t >= max(heard, h.backAt)+h.ttl:
		h.stopped = true
		h.ss.end(fmt.Errorf("%w: nothing came for %v, the time to live of its PINGs", errSilent, h.ttl))
		return
	}
	if h.nextAt > 0 && t >= h.nextAt {
		h.nextAt = t + o.Interval
		if h.asked == 0 {
			h.asked = t
		}
		h.ss.control(func(b []byte) []byte { return zmtp.AppendPing(b, o.TTL, nil) })
	}
	h.watch()
}

// hear is called for every read.
func (h *heartbeat) hear() {
	if h.active.Load() {
		h.heard.Store(int64(now()))
	}
}

// ping answers a PING of the peer.
func (h *heartbeat) ping(data []byte) error {
	ttl, context, err := zmtp.ParsePing(data)
	if err != nil {
		return err
	}
	h.ss.control(func(b []byte) []byte {
		if len(b) > maxPongs { // it asks faster than it reads
			return b
		}
		return zmtp.AppendPong(b, context)
	})
	if !h.pinged.Swap(true) { // somebody must always read then
		h.ss.s.attend()
		h.ss.s.sendMu.Lock()
		h.ss.unlend()
		h.ss.s.chooseReader()
		h.ss.s.sendMu.Unlock()
	}
	t := now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if gap := t - h.lastIn; h.lastIn > 0 && (h.every == 0 || gap < h.every) {
		h.every = max(gap, 20*time.Millisecond)
	}
	h.lastIn, h.lastOut = t, t
	if ttl > 0 {
		h.ttl = ttl
		h.watch()
	}
	return nil
}

// park is called when back-pressure stops the reader, and again when it goes
// on. It returns after which wait a PONG should be sent, and how often from then
// on; 0 for never. A reader that goes on now and then, behind a slow receiver,
// finds the peer's PINGs no sooner, so that the wait is counted from the last
// PONG and not from here.
func (h *heartbeat) park(on bool) (wait, every time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parked = on
	if !on {
		h.hear()
		return 0, 0
	}
	switch {
	case h.every > 0:
		every = h.every / 2
	case h.lastIn > 0:
		every = time.Second
	}
	return max(h.lastOut+every-now(), 0), every
}

func (h *heartbeat) pong() {
	h.mu.Lock()
	h.lastOut = now()
	h.mu.Unlock()
	h.ss.control(func(b []byte) []byte {
		if len(b) > maxPongs {
			return b
		}
		return zmtp.AppendPong(b, nil)
	})
}

func (h *heartbeat) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.timer != nil {
		h.timer.Stop()
	}
}
