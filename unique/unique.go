package unique

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An Instance is this process's part in an application id. Its methods may be
// called from several goroutines at once.
type Instance struct {
	role Role
	site *site
	opts *Options
	// noWait makes Forward return ErrNoPrimary at once instead of waiting for
	// the next primary: Run stands for it itself.
	noWait bool

	// In a primary.
	srv    *server
	tenure *tenure         // nil if alone
	keys   *tcpKeys        // nil on ipc
	ran    chan struct{}   // closed when srv.run has returned
	life   context.Context // ends when leaving
	end    context.CancelFunc
	tended sync.WaitGroup // tend
	heirs  sync.WaitGroup // giveWay
	final  sync.Once      // what is left of Close when nothing runs any more
	closed error          // its result
	gone   chan struct{}  // closed when final is done

	channels channels // opened in a primary

	// Of Run, which is the only one to use this instance:
	expired int      // how often its invocation was too late in saying go
	early   *message // what the first Forward is to ask, asked with HELLO; nil: nothing

	mu     sync.Mutex // guards the fields below
	holder Holder
	link   *link // in a secondary: of Acquire, for the first Forward
	done   bool  // in a secondary: closed
}

// Acquire makes this process the primary for id, or else a secondary of the one
// that is. It should come first of all in a program, before anything is opened
// or shown.
//
// Whoever gets it first, once, is the primary, and remains it until Close or
// the end of the process, however that comes. A primary listens from then on:
// invocations wait in it until Serve. If there is a primary but it does not
// answer within Timeouts.Hello, the error is an UnresponsiveError: there never
// is a second primary.
//
// The id is any string that names the application, such as
// "com.example.editor". ctx bounds Acquire only, not the Instance.
func Acquire(ctx context.Context, id string, opts *Options) (*Instance, error) {
	return acquire(ctx, id, opts, nil)
}

