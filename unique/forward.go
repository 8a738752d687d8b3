package unique

import (
	"context"
	"errors"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// errStartOver: the connection ended, or the primary sent us on, before anything
// was run.
var errStartOver = errors.New("unique: start over with the next primary")

// grantFocus is changed by tests only.
var grantFocus = passFocus

// maxExpired is how often an invocation may be too late in saying go.
const maxExpired = 5

// forwardRemote is Forward in a secondary.
func (i *Instance) forwardRemote(ctx context.Context, inv *Invocation) (int, error) {
	l := i.takeLink()
	m := i.early
	if l == nil || !l.asked {
		m = inv.request(i.opts)
	}
	for expired := i.expired; ; {
		if l == nil {
			var err error
			if l, err = i.reach(ctx); err != nil {
				return 0, err
			}
			if _, err := i.opts.checkVersion(l.holder); err != nil {
				l.close()
				return 0, err
			}
		}
		code, err := i.forwardOver(ctx, l, m, inv)
		l.close()
		l = nil
		switch {
		case errors.Is(err, ErrExpired):
			if expired++; expired == maxExpired {
				return 0, err
			}
			if i.noWait { // it is Run's, which goes on counting
				i.expired = expired
			}
		case !errors.Is(err, errStartOver):
			return code, err
		}
		debugf("nothing was run: starting over")
	}
}

// forwardOver makes one attempt.
func (i *Instance) forwardOver(ctx context.Context, l *link, m *message, inv *Invocation) (int, error) {
	if size := m.size(); size > l.limit {
		return 0, &TooLargeError{Holder: l.holder, What: "request", Size: size, Limit: l.limit}
	}
	grantFocus(l.holder.PID)
	if err := l.request(ctx, m, i.opts); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, err
	}
	i.setHolder(l.holder)
	return newOutgoing(l, inv, m).run(ctx)
}

// request goes from REQUEST to OFFER.
func (l *link) request(ctx context.Context, m *message, opts *Options) error {
	defer l.during(ctx)()
	w := &waiting{l: l, opts: opts, start: time.Now()}
	switch {
	case !l.idle:
	case w.start.Sub(l.met) < fresh:
		// As good as at once, so that the request is answered mostly before a
		// HELLO would have been of use; if not, it follows.
		w.soon = w.start.Add(fresh)
	default:
		// The primary may have been stopped since its WELCOME; that is to show
		// as quickly as in Acquire. It goes out with the request.
		hello := helloMessage(opts)
		if err := l.z.WriteFrame(zmtp.Frame{Body: hello.appendHead(nil)}); err != nil {
			return errStartOver
		}
		w.hello = w.start.Add(opts.Timeouts.Hello)
	}
	first := m
	if l.asked { // it has gone out, but the HELLO has not
		first, l.asked = nil, false
	}
	if err := w.send(first); err != nil {
		return err
	}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		again, err := w.wait()
		if !again || err != nil {
			return err
		}
		// Its queue is full. It is alive and said so: only ctx bounds this.
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		if err := w.send(m); err != nil {
			return err
		}
	}
}

// A waiting secondary waits for OFFER.
type waiting struct {
	l     *link
	opts  *Options
	start time.Time
	hello time.Time // by then a HELLO is to be answered; zero: none is
	offer time.Time // by then there is to be an OFFER
	ping  time.Time // then the primary is asked how it is
	soon  time.Time // then a HELLO follows that has to be answered in time; zero: none does
}

// fresh is how long a WELCOME says that the primary is alive.
const fresh = 50 * time.Millisecond

// send sends m, and what waits to go out with it; m may be nil.
func (w *waiting) send(m *message) error {
	w.patience()
	w.l.conn.stall = w.opts.Timeouts.Offer
	_ = w.l.conn.SetWriteDeadline(w.offer) // an error shows in the write
	fault("request")
	write := w.l.z.Flush
	if m != nil {
		write = func() error { return w.l.send(m) }
	}
	if err := write(); err != nil {
		if isTimeout(err) {
			return w.unresponsive("request")
		}
		return errStartOver
	}
	_ = w.l.conn.SetWriteDeadline(time.Time{})
	w.l.conn.stall = 0
	w.patience() // it has taken what does not fit into the system's buffers, and lives
	fault("waiting")
	return nil
}

// patience gives the primary the full time from now on.
func (w *waiting) patience() {
	now := time.Now()
	w.offer = now.Add(w.opts.Timeouts.Offer)
	w.ping = now.Add(w.opts.Timeouts.Offer / 4)
}

func (w *waiting) unresponsive(step string) error {
	return &UnresponsiveError{Holder: w.l.holder, Step: step, After: time.Since(w.start)}
}

// wait returns nil at OFFER, and true if the request must be sent again.
func (w *waiting) wait() (again bool, err error) {
	for {
		until := w.offer
		for _, t := range []time.Time{w.hello, w.ping, w.soon} {
			if !t.IsZero() && t.Before(until) {
				until = t
			}
		}
		m, err := w.l.recv(until)
		switch {
		case isTimeout(err):
			if err := w.timeUp(time.Now()); err != nil {
				return false, err
			}
			continue
		case err != nil:
			return false, errStartOver
		}
		switch m.Kind {
		case kindOffer:
			return false, nil
		case kindWelcome:
			w.hello = time.Time{}
			w.l.welcome(m)
			if m.State == Booting || m.State == Busy {
				w.offer = time.Now().Add(w.opts.Timeouts.Offer)
			}
		case kindLeaving:
			debugf("pid %d is leaving", w.l.holder.PID)
			w.l.holder.State = Leaving
			return false, errStartOver
		case kindRefused:
			switch m.Code {
			case refusedQueue:
				return true, nil
			case refusedSize:
				return false, &TooLargeError{Holder: w.l.holder, What: "request", Size: int64(m.Size), Limit: int64(m.Limit)}
			}
			return false, w.l.refused(m)
		}
	}
}

// timeUp does what is due at now, after everything that has arrived was read.
func (w *waiting) timeUp(now time.Time) error {
	switch {
	case !w.hello.IsZero() && !now.Before(w.hello):
		return w.unresponsive("hello")
	case !now.Before(w.offer):
		return w.unresponsive("request")
	case !w.soon.IsZero() && !now.Before(w.soon):
		w.soon, w.hello = time.Time{}, now.Add(w.opts.Timeouts.Hello)
		w.ping = now
	case now.Before(w.ping):
		return nil
	}
	// A live primary answers this even if no handler is free, and says why we
	// wait.
	w.ping = now.Add(w.opts.Timeouts.Offer / 4)
	_ = w.l.conn.SetWriteDeadline(w.offer)
	if err := w.l.hello(w.opts); err != nil && !isTimeout(err) {
		return errStartOver
	}
	_ = w.l.conn.SetWriteDeadline(time.Time{})
	return nil
}

// sleep waits, until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
