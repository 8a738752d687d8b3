package unique

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// Lost is closed when the place of this primary is taken away: by a process that
// replaces it (Options.AllowReplace), or because its directory was wiped and
// another process became the primary before that could be mended. What runs goes
// on to its end, nothing new comes; an application that wants to end sooner ends
// it. Serve, or Err, then tells why. In a secondary it is never closed.
func (i *Instance) Lost() <-chan struct{} {
	if i.role != Primary {
		return nil
	}
	return i.srv.handover.lost
}

// Err is why the place was lost: a ReplacedError or an UprootedError, which are
// ErrLost; nil as long as it was not.
func (i *Instance) Err() error {
	if i.role != Primary {
		return nil
	}
	return i.srv.loss()
}

// WaitExit waits until the primary has ended: in a secondary the one that it was
// welcomed by last, whatever follows it. In a primary it waits for the end of
// this Instance. It returns nil then, and the cause of ctx when that ends first.
func (i *Instance) WaitExit(ctx context.Context) error {
	if i.role == Primary {
		select {
		case <-i.gone:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	was := i.Holder()
	p := newPause(acquirePauseFirst, acquirePauseMost)
	for {
		l, err := i.site.greet(ctx, i.opts, nil, i.opts.helloBy(time.Now()))
		switch {
		case err == nil && (l.holder.PID != was.PID || !l.holder.Started.Equal(was.Started)):
			l.close()
			return nil
		case err == nil:
			err = l.awaitEnd(ctx)
			l.close()
			if err != nil {
				return err
			}
		case isNobody(err) && lockOwner(i.site.lockPath()) != was.PID:
			return nil
		case isNobody(err), errors.Is(err, ErrUnresponsive): // stopped, or leaving its directory
		default:
			return err
		}
		if p.wait(ctx) != nil {
			return context.Cause(ctx)
		}
	}
}

// awaitEnd waits for the end of the connection.
func (l *link) awaitEnd(ctx context.Context) error {
	defer l.during(ctx)()
	for {
		if _, err := l.recv(time.Time{}); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return nil
		}
	}
}

// giveWay leaves for a successor.
func (i *Instance) giveWay() {
	select {
	case <-i.srv.handover.begun:
		i.finish(context.Background())
	case <-i.life.Done():
	}
}

// leave is the end of a primary that runs nothing any more. With a successor, the
// lock goes first, and those who come are told to wait until that one has
// published. Without one the record goes first: who finds none waits for the
// lock, and when that is free, nothing of us is in the way of the next one.
func (i *Instance) leave() {
	defer close(i.gone)
	i.opts.log("leaving")
	fault("leaving")
	i.end()
	i.tended.Wait()
	err := i.channels.unbind()
	if i.tenure == nil {
		i.closed = errors.Join(err, i.srv.port.close())
		<-i.ran
		return
	}
	if i.srv.succeeded() {
		err = errors.Join(err, i.tenure.yield())
		fault("yielded")
		i.awaitSuccessor()
	}
	err = errors.Join(err, i.tenure.withdraw())
	closeErr := i.srv.port.close()
	var unsent *msgcore.UnsentError
	if errors.As(closeErr, &unsent) {
		debugf("%v", closeErr) // a caller that does not take its output hears the end of the connection
		closeErr = nil
	}
	err = errors.Join(err, closeErr)
	<-i.ran
	i.closed = errors.Join(err, i.tenure.release())
	i.site.close()
	i.opts.log("has left")
}

// awaitSuccessor waits until the successor has published, or is gone.
func (i *Instance) awaitSuccessor() {
	t := time.NewTimer(i.opts.Timeouts.Start)
	defer t.Stop()
	select {
	case <-i.srv.handover.done:
	case <-t.C:
		i.opts.log("the successor has published nothing", "after", i.opts.Timeouts.Start)
	}
}

// fits returns an error if a secondary is not what Options.Mode wants.
func (i *Instance) fits() error {
	if i.opts.Mode != ModeService {
		return nil
	}
	l := i.takeLink()
	l.close()
	return fmt.Errorf("%w", &RunningError{Holder: l.holder})
}
