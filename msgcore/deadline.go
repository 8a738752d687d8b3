package msgcore

import (
	"context"
	"os"
	"sync"
	"time"
)

// A deadline is a time that may be moved while others wait for it.
type deadline struct {
	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	passed  chan struct{} // closed when the time has come
	stopped bool
}

func (d *deadline) init() { d.passed = make(chan struct{}) }

// set moves d to t; the zero time never comes.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // its function is running, or has run
	}
	d.timer = nil
	over := isClosed(d.passed)
	if t.IsZero() {
		if over {
			d.passed = make(chan struct{})
		}
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		if !over {
			close(d.passed)
		}
		return
	}
	if over {
		d.passed = make(chan struct{})
	}
	passed := d.passed
	d.timer = time.AfterFunc(wait, func() { close(passed) })
}

// stop wakes everybody who waits, for ever.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed
	}
	d.timer = nil
	if d.stopped = true; !isClosed(d.passed) {
		close(d.passed)
	}
}

// over returns what is closed when the time has come.
func (d *deadline) over() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// context returns a Context that ends when the time has come.
func (d *deadline) context() context.Context { return until{d.over()} }

// An until is a Context that ends with a channel.
type until struct{ over <-chan struct{} }

func (until) Deadline() (time.Time, bool) { return time.Time{}, false }
func (u until) Done() <-chan struct{}     { return u.over }
func (until) Value(any) any               { return nil }

func (u until) Err() error {
	select {
	case <-u.over:
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}
