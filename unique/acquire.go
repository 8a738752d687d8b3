package unique

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
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
	who   Holder    // who is leaving
	late  bool      // live was past before the last look
	pause *pause
}

func (i *Instance) search() *search {
	now := time.Now()
	return &search{i: i, start: now, live: i.opts.helloBy(now), pause: newPause(acquirePauseFirst, acquirePauseMost)}
}

// look looks once. It returns a link, an error that is final, or neither: then
// nobody is there, or one who is leaving.
func (s *search) look(ctx context.Context) (*link, error) {
	now := time.Now()
	s.late = now.After(s.live)
	l, err := s.i.site.greet(ctx, s.i.opts, s.live)
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
	if s.left.IsZero() {
		debugf("pid %d is leaving: waiting until it has left", l.holder.PID)
		s.left = now.Add(s.i.opts.Timeouts.Offer)
	}
	s.who = l.holder
	if now.After(s.left) {
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
	s := i.search()
	for {
		l, err := s.look(ctx)
		if l != nil {
			i.link = l
			return nil
		}
		silent := errors.Is(err, ErrUnresponsive)
		if err != nil && !silent {
			return err
		}
		// Nobody answers: whether somebody is there is for the lock to say.
		t, electErr := s.elect(ctx)
		switch {
		case electErr != nil:
			return electErr
		case t != nil:
			return i.reign(ctx, t)
		case silent:
			return err
		case s.late:
			// The lock is held by one who has published nothing, or nothing
			// that is right.
			h := Holder{PID: i.site.holderPID(), UID: -1}
			return &UnresponsiveError{Holder: h, Step: "hello", After: time.Since(s.start)}
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
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
		return nil, &UnresponsiveError{Holder: Holder{PID: gate.PID, UID: -1}, Step: "hello", After: time.Since(s.start)}
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
	i.srv.idle = serveIdle(i.opts.Idle)
	i.ran = make(chan struct{})
	go func() {
		defer close(i.ran)
		i.srv.run()
	}()
	r.Proto, r.Started, r.Generation, r.AppVersion = wireVersion, started, generation, i.opts.Version
	err = t.publish(r)
	if err != nil {
		_ = port.close() // the error to report is why nobody would find us
		<-i.ran
		return err
	}
	fault("published")
	i.role, i.tenure = Primary, t
	i.over, i.tended = make(chan struct{}), make(chan struct{})
	go i.tend()
	debugf("primary, listening at %s", r.Endpoint)
	return nil
}

// tendEvery is how often a primary looks whether it can still be found.
const tendEvery = 10 * time.Second

// tend keeps the primary where it can be found: programs that clean up
// temporary directories remove files that are in use. If that was the lock file,
// the next one to come is a primary as well, and we are the one to go.
func (i *Instance) tend() {
	defer close(i.tended)
	t := time.NewTicker(tendEvery)
	defer t.Stop()
	for {
		select {
		case <-i.over:
			return
		case <-t.C:
		}
		err := i.tenure.tend()
		if err == nil {
			continue
		}
		debugf("%v", err)
		if errors.Is(err, errUprooted) {
			i.srv.uproot(err)
			return
		}
	}
}

// leave is the end of a primary that runs nothing any more. The record goes
// first: who finds none waits for the lock. The lock goes last: when it is free,
// nothing of us is in the way of the next one.
func (i *Instance) leave() {
	debugf("leaving")
	fault("leaving")
	err := i.tenure.withdraw()
	close(i.over)
	closeErr := i.srv.port.close()
	var unsent *msgcore.UnsentError
	if errors.As(closeErr, &unsent) {
		debugf("%v", closeErr) // a caller that does not take its output hears the end of the connection
		closeErr = nil
	}
	err = errors.Join(err, closeErr)
	<-i.ran
	<-i.tended
	i.closed = errors.Join(err, i.tenure.release())
	i.site.close()
	debugf("has left")
}

// reach finds the next primary for a Forward that starts over.
func (i *Instance) reach(ctx context.Context) (*link, error) {
	switch {
	case i.opts.StartPrimary != nil:
		return i.launch(ctx)
	case i.noWait:
		return nil, ErrNoPrimary
	}
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
