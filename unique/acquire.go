package unique

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// Waiting for another process to become the primary, or to stop being it.
const (
	acquirePauseFirst = time.Millisecond
	acquirePauseMost  = 20 * time.Millisecond
)

// helloBy is when a primary must have answered somebody who began at start. A
// little is left for looking once more and saying so within Timeouts.Hello.
func (o *Options) helloBy(start time.Time) time.Time {
	return start.Add(o.Timeouts.Hello - min(o.Timeouts.Hello/4, 2*grace))
}

func isNobody(err error) bool {
	var n *nobodyError
	return errors.As(err, &n)
}

// A search is the state of those who look for a primary that answers, whatever
// they do if there is none.
type search struct {
	i     *Instance
	start time.Time
	live  time.Time // by then a primary that exists must have answered
	left  time.Time // by then one that is leaving must have left; zero: none is
	who   Holder    // who is leaving; zero if the last look met nobody who is
	late  bool      // live was past before the last look
	pause *pause
	early *message // to be asked with HELLO; nil: nothing
}

func (i *Instance) search() *search {
	now := time.Now()
	return &search{i: i, start: now, live: i.opts.helloBy(now), pause: newPause(acquirePauseFirst, acquirePauseMost)}
}

// look looks once. It returns a link, an error that is final, or neither: then
// nobody is there, or one who is leaving.
func (s *search) look(ctx context.Context) (*link, error) {
	now := time.Now()
	s.late, s.who = now.After(s.live), Holder{}
	l, err := s.i.site.greet(ctx, s.i.opts, s.early, s.live)
	switch {
	case isNobody(err):
		debugf("%v", err)
		return nil, nil
	case err != nil:
		return nil, err
	case l.holder.State != Leaving:
		return l, nil
	}
	l.close()
	// It is alive, so the time for showing life begins anew.
	s.live = s.i.opts.helloBy(time.Now())
	s.late = false
	s.who = l.holder
	switch {
	case l.holder.Successor != 0: // it says who takes its place: only ctx bounds that
		s.left = time.Time{}
	case s.left.IsZero():
		s.i.opts.log("the primary is leaving: waiting until it has left", "primary", l.holder.PID)
		s.left = now.Add(s.i.opts.Timeouts.Offer)
	case now.After(s.left):
		return nil, &LeavingError{Holder: l.holder}
	}
	return nil, nil
}

func (s *search) wait(ctx context.Context) error {
	if s.pause.wait(ctx) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// acquire makes i the primary or gives it a link to the one that is.
func (i *Instance) acquire(ctx context.Context) error {
	ticket := takeTicket(i.site)
	s := i.search()
	if ticket == [16]byte{} {
		s.early = i.early
	}
	for {
		l, err := s.look(ctx)
		if l != nil {
			settled, err := i.meet(ctx, l, ticket)
			if settled || err != nil {
				return err
			}
			continue // it is gone
		}
		silent := errors.Is(err, ErrUnresponsive)
		if err != nil && !silent {
			return err
		}
		var t *tenure
		if s.who.Successor == 0 { // else the gate is the successor's
			// Nobody answers: whether somebody is there is for the lock to say.
			var electErr error
			t, electErr = s.elect(ctx)
			if errors.Is(electErr, ErrUnresponsive) {
				err, silent = electErr, true
			} else if electErr != nil {
				return electErr
			}
		}
		if t == nil && !silent && s.late {
			// The lock is held by one who has published nothing, or nothing
			// that is right.
			err, silent = s.unresponsive(i.site.lockPath(), i.site.holderPID()), true
		}
		switch {
		case t != nil:
			return i.reign(ctx, t)
		case silent:
			again, err := i.hung(ctx, err)
			if !again {
				return err
			}
			s = i.search()
			continue
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

// unresponsive is the error about somebody who holds the lock at path.
func (s *search) unresponsive(path string, pid int) error {
	return &UnresponsiveError{Holder: Holder{PID: pid, UID: -1}, Step: "hello", After: time.Since(s.start), lock: path}
}

// elect stands for election. The gate is held for moments only: who holds it
// for longer is stopped.
func (s *search) elect(ctx context.Context) (*tenure, error) {
	deadline := s.live
	if least := time.Now().Add(grace); deadline.Before(least) {
		deadline = least
	}
	within, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	t, err := s.i.site.elect(within)
	var gate *lockWaitError
	if ctx.Err() != nil && err != nil {
		return nil, context.Cause(ctx)
	}
	if errors.As(err, &gate) {
		return nil, s.unresponsive(gate.Path, gate.PID)
	}
	return t, err
}

// reign makes i the primary, whose election was won.
func (i *Instance) reign(ctx context.Context, t *tenure) (err error) {
	fault("won")
	defer func() {
		if err != nil {
			err = errors.Join(err, t.release())
		}
	}()
	var generation [16]byte
	if _, err := rand.Read(generation[:]); err != nil {
		return fmt.Errorf("unique: no random numbers: %w", err)
	}
	port, r, err := i.listen(ctx, t)
	if err != nil {
		return fmt.Errorf("unique: the primary cannot listen: %w", err)
	}
	fault("bound")
	started := time.Now()
	i.srv = newServer(port, generation, started, i.opts)
	i.srv.endpoint = r.Endpoint
	i.tenure = t
	i.begin()
	r.Proto, r.Started, r.Generation, r.AppVersion = wireVersion, started, generation, i.opts.Version
	err = t.publish(r)
	if err != nil {
		_ = port.close() // the error to report is why nobody would find us
		<-i.ran
		i.role, i.tenure = Secondary, nil
		return err
	}
	fault("published")
	i.tended.Go(i.tend)
	i.heirs.Go(i.giveWay)
	i.opts.log("primary", "endpoint", r.Endpoint)
	return nil
}

// begin makes i a primary that takes messages in.
func (i *Instance) begin() {
	i.role = Primary
	i.srv.idle = serveIdle(i.opts.Idle)
	i.ran, i.gone = make(chan struct{}), make(chan struct{})
	i.life, i.end = context.WithCancel(context.Background())
	go func() {
		defer close(i.ran)
		i.srv.run()
	}()
}

// reach finds the next primary for a Forward that starts over.
func (i *Instance) reach(ctx context.Context) (*link, error) {
	switch {
	case i.opts.StartPrimary != nil:
		return i.launch(ctx)
	case i.noWait:
		return nil, ErrNoPrimary
	}
	return i.join(ctx)
}

// join finds a primary, and waits a moment for one to come.
func (i *Instance) join(ctx context.Context) (*link, error) {
	s := i.search()
	for {
		l, err := s.look(ctx)
		if l != nil || err != nil {
			return l, err
		}
		if s.late {
			return nil, ErrNoPrimary
		}
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
}
