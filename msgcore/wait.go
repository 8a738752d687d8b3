package msgcore

import (
	"context"
	"sync"
	"sync/atomic"
)

// A waiter is one goroutine that waits its turn.
type waiter struct {
	ch         chan struct{} // capacity 1; signalled at most once per wait
	next, prev *waiter
	listed     bool
	kept       bool // by somebody who may look at it later: not for the list's store
}

// A waitList is a first-in, first-out list of waiters, guarded by the lock of
// whoever owns it. Signals are sent after unlocking.
//
// It keeps its waiters for the next time. A store of the whole process would let
// channels stray from one bubble of testing/synctest into another.
type waitList struct {
	head, tail *waiter
	spare      *waiter                // to be used again, by next
	freed      atomic.Pointer[waiter] // the same, added to without the lock
}

func (l *waitList) add() *waiter {
	if l.spare == nil {
		l.spare = l.freed.Swap(nil)
	}
	w := l.spare
	if w == nil {
		w = &waiter{ch: make(chan struct{}, 1)}
	} else {
		l.spare = w.next
	}
	l.enlist(w)
	return w
}

// free keeps w, which is not listed, for another wait.
func (l *waitList) free(w *waiter) {
	if w.kept {
		return
	}
	for {
		first := l.freed.Load()
		w.next = first
		if l.freed.CompareAndSwap(first, w) {
			return
		}
	}
}

func (l *waitList) enlist(w *waiter) {
	w.prev, w.next, w.listed = l.tail, nil, true
	if l.tail != nil {
		l.tail.next = w
	} else {
		l.head = w
	}
	l.tail = w
}

func (l *waitList) remove(w *waiter) bool {
	if !w.listed {
		return false
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.tail = w.prev
	}
	w.listed, w.next, w.prev = false, nil, nil
	return true
}

// pop takes the first waiter off the list, for the caller to signal; nil if
// there is none.
func (l *waitList) pop() *waiter {
	w := l.head
	if w != nil {
		l.remove(w)
	}
	return w
}

// signal wakes w; nil is nobody.
func (w *waiter) signal() {
	if w != nil {
		w.ch <- struct{}{}
	}
}

// wakeAll wakes everybody on the list; the owner's lock is held, which is safe
// as no signal blocks.
func (l *waitList) wakeAll() {
	for w := l.pop(); w != nil; w = l.pop() {
		w.signal()
	}
}

// wait waits for w's signal or the end of ctx, without mu, which guards l and is
// not held at return either. A signal that came too late to be used is passed
// on to the next waiter.
func (l *waitList) wait(ctx context.Context, mu *sync.Mutex, w *waiter) error {
	done := ctx.Done()
	if done == nil {
		<-w.ch
		l.free(w)
		return nil
	}
	select {
	case <-w.ch:
		l.free(w)
		return nil
	case <-done:
	}
	mu.Lock()
	if !l.remove(w) {
		<-w.ch // it is there, or about to be
		next := l.pop()
		mu.Unlock()
		next.signal()
	} else {
		mu.Unlock()
	}
	l.free(w)
	return ctx.Err()
}