// acquire is Acquire for a process that will forward inv, if it is not nil, next.
func acquire(ctx context.Context, id string, opts *Options, inv *Invocation) (*Instance, error) {
	growStack(0)
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	takeTokens()
	o := opts.withDefaults()
	i := &Instance{role: Secondary, opts: o, early: inv.earlyRequest(o)}
	if o.Mode == ModeAlone {
		i.reignAlone()
		return i, nil
	}
	s, err := openSite(id, o)
	if err != nil {
		return nil, err
	}
	i.site = s
	if s.foreign() {
		if o.Mode == ModeService || o.Replace || o.Standby || o.StartPrimary != nil {
			s.close()
			return nil, fmt.Errorf("unique: %s belongs to uid %d, whose processes alone can be the primary: leave Mode, Replace, Standby and StartPrimary out (Options.Admit)", s.dir, s.owner)
		}
		o.Mode = ModeLauncher
	}
	switch {
	case o.StartPrimary != nil:
		i.link, err = i.launch(ctx)
	case o.Mode == ModeLauncher:
		i.link, err = i.present(ctx)
		if err == nil && i.link == nil {
			i.link, err = i.knock(ctx)
		}
	default:
		err = i.acquire(ctx)
	}
	if err == nil && i.link != nil {
		err = i.fits()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	if i.link != nil {
		i.holder = i.link.holder
		o.log("secondary", "primary", i.holder.PID, "state", i.holder.State)
	}
	return i, nil
}

// Lookup tells who is the primary for id, without a part in the election. It is
// ErrNoPrimary if nobody is, and an UnresponsiveError, with what is known of
// the process, if that does not answer within Timeouts.Hello.
func Lookup(ctx context.Context, id string, opts *Options) (*Holder, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	s, _, err := findSite(hostSurroundings(), id, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	l, err := s.greet(ctx, o, nil, o.helloBy(time.Now()))
	if isNobody(err) {
		return nil, fmt.Errorf("%w", ErrNoPrimary)
	}
	if err != nil {
		return nil, err
	}
	defer l.close()
	return &l.holder, nil
}

// Role tells which part this process has.
func (i *Instance) Role() Role { return i.role }

// Holder describes the primary: this process, or the one that answered last.
func (i *Instance) Holder() Holder {
	if i.role == Primary {
		return i.srv.holder()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.holder
}

func (i *Instance) setHolder(h Holder) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.holder = h
}

// Serve runs h for each invocation, each on a goroutine of its own, until ctx
// ends, the instance is closed, or there was no work for Options.Idle. Then no
// new ones are begun, the contexts of those that run are ended if ctx has
// ended, and Serve returns when they have returned: with the error of ctx, or
// nil. After the end by Options.Idle the instance is closed, and so it is, with an
// error that says so, if the place was lost (see Lost).
//
// When ctx has ended, invocations wait again, for the next Serve, until Close
// sends them on. In a secondary Serve returns an error that wraps
// errors.ErrUnsupported.
func (i *Instance) Serve(ctx context.Context, h Handler) error {
	switch {
	case i.role != Primary:
		return fmt.Errorf("unique: Serve in a secondary, which has nothing to serve: %w", errors.ErrUnsupported)
	case h == nil:
		return errors.New("unique: Serve needs a handler")
	}
	i.opts.log("serving")
	if err := i.srv.serve(ctx, h); err != nil {
		return err
	}
	return errors.Join(i.srv.loss(), i.Close())
}

// Forward hands inv to the primary's handler, waits for its end, and returns its
// exit code. In the primary it goes to the handler of the same process, and
// waits for Serve if need be.
//
// It is run at most once. Forward starts over with the next primary as long as
// nothing can have been run; when it cannot tell, it says so with ErrGone. When
// ctx ends, the handler's context is ended and Forward returns the cause of
// ctx at once.
//
// While it runs, Forward copies the streams of inv. Stdin is read only as far as
// the handler reads, so nothing is taken from it that nobody wants. A read that
// is pending when Forward is done is broken off where that is possible: on Unix
// for every *os.File, elsewhere for what has a SetReadDeadline that works.
// Other readers are left alone, and what such a read still takes is lost. In
// the same way a write to Stdout or Stderr that never ends is left alone when
// ctx ends.
func (i *Instance) Forward(ctx context.Context, inv *Invocation) (exitCode int, err error) {
	if inv == nil {
		return 0, errors.New("unique: Forward needs an invocation, such as unique.Current()")
	}
	if i.role == Primary {
		return i.srv.forwardLocal(ctx, inv)
	}
	i.mu.Lock()
	done := i.done
	i.mu.Unlock()
	if done {
		return 0, errClosed
	}
	return i.forwardRemote(ctx, inv)
}

// takeLink returns the connection that Acquire has made, once.
func (i *Instance) takeLink() *link {
	i.mu.Lock()
	defer i.mu.Unlock()
	l := i.link
	i.link = nil
	if l != nil {
		l.idle = true
	}
	return l
}

// Hold keeps a primary from being idle, see Options.Idle, until release is
// called; calling that twice is harmless. In a secondary it does nothing.
func (i *Instance) Hold() (release func()) {
	if i.role != Primary {
		return func() {}
	}
	return i.srv.hold()
}

// SetIdle replaces Options.Idle in a primary, with the meaning that it has for
// Serve; the time starts anew if there is no work now.
func (i *Instance) SetIdle(d time.Duration) {
	if i.role == Primary {
		i.srv.setIdle(serveIdle(d))
	}
}

// serveIdle is the idle time of a server for what Options.Idle says to Serve.
func serveIdle(d time.Duration) time.Duration {
	if d <= 0 {
		return idleNever
	}
	return d
}

// Close gives up the instance's part. A primary sends those away that wait or
// come from now on, so that they go on to the next primary, waits until the
// invocations that run have ended, and only then makes room for the next one.
// It must not be called by a handler, which it would wait for. Shutdown is for
// those who do not want to wait so long.
func (i *Instance) Close() error { return i.Shutdown(context.Background()) }

// Shutdown is Close, but ends the contexts of the handlers that still run when
// ctx ends. It goes on waiting for them to return.
func (i *Instance) Shutdown(ctx context.Context) error {
	if i.role == Primary {
		i.finish(ctx)
		i.heirs.Wait()
		return i.closed
	}
	i.mu.Lock()
	l := i.link
	i.link, i.done = nil, true
	i.mu.Unlock()
	if l != nil {
		l.close()
	}
	return nil
}

// finish drains the primary and leaves. It may be called more than once, and at
// the same time.
func (i *Instance) finish(ctx context.Context) {
	i.srv.leaveAndDrain(ctx)
	i.final.Do(i.leave)
}
