package unique

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

type callState uint8

const (
	callQueued  callState = iota // waits for a handler
	callOffered                  // a handler is free for it, until GO or the time is up
	callRunning
	callEnded
)

// A call is one invocation in the primary, of a peer or of this process.
type call struct {
	s     *server
	peer  *peer // nil: of this process
	size  int64 // as counted by message.size
	ended chan struct{}

	// The server's mu guards these.
	state callState
	until time.Time // an offer stands

	inv    *Invocation // the handler's
	ctx    context.Context
	cancel context.CancelCauseFunc
	forget func() bool // keeps the end of ctx from touching the streams
	// Of the streams of a peer, those are nil that it does not forward.
	stdin          *inlet
	stdout, stderr *outlet
	signals        chan os.Signal
	progress       *progressor
	local          *localStreams // of a call of this process

	deferred atomic.Bool   // the handler has called Defer
	exitOnce sync.Once     // guards exitCode
	exitCode int           // set before exited is closed
	exited   chan struct{} // closed by what Defer returned

	// Set by invoke, read by complete and after ended.
	ran    bool
	code   int
	fault  uint64
	reason string
}

func newCall(s *server, m *message) *call {
	c := &call{
		s:       s,
		size:    m.size(),
		ended:   make(chan struct{}),
		exited:  make(chan struct{}),
		signals: make(chan os.Signal, 16),
		inv: &Invocation{
			Args:       m.Args,
			Env:        m.Env,
			Dir:        m.Dir,
			DirErr:     dirError(m.Dir, m.DirCode, m.DirError),
			Data:       m.Payload,
			Activation: Activation{Token: m.Token, StartupID: m.StartupID},
			Stdin:      noInput{},
			Stdout:     io.Discard,
			Stderr:     io.Discard,
		},
	}
	c.inv.signals = c.signals
	c.inv.Command, c.inv.Targets = m.Command, m.Targets
	c.inv.Terminal = m.terminal(c.inv.Getenv("TERM"))
	c.inv.deferral = c.deferExit
	return c
}

// noInput is a Stdin that is not forwarded. It has no other methods, which
// os/exec and io.Copy would look for.
type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// newRemoteCall returns the call that a REQUEST of p asks for.
func newRemoteCall(p *peer, m *message) *call {
	c := newCall(p.s, m)
	c.peer = p
	c.inv.Peer = Peer{PID: p.cred.PID, UID: p.cred.UID, GID: p.cred.GID, Version: p.version}
	if m.Streams&wantStdin != 0 {
		c.stdin = newInlet(func(n int64) error {
			return p.send(p.ctx, &message{Kind: kindCredit, Credit: uint64(n)})
		})
		c.inv.Stdin = c.stdin
	}
	first := min(m.Window, maxWindow)
	if first == 0 {
		first = window
	}
	out := func(k kind) *outlet {
		return &outlet{credit: newCredit(int64(first)), send: func(b []byte) error {
			return p.send(p.ctx, &message{Kind: k, Payload: [][]byte{b}})
		}}
	}
	if m.Streams&wantStdout != 0 {
		c.stdout = out(kindStdout)
		c.inv.Stdout = c.stdout
	}
	if m.Streams&wantStderr != 0 {
		c.stderr = out(kindStderr)
		c.inv.Stderr = c.stderr
	}
	if m.Streams&wantProgress != 0 {
		c.progress = &progressor{credit: 1, send: func(v Progress) {
			p.s.port.trySend(p.id, p.frames(&message{Kind: kindProgress, Done: v.Done, Total: v.Total, Text: v.Text}))
		}}
		c.inv.progress = c.progress.tell
	}
	return c
}

// prepare makes the handler's context.
func (c *call) prepare(ctx context.Context) {
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	// A handler that waits in a Read or Write is not to hold up the end of
	// Serve. What can still be written without waiting is still written.
	c.forget = context.AfterFunc(c.ctx, func() {
		cause := context.Cause(c.ctx)
		if c.stdin != nil {
			c.stdin.fail(cause)
		}
		for _, o := range []*outlet{c.stdout, c.stderr} {
			if o != nil {
				o.credit.hurry(cause)
			}
		}
		if c.local != nil {
			c.local.stopReading(cause)
		}
	})
}

// abort ends the handler's context and its streams: there is nobody any more
// who would read them.
func (c *call) abort(cause error) {
	c.cancel(cause)
	c.endStreams(cause)
}

func (c *call) endStreams(err error) {
	if c.stdin != nil {
		c.stdin.fail(err)
	}
	for _, o := range []*outlet{c.stdout, c.stderr} {
		if o != nil {
			o.credit.fail(err)
		}
	}
	if c.local != nil {
		c.local.stopWriting(err) // the context's end stops reading
	}
}

