package unique

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// launch finds the primary, or starts one. It never stands for election itself.
// One launcher at a time starts a primary; the others go on looking for it.
func (i *Instance) launch(ctx context.Context) (*link, error) {
	deadline := time.Now().Add(i.opts.Timeouts.Start)
	p := newPause(acquirePauseFirst, acquirePauseMost)
	for {
		late := time.Now().After(deadline)
		l, err := i.present(ctx)
		if l != nil || err != nil {
			return l, err
		}
		unlock, err := i.site.tryStart()
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case unlock != nil:
			defer unlock()
			// The one before us may have started it since we looked.
			if l, err = i.present(ctx); l == nil && err == nil {
				return i.startPrimary(ctx)
			}
			return l, err
		case err == nil && late:
			err = &StartError{Err: fmt.Errorf("another process that starts it has not succeeded within %v; it may be stopped", i.opts.Timeouts.Start)}
		}
		if err != nil {
			return nil, err
		}
		if p.wait(ctx) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// present returns a link to the primary, nil if there is none. It waits for one
// that is leaving to be gone.
func (i *Instance) present(ctx context.Context) (*link, error) {
	s := i.search()
	for {
		l, err := s.look(ctx)
		if l != nil || err != nil || s.who.State != Leaving {
			return l, err
		}
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// startPrimary starts a primary and waits until it answers.
func (i *Instance) startPrimary(ctx context.Context) (*link, error) {
	d, err := detach(i.opts.StartPrimary)
	if err != nil {
		return nil, &StartError{Err: errors.New(reasonText(err))}
	}
	defer d.forget()
	debugf("started pid %d to be the primary", d.pid)
	fault("started")
	deadline := time.Now().Add(i.opts.Timeouts.Start)
	p := newPause(acquirePauseFirst, acquirePauseMost)
	for {
		late := time.Now().After(deadline)
		var ended error
		select {
		case ended = <-d.died:
		default:
		}
		// Looked for after its end, so that one who lost the election to
		// another finds that one.
		l, err := i.search().look(ctx)
		switch {
		case l != nil:
			return l, nil
		case err != nil:
			return nil, err
		case ended != nil:
			return nil, &StartError{PID: d.pid, Err: errors.New(reasonText(ended))}
		case late:
			return nil, &StartError{PID: d.pid, Err: fmt.Errorf("it did not answer within %v", i.opts.Timeouts.Start)}
		}
		if p.wait(ctx) != nil {
			return nil, context.Cause(ctx)
		}
	}
}
