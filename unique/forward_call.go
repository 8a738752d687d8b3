package unique

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"
)

// lastWord is how long a caller that gives up tries to tell the primary. The end
// of its connection says the same.
const lastWord = 250 * time.Millisecond

// An outgoing is a call in the secondary, from GO to EXIT. One goroutine takes
// messages in and never waits for anything else, so that whatever blocks at this
// end (a stopped terminal, an input that does not come) holds up neither the
// other streams nor the end.
type outgoing struct {
	l   *link
	inv *Invocation

	stdin    *credit  // what may be sent of Stdin; nil if it is not forwarded
	out      [3]*sink // by stream; nil if not forwarded
	progress *listener

	helpers sync.WaitGroup
	helped  bool          // there are helpers
	pumping bool          // one of them is pump
	done    chan struct{} // closed when they are to end
}

func newOutgoing(l *link, inv *Invocation, m *message) *outgoing {
	o := &outgoing{l: l, inv: inv, done: make(chan struct{})}
	if m.Streams&wantStdin != 0 {
		o.stdin = newCredit(0)
	}
	o.out[1] = o.newSink(1, inv.Stdout)
	o.out[2] = o.newSink(2, inv.Stderr)
	if inv.OnProgress != nil {
		o.progress = newListener(inv.OnProgress, func() { o.credit(progressStream, 1) })
	}
	return o
}

func (o *outgoing) newSink(stream uint64, w io.Writer) *sink {
	if w == nil {
		return nil
	}
	return newSink(w,
		func(n int64) { o.credit(stream, n) },
		func(end uint64, reason string) {
			_ = o.l.send(&message{Kind: kindCredit, Stream: stream, End: end, Reason: reason}) // a broken connection shows where it is read
		})
}

func (o *outgoing) credit(stream uint64, n int64) {
	_ = o.l.send(&message{Kind: kindCredit, Stream: stream, Credit: uint64(n)}) // as above
}

// run says GO and does everything up to EXIT.
func (o *outgoing) run(ctx context.Context) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	// Before GO: from then on a signal is for the handler.
	sigs := o.catchSignals()
	fault("go")
	before := o.l.conn.written.Load()
	if err := o.l.send(&message{Kind: kindGo}); err != nil {
		signal.Stop(sigs)
		if o.l.conn.written.Load() == before {
			return 0, errStartOver // not a byte of it was taken: it cannot arrive
		}
		return 0, o.gone(err)
	}
	fault("gone")
	debugf("said go to pid %d", o.l.holder.PID)
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() {
			debugf("giving up: the context has ended")
			_ = o.l.conn.SetWriteDeadline(time.Now().Add(lastWord))
			_ = o.l.send(&message{Kind: kindCancel})
			o.l.conn.cut()
		})
	}
	o.start(sigs)
	m, err := o.receive()
	if !stop() {
		err = context.Cause(ctx) // and if an EXIT came, it is because of our CANCEL
	}
	written := o.finish(ctx, err)
	switch {
	case err == nil && written:
		return o.result(m)
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.Is(err, ErrExpired), errors.Is(err, ErrRefused), errors.Is(err, ErrVersion):
		return 0, err
	}
	return 0, o.gone(err)
}

func (o *outgoing) gone(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // the addresses say nothing more
	}
	return &GoneError{Holder: o.l.holder, Err: err}
}

// catchSignals returns where the signals arrive that are handed over; nil if none
// are.
func (o *outgoing) catchSignals() chan os.Signal {
	if len(o.inv.forwardSignals) == 0 {
		return nil
	}
	sigs := make(chan os.Signal, 16)
	signal.Notify(sigs, o.inv.forwardSignals...)
	return sigs
}

// help makes f a helper. It is called on the goroutine of run.
func (o *outgoing) help(f func()) {
	o.helped = true
	o.helpers.Go(f)
}

// start starts the helpers that are there from the start.
func (o *outgoing) start(sigs chan os.Signal) {
	if o.progress != nil {
		go o.progress.run()
	}
	if sigs != nil {
		o.help(func() { o.forwardSignals(sigs) })
	}
}

func (o *outgoing) forwardSignals(sigs chan os.Signal) {
	defer signal.Stop(sigs)
	for {
		select {
		case sig := <-sigs:
			if name := signalName(sig); name != "" {
				debugf("handing over signal %s", name)
				rows, columns := sizeWith(sig)
				_ = o.l.send(&message{Kind: kindSignal, Signal: name, Rows: rows, Columns: columns}) // a broken connection shows where it is read
			}
			if suspends(sig) {
				suspend()
			}
		case <-o.done:
			return
		}
	}
}