// invoke runs the handler and notes how it ended.
func (c *call) invoke(h Handler) {
	c.ran = true
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		c.code, c.fault = 70, faultPanic // EX_SOFTWARE, for peers that know codes only
		switch e := v.(type) {
		case nil:
			c.reason = "it ended its goroutine (runtime.Goexit)"
			return
		case runtime.Error:
			c.reason = e.Error()
		default:
			// The value may hold anything, arguments for example.
			c.reason = fmt.Sprintf("with a value of type %T", v)
		}
		c.s.panicked(c.inv, v, debug.Stack())
	}()
	fault("running")
	c.code = h(c.ctx, c.inv)
	returned = true
	if c.deferred.Load() {
		c.awaitExit()
	}
}

// panicked reports a panic in the primary.
func (s *server) panicked(inv *Invocation, v any, stack []byte) {
	s.opts.log("a handler panicked", "type", fmt.Sprintf("%T", v))
	if s.opts.OnPanic != nil {
		s.opts.OnPanic(inv, v, stack)
		return
	}
	_, _ = fmt.Fprintf(os.Stderr, "unique: a handler panicked: %v\n\n%s\n", v, stack)
}

// complete tells the caller how the handler ended.
func (c *call) complete() {
	c.endStreams(errDone)
	if c.local != nil {
		c.local.stopReading(errDone)
	}
	defer c.cancel(errDone)
	c.forget() // the streams have ended
	if c.progress != nil {
		c.progress.flush()
	}
	if c.peer == nil {
		return
	}
	// From EXIT on the peer may send its next request.
	c.s.mu.Lock()
	if c.peer.call == c {
		c.peer.call = nil
	}
	c.s.mu.Unlock()
	m := &message{Kind: kindExit, Code: int64(c.code), Fault: c.fault, Reason: c.reason, Answer: c.inv.Answer}
	switch {
	case c.fault != faultNone:
	case c.code == NotHandled:
		m = &message{Kind: kindNotHandled}
	default:
		m.Payload = c.inv.Reply
		if size := m.size(); size > c.s.opts.MaxRequest {
			m.Payload = nil
			m.Fault, m.Size, m.Limit = faultReply, uint64(size), uint64(c.s.opts.MaxRequest)
		}
	}
	c.s.opts.log("the handler has ended", "pid", c.peer.cred.PID, "answer", m.Kind, "code", m.Code)
	fault("exit")
	if err := c.peer.send(c.peer.ctx, m); err != nil {
		debugf("%v did not reach pid %d: %v", m.Kind, c.peer.cred.PID, err)
	}
	fault("exited")
}

// message takes what a peer says of a running call.
func (c *call) message(m *message) error {
	switch m.Kind {
	case kindStdin:
		if c.stdin == nil {
			return &wireError{"STDIN came although the request did not ask for it"}
		}
		for _, b := range m.Payload {
			if err := c.stdin.push(b); err != nil {
				return err
			}
		}
		if m.End != endNone {
			c.stdin.finish(readEnd(m.End, m.Reason))
		}
	case kindCredit:
		return c.credited(m)
	case kindSignal:
		if sig := signalOf(m.Signal); sig != nil {
			c.signal(sig, m.Rows, m.Columns)
		}
	}
	return nil
}

func (c *call) credited(m *message) error {
	if m.Stream == progressStream && c.progress != nil {
		c.progress.more()
		return nil
	}
	o := c.stdout
	if m.Stream == 2 {
		o = c.stderr
	}
	if o == nil || m.Stream != 1 && m.Stream != 2 {
		return &wireError{"CREDIT came for a stream that the request did not ask for"}
	}
	o.credit.add(m.Credit)
	if m.End != endNone {
		o.credit.fail(writeEnd(m.End, m.Reason))
	}
	return nil
}

// signal gives sig to the handler, with the size of the terminal if that may
// have changed.
func (c *call) signal(sig os.Signal, rows, columns uint64) {
	if c.inv.Terminal != nil {
		c.inv.Terminal.resize(rows, columns)
	}
	select {
	case c.signals <- sig:
	default:
	}
}

// dirError makes an error of what a REQUEST says of the missing directory.
func dirError(dir string, code uint64, text string) error {
	if dir != "" {
		return nil
	}
	switch code {
	case dirNotExist:
		return &goneDirError{os.ErrNotExist}
	case dirPermission:
		return &goneDirError{os.ErrPermission}
	}
	if text == "" {
		text = "the caller did not tell it"
	}
	return &goneDirError{errors.New(text)}
}

// A goneDirError says why the working directory of a caller is not known.
type goneDirError struct{ err error }

func (e *goneDirError) Error() string {
	if errors.Is(e.err, os.ErrNotExist) {
		return "unique: the working directory of the caller was deleted"
	}
	return "unique: the working directory of the caller is not known: " + e.err.Error()
}

func (e *goneDirError) Unwrap() error { return e.err }
