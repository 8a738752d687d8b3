package unique

import (
	"context"
	"errors"
)

// Run is Acquire, Serve and Forward for a program with one code path: h runs
// the invocation of this process, with its standard streams, in the primary,
// whoever that is, and Run returns its exit code. In the primary, Run returns
// once there has been no work for Options.Idle; a launch that comes in that
// moment is not lost, it starts over with the next primary, or as it.
func Run(ctx context.Context, id string, opts *Options, h Handler) (exitCode int, err error) {
	if h == nil {
		return 0, errors.New("unique: Run needs a handler")
	}
	inv := Current().WithStdio()
	if opts != nil && opts.Mode == ModeService {
		inv = nil
	}
	for expired := 0; ; {
		i, err := acquire(ctx, id, opts, inv)
		if err != nil {
			return exitCode, err
		}
		i.expired = expired
		stays := i.opts.Standby && i.role == Secondary
		code, err := i.runOnce(ctx, inv, h)
		if errors.Is(err, ErrNoPrimary) && ctx.Err() == nil {
			i.opts.log("nobody has run it: standing for election again")
			expired = i.expired
			continue
		}
		if inv != nil {
			exitCode, inv = code, nil // only once
		}
		if !stays || err != nil {
			return exitCode, err
		}
	}
}

func (i *Instance) runOnce(ctx context.Context, inv *Invocation, h Handler) (int, error) {
	if i.role == Secondary {
		i.noWait = true
		var code int
		var err error
		if inv != nil {
			code, err = i.Forward(ctx, inv)
		}
		if i.opts.Standby && err == nil {
			err = i.WaitExit(ctx)
		}
		return code, errors.Join(err, i.Close())
	}
	i.srv.setIdle(max(i.opts.Idle, idleNever))
	if inv == nil {
		err := i.Serve(ctx, h)
		return 0, errors.Join(err, i.Close())
	}
	// Idle from the start would be the end before our own invocation.
	release := i.Hold()
	served := make(chan error, 1)
	go func() { served <- i.Serve(ctx, h) }()
	code, err := i.Forward(ctx, inv)
	release()
	if serveErr := <-served; err == nil && ctx.Err() == nil {
		err = serveErr
	}
	if closeErr := i.Close(); err == nil {
		err = closeErr
	}
	return code, err
}
