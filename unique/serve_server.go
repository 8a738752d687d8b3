package unique

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// idleNever as a server's idle time: it stays without work.
const idleNever time.Duration = -1

// errClosed is what a primary says that was closed.
var errClosed error = closedError{}

// A closedError is net.ErrClosed.
type closedError struct{}

func (e closedError) Error() string {
	return "unique: the instance is closed: " + e.Unwrap().Error()
}

func (closedError) Unwrap() error { return net.ErrClosed }

// A server is the primary's side of the protocol. Messages come in on the goroutines of
// the port, for which handling them never means to wait; a handler has one of its own.
type server struct {
	port     port
	opts     *Options
	welcome  message // what every peer is told, but for the state
	endpoint string  // where it listens

	mu         sync.Mutex
	in         message // that is being handled
	peers      map[string]*peer
	queue      []*call // wait for a handler, first come first served
	queueBytes int64   // of the requests in queue
	used       int     // handlers that run or are kept free for a GO
	active     map[*call]struct{}
	holds      int
	idle       time.Duration
	service    bool // the first work may take a while to come
	idleTimer  *time.Timer
	offers     *time.Timer // of those in active that are offered; nil: not set
	idleRound  int         // counts the times that idleTimer was set
	serving    *serving
	leaving    bool
	lost       error         // why we leave, if it is not our own will
	drained    chan struct{} // closed when leaving and nothing is queued or used
	handover   handover
	stats      Stats // counters only
}

// serving is one call of Serve.
type serving struct {
	ctx    context.Context
	h      Handler
	active sync.WaitGroup // handlers that run
}

func newServer(p port, generation [16]byte, started time.Time, opts *Options) *server {
	return &server{
		port: p,
		opts: opts,
		welcome: message{
			Kind: kindWelcome, MinVersion: wireVersion, MaxVersion: wireVersion,
			PID: uint64(os.Getpid()), Generation: generation, Started: started.UnixNano(),
			AppVersion: opts.Version, Limit: uint64(opts.MaxRequest),
		},
		peers:   make(map[string]*peer),
		active:  make(map[*call]struct{}),
		idle:    idleNever,
		service: opts.Mode == ModeService,
		drained: make(chan struct{}),
		handover: handover{
			begun: make(chan struct{}),
			done:  make(chan struct{}),
			lost:  make(chan struct{}),
		},
	}
}

// run takes messages in until the port is closed.
func (s *server) run() {
	err := s.port.run(s.handle)
	debugf("the control endpoint has ended: %v", err)
	s.cutOff()
}

// cutOff ends the calls of all peers, none of which can be heard any more.
func (s *server) cutOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		s.forget(p)
	}
	if s.offers != nil {
		s.offers.Stop()
	}
}

// state is what WELCOME tells. The caller holds mu.
func (s *server) state() State {
	switch {
	case s.leaving:
		return Leaving
	case s.serving == nil:
		return Booting
	case s.used >= s.opts.MaxRunning:
		return Busy
	}
	return Serving
}

// holder describes this process.
func (s *server) holder() Holder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Holder{
		PID:      os.Getpid(),
		UID:      os.Getuid(),
		Version:  s.opts.Version,
		Started:  time.Unix(0, s.welcome.Started),
		State:    s.state(),
		Endpoint: s.endpoint,

		Successor: s.handover.pid(),
	}
}

// serve makes h the handler until ctx ends or the server leaves.
func (s *server) serve(ctx context.Context, h Handler) error {
	v := &serving{ctx: ctx, h: h}
	s.mu.Lock()
	switch {
	case s.leaving:
		s.mu.Unlock()
		return errClosed
	case s.serving != nil:
		s.mu.Unlock()
		return errors.New("unique: Serve was called while another Serve runs: an instance has one handler at a time")
	}
	s.serving = v
	s.dispatch()
	s.mu.Unlock()

	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.drained:
	}
	s.mu.Lock()
	if s.serving == v { // those who were offered a handler ask again later
		s.serving = nil
		for c := range s.active {
			if c.state == callOffered {
				s.end(c)
			}
		}
	}
	s.mu.Unlock()
	v.active.Wait()
	return err
}

// enqueue adds c, or says why not.
func (s *server) enqueue(c *call) error {
	switch {
	case s.leaving:
		return errClosed
	case c.peer == nil: // of this process, which has it in memory anyway
	case len(s.queue) >= s.opts.MaxQueued, s.queueBytes > 0 && s.queueBytes+c.size > 4*s.opts.MaxRequest:
		return errQueueFull
	}
	s.service = false
	s.queue = append(s.queue, c)
	s.queueBytes += c.size
	s.dispatch()
	return nil
}

var errQueueFull = errors.New("unique: too many invocations wait already")

