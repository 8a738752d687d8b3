package msgcore

import (
	"context"
	"net"
	"time"
)

// A visit is the handshake of an accepted connection, and its context, which ends
// when the door says so. It makes one of package context, which takes several
// times the memory, only for whoever asks for more than whether it has ended.
type visit struct {
	s     *Socket
	conn  net.Conn
	name  string    // of the endpoint
	until time.Time // its deadline; zero: none

	// Guarded by the door's mu.
	prev, next *visit
	inside     bool          // on the door's list
	begun      bool          // has a goroutine
	fresh      bool          // has begun within the last moment, as far as is known
	since      time.Duration // it has begun
	err, cause error
	atEnd      func()          // to be called when it ends early
	whole      context.Context // one of package context; nil until it is needed
	cancel     context.CancelCauseFunc
}

func newVisit(s *Socket, conn net.Conn, name string) *visit {
	v := &visit{s: s, conn: conn, name: name}
	if s.opts.Handshake > 0 {
		v.until = time.Now().Add(s.opts.Handshake)
	}
	return v
}

// begin gives v its goroutine, if it has none; under mu.
func (v *visit) begin() {
	if !v.begun {
		v.begun = true
		go v.s.serve(v)
	}
}

// leave ends what belongs to the handshake.
func (v *visit) leave() {
	d := &v.s.door
	d.mu.Lock()
	d.pass(v)
	d.mu.Unlock()
	v.end(context.Canceled, nil)
}

// end ends v, if it has not ended. One that has not begun finds that out by itself.
func (v *visit) end(err, cause error) {
	d := &v.s.door
	d.mu.Lock()
	if v.err == nil {
		v.err, v.cause = err, cause
	}
	atEnd, cancel := v.atEnd, v.cancel
	v.atEnd = nil
	v.begin()
	d.mu.Unlock()
	if atEnd != nil {
		go atEnd()
	}
	if cancel != nil && err == context.Canceled { // it has its own clock
		cancel(cause)
	}
}

// AfterFunc does as context.AfterFunc, which see, for zmtp.Handshake.
func (v *visit) AfterFunc(f func()) (stop func() bool) {
	d := &v.s.door
	d.mu.Lock()
	if v.err == nil && v.atEnd == nil {
		v.atEnd = f
		d.mu.Unlock()
		return v.forget
	}
	d.mu.Unlock()
	return context.AfterFunc(v.all(), f)
}

// forget undoes AfterFunc, and reports whether it was in time.
func (v *visit) forget() bool {
	d := &v.s.door
	d.mu.Lock()
	defer d.mu.Unlock()
	was := v.atEnd != nil
	v.atEnd = nil
	return was
}

// all returns the whole context.
func (v *visit) all() context.Context {
	d := &v.s.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.whole != nil {
		return v.whole
	}
	v.whole, v.cancel = context.WithCancelCause(v.s.ctx)
	if !v.until.IsZero() {
		var stop context.CancelFunc
		cancel := v.cancel
		v.whole, stop = context.WithDeadlineCause(v.whole, v.until, errSlowHandshake)
		v.cancel = func(cause error) { cancel(cause); stop() }
	}
	if v.err != nil {
		v.cancel(v.cause)
	}
	return v.whole
}

// Err implements context.Context.
func (v *visit) Err() error {
	d := &v.s.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.err == nil && v.whole != nil {
		v.err = v.whole.Err()
	}
	return v.err
}

// Deadline implements context.Context.
func (v *visit) Deadline() (time.Time, bool) { return v.until, !v.until.IsZero() }

// Done implements context.Context.
func (v *visit) Done() <-chan struct{} { return v.all().Done() }

// Value implements context.Context.
func (v *visit) Value(key any) any { return v.all().Value(key) }
