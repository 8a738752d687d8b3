package unique

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
)

// forwardLocal is Forward in the primary: the same request, queue, handler and
// streams as a secondary's, without a wire between.
func (s *server) forwardLocal(ctx context.Context, inv *Invocation) (int, error) {
	m := inv.request(s.opts)
	// The handler's own, as everywhere: it may change them, and it may still run
	// when Forward has returned because ctx has ended.
	m.Args = slices.Clone(m.Args)
	m.Payload = make([][]byte, len(inv.Data))
	for k, b := range inv.Data {
		m.Payload[k] = bytes.Clone(b)
	}
	if size := m.size(); size > s.opts.MaxRequest {
		return 0, &TooLargeError{Holder: s.holder(), What: "request", Size: size, Limit: s.opts.MaxRequest}
	}
	c := newCall(s, m)
	c.inv.Peer = selfPeer(s.opts.Version)
	c.local = newLocalStreams(inv, c.inv)
	done := make(chan struct{}) // closed when the helpers are to end
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer close(done)
	if len(inv.forwardSignals) > 0 {
		sigs := make(chan os.Signal, 16)
		signal.Notify(sigs, inv.forwardSignals...)
		defer signal.Stop(sigs)
		helpers.Go(func() {
			for {
				select {
				case sig := <-sigs:
					rows, columns := sizeWith(sig)
					c.signal(sig, rows, columns)
					if suspends(sig) {
						suspend()
					}
				case <-done:
					return
				}
			}
		})
	}
	if inv.OnProgress != nil {
		var l *listener
		p := &progressor{credit: 1, send: func(v Progress) { l.tell(v) }}
		l = newListener(inv.OnProgress, p.more)
		c.inv.progress = p.tell
		c.progress = p
		go l.run()
		defer func() {
			l.end()
			select {
			case <-l.done:
			case <-ctx.Done():
			}
		}()
	}

	s.mu.Lock()
	err := s.enqueue(c)
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		s.mu.Lock()
		switch c.state {
		case callRunning:
			c.abort(ErrCanceled)
		default:
			s.end(c)
		}
		s.mu.Unlock()
		return 0, context.Cause(ctx)
	}
	return c.localResult(inv)
}

// localResult is what Forward returns of a call that has ended.
func (c *call) localResult(inv *Invocation) (int, error) {
	self := c.s.holder()
	switch {
	case !c.ran:
		return 0, errClosed
	case c.fault == faultPanic:
		return 0, &PanicError{Holder: self, Reason: c.reason}
	case c.fault == faultEnded:
		return 0, &GoneError{Holder: self, Err: errors.New(c.reason)}
	}
	inv.Answer = answerOf(c.inv.Answer, c.code)
	if c.code == NotHandled {
		return 0, ErrNotHandled
	}
	reply := message{Payload: c.inv.Reply}
	if size := reply.size(); size > c.s.opts.MaxRequest {
		return c.code, &TooLargeError{Holder: self, What: "reply", Size: size, Limit: c.s.opts.MaxRequest}
	}
	inv.Reply = c.inv.Reply
	return c.code, nil
}

// localStreams give a handler the streams of a caller in the same process. They
// end with the invocation, as those of a secondary do.
type localStreams struct {
	stdin          *localReader
	stdout, stderr *localWriter
}

func newLocalStreams(from, to *Invocation) *localStreams {
	l := &localStreams{}
	if from.Stdin != nil {
		l.stdin = &localReader{r: from.Stdin}
		to.Stdin = l.stdin
	}
	if from.Stdout != nil {
		l.stdout = &localWriter{w: from.Stdout}
		to.Stdout = l.stdout
	}
	if from.Stderr != nil {
		l.stderr = &localWriter{w: from.Stderr}
		to.Stderr = l.stderr
	}
	return l
}

func (l *localStreams) stopReading(err error) {
	if l.stdin != nil {
		l.stdin.stop(err)
	}
}

func (l *localStreams) stopWriting(err error) {
	for _, w := range []*localWriter{l.stdout, l.stderr} {
		if w != nil {
			w.err.CompareAndSwap(nil, &err)
		}
	}
}

// A localReader touches the stream of the caller with the first Read only.
type localReader struct {
	r io.Reader

	mu  sync.Mutex // guards the fields below, not held across Read
	src source
	err error // set by stop
}

func (l *localReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return 0, l.err
	}
	if l.src == nil {
		l.src = newSource(l.r)
	}
	src := l.src
	l.mu.Unlock()
	n, err := src.Read(p)
	if err == errDone {
		l.mu.Lock()
		err = l.err
		l.mu.Unlock()
	}
	return n, err
}

func (l *localReader) stop(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = err
	}
	src := l.src
	l.mu.Unlock()
	if first && src != nil {
		src.stop()
	}
}

type localWriter struct {
	w   io.Writer
	err atomic.Pointer[error] // not nil: the invocation is over
}

func (l *localWriter) Write(p []byte) (int, error) {
	if err := l.err.Load(); err != nil {
		return 0, *err
	}
	return l.w.Write(p)
}