// dispatch gives free handlers to those who wait. The caller holds mu.
func (s *server) dispatch() {
	for s.serving != nil && s.used < s.opts.MaxRunning && len(s.queue) > 0 {
		c := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.queueBytes -= c.size
		s.used++
		s.active[c] = struct{}{}
		if c.peer == nil {
			go s.start(c)()
			continue
		}
		c.state = callOffered
		c.until = time.Now().Add(s.opts.Timeouts.Go)
		if s.offers == nil {
			s.offers = time.AfterFunc(s.opts.Timeouts.Go, s.expire)
		}
		s.opts.log("a handler is offered", "pid", c.peer.cred.PID)
		c.peer.reply(&message{Kind: kindOffer})
		fault("offered")
	}
	s.checkIdle()
}

// expire takes offers back that nobody took in time. A GO that comes now is answered by
// EXPIRED. Most offers are taken at once, so that one timer is there for all: what it
// costs to set one for each shows in the time of a launch.
func (s *server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offers = nil
	now, next := time.Now(), time.Time{}
	var late []*call
	for c := range s.active {
		switch {
		case c.state != callOffered:
		case !now.Before(c.until):
			late = append(late, c)
		case next.IsZero() || c.until.Before(next):
			next = c.until
		}
	}
	if !next.IsZero() {
		s.offers = time.AfterFunc(next.Sub(now), s.expire)
	}
	for _, c := range late {
		s.stats.Expired++
		s.opts.log("the offer has expired: the request is discarded", "pid", c.peer.cred.PID)
		s.end(c)
	}
}

// start returns what runs the handler for c. The caller holds mu.
func (s *server) start(c *call) (handler func()) {
	c.state = callRunning
	v := s.serving
	c.prepare(v.ctx)
	v.active.Add(1)
	return func() {
		// All of it deferred: a handler may end its goroutine.
		defer v.active.Done()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.end(c)
		}()
		defer c.complete()
		c.invoke(v.h)
	}
}

// end removes c, whatever its state is. The caller holds mu.
func (s *server) end(c *call) {
	switch c.state {
	case callQueued:
		for i, q := range s.queue {
			if q == c {
				s.queue = append(s.queue[:i], s.queue[i+1:]...)
				s.queueBytes -= c.size
				break
			}
		}
	case callOffered, callRunning:
		s.used--
		delete(s.active, c)
	case callEnded:
		return
	}
	c.state = callEnded
	s.count(c)
	if c.peer != nil && c.peer.call == c {
		c.peer.call = nil
	}
	close(c.ended)
	s.dispatch()
}

// hold keeps the server from being idle.
func (s *server) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds++
	s.checkIdle()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.holds--
		s.checkIdle()
	})
}

func (s *server) setIdle(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = d
	s.stopIdle()
	s.checkIdle()
}

// checkIdle starts the time without work, or ends it. It also notices when a
// server that is leaving has no work left. The caller holds mu.
func (s *server) checkIdle() {
	work := s.used > 0 || len(s.queue) > 0
	if s.leaving {
		s.stopIdle()
		if !work {
			select {
			case <-s.drained:
			default:
				close(s.drained)
			}
		}
		return
	}
	if work || s.holds > 0 || s.serving == nil || s.idle < 0 {
		s.stopIdle()
		return
	}
	if s.idleTimer != nil {
		return
	}
	s.idleRound++
	round := s.idleRound
	idle := s.idle
	if s.service {
		idle = max(idle, firstWork)
	}
	s.idleTimer = time.AfterFunc(idle, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		// Deciding and leaving are one step under mu: a request is before it,
		// and keeps us, or after it, and is sent on.
		if s.idleTimer != nil && s.idleRound == round {
			s.opts.log("there was no work: leaving", "idle", s.idle)
			s.leave()
		}
	})
}

func (s *server) stopIdle() {
	if s.idleTimer != nil {
		s.idleTimer.Stop()
		s.idleTimer = nil
	}
}

// leave sends everybody away who waits or comes from now on. The caller holds mu.
func (s *server) leave() {
	if s.leaving {
		return
	}
	s.leaving = true
	for len(s.queue) > 0 {
		c := s.queue[0]
		if c.peer != nil {
			s.sendOn(c.peer)
		}
		s.end(c)
	}
	s.checkIdle()
}

// lose leaves because of err. The caller holds mu.
func (s *server) lose(err error) {
	if s.lost == nil {
		s.lost = err
		close(s.handover.lost)
	}
	s.leave()
}

// uproot is lose for those who do not hold mu.
func (s *server) uproot(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(err)
}

// loss returns the error of lose.
func (s *server) loss() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// sendOn tells p to look for the next primary. The caller holds mu.
func (s *server) sendOn(p *peer) {
	s.stats.SentOn++
	p.reply(&message{Kind: kindLeaving, Successor: uint64(s.handover.pid())})
}

// leaveAndDrain leaves and waits until nothing runs any more. If ctx ends before,
// it ends the contexts of what runs, and goes on waiting.
func (s *server) leaveAndDrain(ctx context.Context) {
	s.mu.Lock()
	s.leave()
	s.mu.Unlock()
	select {
	case <-s.drained:
		return
	case <-ctx.Done():
	}
	s.mu.Lock()
	for c := range s.active {
		if c.state == callOffered {
			s.end(c)
		} else {
			c.cancel(context.Cause(ctx)) // its caller is still there and hears the end
		}
	}
	s.mu.Unlock()
	<-s.drained
}
