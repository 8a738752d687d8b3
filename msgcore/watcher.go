package msgcore

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A watcher waits for the accepted connections of a socket on which nothing
// happens, so that these need no goroutine, nor the stack of one. When
// something comes, a session gets its goroutine back; it gives it up when all is
// read, unless it is lively: woken twice within livelyGap. A lively one waits for
// input by itself, which takes less time, until a sweep finds that it has not
// read anything since the last one.
//
// The watcher of a REP is lent to its callers (see lockstep.go): whoever waits in
// Recv waits for all connections at once and reads what has come, so that no
// message has to pass from one goroutine to another. That halves the time of a
// round trip.
type watcher struct {
	s   *Socket
	set *pollset

	// Whoever holds the token waits for the set, and owns ready.
	token  sync.Mutex
	ready  []*session // asleep, with something to read, as far as is known
	uses   atomic.Int64
	back   chan struct{} // capacity 1: the watcher's own goroutine is needed
	recall atomic.Bool   // it is, once whoever leads has done
	pinged atomic.Bool   // a peer sends PINGs: somebody must always be there to read
	ended  atomic.Bool

	mu    sync.Mutex // guards what follows, and asleep and key of the sessions
	slots []*session // by key
	free  []int32    // of slots
	gens  int32
	awake map[*session]int64 // the lively ones, and how much they had received at the last sweep
	sweep *time.Timer        // runs while there are some
}

const (
	livelyGap = 100 * time.Millisecond
	sweepGap  = time.Second
)

// nap is what a session and its watcher know of each other.
type nap struct {
	able   bool // accepted, and readable without a buffer
	lively atomic.Bool
	woken  time.Duration // when, last

	ready bool // is one of watcher.ready; guarded by its token
	news  bool // the set has told of something since the last read; the same

	asleep bool // has no goroutine; guarded by watcher.mu
	known  bool // to the set
	key    pollKey
}

// watchIdle makes the watcher of s, if s has use for one; under sendMu. One
// connection alone is better off with its goroutine.
func (s *Socket) watchIdle() {
	if s.able < 2 || s.closed || s.watcher.Load() != nil {
		return
	}
	set, err := newPollset()
	if err != nil {
		return // without one, each connection keeps its goroutine
	}
	w := &watcher{s: s, set: set, back: make(chan struct{}, 1), awake: map[*session]int64{}}
	s.watcher.Store(w)
	s.wg.Add(1)
	go w.run()
	for p := range s.peers {
		if p.sess != nil && p.sess.nap.able {
			p.sess.interrupt() // it may go to sleep now
		}
	}
}

// run waits until the socket ends, and gives those that have something to read
// their goroutines. If callers may lead, it lets them as soon as something has
// come.
func (w *watcher) run() {
	defer w.s.wg.Done()
	defer w.set.close()
	w.token.Lock()
	defer w.token.Unlock()
	for !w.ended.Load() {
		for _, ss := range w.ready { // that a caller has left
			ss.nap.ready = false
			w.wakeUp(ss, w.crowded())
		}
		clear(w.ready)
		w.ready = w.ready[:0]
		n, err := w.set.wait(true)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.set.resume()
		case err != nil:
			w.wakeAll()
			return
		}
		if n == 0 {
			continue
		}
		crowded := w.crowded()
		for i := range n {
			if ss, _ := w.of(i); ss != nil {
				w.wakeUp(ss, crowded)
			}
		}
		if !crowded {
			w.stepAside()
		}
	}
}

// of returns the session of the i-th event; nil if it is awake or gone.
func (w *watcher) of(i int) (ss *session, ended bool) {
	key, ended := w.set.event(i)
	w.mu.Lock()
	defer w.mu.Unlock()
	if int(key.slot) < len(w.slots) {
		ss = w.slots[key.slot]
	}
	if ss == nil || ss.nap.key != key || !ss.nap.asleep {
		return nil, false
	}
	return ss, ended
}

// sleep lets ss go without a goroutine. It returns false if that cannot be: then
// the caller's goroutine goes on. The caller does not hold the token of its reader.
func (w *watcher) sleep(ss *session) bool {
	w.mu.Lock()
	n := &ss.nap
	known := n.known
	if !known {
		w.enter(ss)
	}
	n.asleep = true
	key := n.key
	delete(w.awake, ss)
	w.mu.Unlock()

	err := w.set.watch(ss.raw, key, known)
	// What ended the session in the meantime has found nobody to wake.
	select {
	case <-ss.stop:
		return !w.wake(ss)
	default:
	}
	if err != nil || w.ended.Load() {
		n.lively.Store(true) // and no sweep looks at it
		if !w.wake(ss) {
			return true
		}
		w.leave(ss)
		return false
	}
	return true
}

// enter gives ss a key; under mu.
func (w *watcher) enter(ss *session) {
	w.gens++
	n := &ss.nap
	n.known, n.key.gen = true, w.gens
	if last := len(w.free) - 1; last >= 0 {
		n.key.slot, w.free = w.free[last], w.free[:last]
		w.slots[n.key.slot] = ss
		return
	}
	n.key.slot = int32(len(w.slots))
	w.slots = append(w.slots, ss)
}

// leave forgets ss, which has ended.
func (w *watcher) leave(ss *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.awake, ss)
	if n := &ss.nap; n.known {
		n.known = false
		w.slots[n.key.slot] = nil
		w.free = append(w.free, n.key.slot)
	}
}

// wake takes ss out of its sleep and reports whether it slept. If it did, the
// caller must see to it that it gets a goroutine.
func (w *watcher) wake(ss *session) bool {
	w.mu.Lock()
	n := &ss.nap
	slept := n.asleep
	n.asleep = false
	w.mu.Unlock()
	if slept {
		w.set.ignore(ss.raw, n.key)
	}
	return slept
}