// sizeWith is the size of our terminal that goes with sig, 0 if it does not
// matter.
func sizeWith(sig os.Signal) (rows, columns uint64) {
	if !resizes(sig) {
		return 0, 0
	}
	r, c := currentSize()
	return uint64(r), uint64(c)
}

// receive takes messages in up to the one that ends the call.
func (o *outgoing) receive() (*message, error) {
	for {
		m, err := o.l.recv(time.Time{})
		if err != nil {
			return m, err
		}
		switch m.Kind {
		case kindExit, kindNotHandled:
			return m, nil
		case kindExpired:
			return m, ErrExpired
		case kindStdout, kindStderr:
			s := o.out[m.Kind-kindStdin]
			if s == nil {
				return m, &wireError{m.Kind.String() + " came although the request did not ask for it"}
			}
			for _, b := range m.Payload {
				if err := s.push(b); err != nil {
					return m, err
				}
			}
		case kindCredit:
			if o.stdin != nil && m.Stream == 0 {
				o.stdin.add(m.Credit)
				if !o.pumping { // until the handler asks, not a byte is read
					o.pumping = true
					o.help(o.pump)
				}
			}
		case kindProgress:
			if o.progress != nil {
				o.progress.tell(Progress{Done: m.Done, Total: m.Total, Text: m.Text})
			}
		case kindRefused:
			return m, o.l.refused(m)
		}
	}
}

// finish ends the helpers. It reports whether everything that has arrived was
// written before ctx ended.
func (o *outgoing) finish(ctx context.Context, err error) (written bool) {
	// Whatever is still to be sent, nobody waits for it.
	_ = o.l.conn.SetWriteDeadline(longAgo())
	close(o.done)
	if o.stdin != nil {
		o.stdin.fail(errDone)
	}
	for _, s := range o.out {
		if s == nil {
			continue
		}
		if err == nil || ctx.Err() == nil {
			s.end()
			s.wait(ctx)
		}
		if ctx.Err() != nil {
			s.drop()
		}
	}
	if o.progress != nil {
		o.progress.end()
		select {
		case <-o.progress.done:
		case <-ctx.Done():
		}
	}
	if o.helped {
		o.awaitHelpers()
	}
	for _, s := range o.out {
		if s != nil && !s.isDone() {
			return false
		}
	}
	return true
}

// awaitHelpers waits until the pending read of Stdin is broken off. Where another
// process has taken the input that we were about to read, it cannot be: that is
// not worth waiting for.
func (o *outgoing) awaitHelpers() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.helpers.Wait()
	}()
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
	}
}

// pump sends Stdin as far as there is credit, and reads no further.
func (o *outgoing) pump() {
	if o.stdin.wait() != nil {
		return // it had asked for nothing
	}
	src := newSource(o.inv.Stdin)
	go func() {
		<-o.done
		src.stop()
	}()
	buf := make([]byte, chunk)
	for {
		n, err := o.stdin.take(len(buf))
		if err != nil {
			return
		}
		got, err := src.Read(buf[:n])
		o.stdin.give(int64(n - got))
		m := &message{Kind: kindStdin}
		if got > 0 {
			m.Payload = [][]byte{buf[:got]}
		}
		switch {
		case err == nil:
		case errors.Is(err, errDone):
			return
		case errors.Is(err, io.EOF):
			m.End = endNormal
		default:
			m.End, m.Reason = endError, reasonOf(err)
		}
		if got == 0 && m.End == endNone {
			continue
		}
		if o.l.send(m) != nil || m.End != endNone {
			return
		}
	}
}

// result is what Forward returns of m.
func (o *outgoing) result(m *message) (int, error) {
	fault("answered")
	debugf("pid %d says %v", o.l.holder.PID, m.Kind)
	switch {
	case m.Kind == kindNotHandled:
		o.inv.Answer = AnswerNotHandled
		return 0, ErrNotHandled
	case m.Fault == faultEnded:
		return 0, &GoneError{Holder: o.l.holder, Err: errors.New(m.Reason)}
	case m.Fault == faultPanic:
		return 0, &PanicError{Holder: o.l.holder, Reason: m.Reason}
	}
	o.inv.Answer = answerOf(m.Answer, int(m.Code))
	if m.Fault == faultReply {
		return int(m.Code), &TooLargeError{Holder: o.l.holder, What: "reply", Size: int64(m.Size), Limit: int64(m.Limit)}
	}
	o.inv.Reply = m.Payload
	return int(m.Code), nil
}