// wakeUp gives ss a goroutine, if it has none. It may keep it while it is lively,
// if keep.
func (w *watcher) wakeUp(ss *session, keep bool) {
	if !w.wake(ss) {
		return
	}
	if keep {
		t := now()
		if t-ss.nap.woken < livelyGap {
			w.enliven(ss)
		}
		ss.nap.woken = t
	}
	go ss.live()
}

// wakeAll gives up watching.
func (w *watcher) wakeAll() {
	w.ended.Store(true)
	w.mu.Lock()
	all := append([]*session(nil), w.slots...)
	w.mu.Unlock()
	for _, ss := range all {
		if ss != nil && w.wake(ss) {
			ss.nap.lively.Store(true)
			go ss.live()
		}
	}
}

// enliven lets ss wait by itself until a sweep finds it idle.
func (w *watcher) enliven(ss *session) {
	ss.nap.lively.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.awake) == 0 && !w.ended.Load() {
		if w.sweep == nil {
			w.sweep = time.AfterFunc(sweepGap, w.sweepOnce)
		} else {
			w.sweep.Reset(sweepGap)
		}
	}
	w.awake[ss] = -1
}

// sweepOnce has those go to sleep that have read nothing since the last sweep.
func (w *watcher) sweepOnce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended.Load() {
		return
	}
	for ss, before := range w.awake {
		reads := ss.r.reads.Load()
		if reads == before {
			ss.nap.lively.Store(false)
			ss.interrupt()
			delete(w.awake, ss)
			continue
		}
		w.awake[ss] = reads
	}
	if len(w.awake) > 0 && !w.ended.Load() {
		w.sweep.Reset(sweepGap)
	}
}

// end ends run; sessions that sleep are ended by their socket.
func (w *watcher) end() {
	w.ended.Store(true)
	w.mu.Lock()
	if w.sweep != nil {
		w.sweep.Stop()
	}
	w.mu.Unlock()
	w.set.interrupt()
	w.callBack()
}

// crowded reports whether callers of Recv may not wait in the place of run: since
// there are several, or a Poller, which would not read; or since somebody has to
// read at all times, as with heartbeats.
func (w *watcher) crowded() bool {
	s := w.s
	if !s.inline || s.opts.Heartbeat.Interval != 0 || w.pinged.Load() || s.isClosing.Load() {
		return true
	}
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	head := s.recvWait.head
	return head != nil && (head.kept || head.next != nil)
}

// stepAside leaves the set to callers of Recv until none has led for a tick.
func (w *watcher) stepAside() {
	w.token.Unlock()
	w.s.recvMu.Lock()
	head := w.s.recvWait.pop() // to lead
	w.s.recvMu.Unlock()
	head.signal()
	t := time.NewTimer(tick)
	defer t.Stop()
	for {
		uses, called := w.uses.Load(), false
		select {
		case <-t.C:
		case <-w.back:
			called = true
		}
		if w.ended.Load() {
			w.set.interrupt()
			w.token.Lock()
			return
		}
		if called {
			w.recall.Store(true) // if somebody leads now
		}
		if (called || w.uses.Load() == uses) && w.token.TryLock() {
			w.recall.Store(false)
			return
		}
		t.Reset(tick)
	}
}

// callBack ends stepAside early.
func (w *watcher) callBack() {
	select {
	case w.back <- struct{}{}:
	default:
	}
}

// lead waits, if wait, until something was delivered, reading for sessions that
// sleep; it reports whether something may have come of it. The token is held.
func (w *watcher) lead(wait bool) bool {
	var since time.Duration
	spin := w.s.opts.Spin
	if wait && spin > 0 {
		since = now()
	}
	for {
		// Even if some are ready: others may have been for as long.
		spinning := wait && spin > 0 && now()-since < spin
		n, err := w.set.wait(wait && !spinning && len(w.ready) == 0)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.set.resume()
			return true
		case err != nil:
			w.wakeAll()
			return true
		}
		for i := range n {
			ss, ended := w.of(i)
			switch {
			case ss == nil:
			case ended: // there may be more to read before that
				w.wakeUp(ss, false)
			default:
				ss.nap.news = true
				if !ss.nap.ready {
					ss.nap.ready = true
					w.ready = append(w.ready, ss)
				}
			}
		}
		for range len(w.ready) {
			if w.readFor(w.ready[0]) {
				return true
			}
		}
		if !wait {
			return false
		}
		if spinning {
			runtime.Gosched() // the peer may be of this process
		}
	}
}

// readFor reads one message for the first one that is ready, ss, and reports
// whether it has delivered it. It stays ready, behind the others, as long as there may
// be more. One whose pipe is not empty gets its goroutine, which can wait for room.
func (w *watcher) readFor(ss *session) bool {
	delivered, more := false, false
	if ss.r.blocked() {
		w.wakeUp(ss, false)
	} else if ss.r.token.TryLock() { // or its goroutine is back
		ss.r.single = true
		before := ss.r.received
		delivered = ss.r.readOne(false)
		ss.r.single = false
		if !delivered || ss.r.received != before { // and not only what an earlier read has left
			ss.nap.news = false
		}
		more = ss.r.unread || delivered && (ss.nap.news || !ss.r.drained())
		ss.r.unread = false
		ss.r.token.Unlock()
	}
	last := copy(w.ready, w.ready[1:])
	w.ready[last] = ss
	if !more {
		ss.nap.ready, w.ready[last] = false, nil
		w.ready = w.ready[:last]
	}
	return delivered
}
