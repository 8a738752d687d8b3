package unique

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ticketEnv is how a primary tells the process that it starts to succeed it: a
// hash of the application id, and what that one is to show.
const ticketEnv = "SOLOMQ_SUCCEED"

// Relaunch starts cmd, a program that calls Acquire for the same id, as the
// successor of this primary, and hands the place over: once it has asked for it,
// no invocation begins here any more, those that run end, and then the successor
// is the primary. Launches that come meanwhile wait for it: none is refused, and
// none is run twice. Relaunch returns when all that is done, and the Instance is
// closed; so it must not be called by a Handler that it would wait for. What calls
// it when such a Handler has returned needs a Hold until then, or Options.Idle may
// have come first.
//
// The process is started as by Options.StartPrimary. If it does not ask for the
// place within Timeouts.Start, or ends before, that is a StartError, and this
// process goes on being the primary; to wait for it is not to be idle (Options.Idle).
// If ctx ends, the contexts of the handlers that still run are ended, as by Shutdown.
func (i *Instance) Relaunch(ctx context.Context, cmd *exec.Cmd) error {
	if i.role != Primary || i.tenure == nil {
		return fmt.Errorf("unique: Relaunch needs the primary, which this process is not: %w", errors.ErrUnsupported)
	}
	var ticket [16]byte
	if _, err := rand.Read(ticket[:]); err != nil {
		return fmt.Errorf("unique: no random numbers: %w", err)
	}
	c := exec.Cmd{Path: cmd.Path, Args: cmd.Args, Dir: cmd.Dir, Err: cmd.Err, SysProcAttr: cmd.SysProcAttr}
	c.Env = cmd.Env
	if c.Env == nil {
		c.Env = os.Environ()
	}
	c.Env = append(c.Env[:len(c.Env):len(c.Env)], ticketEnv+"="+i.site.name+":"+hex.EncodeToString(ticket[:]))
	defer i.srv.hold()()
	i.srv.invite(ticket)
	d, err := detach(&c)
	if err != nil {
		return &StartError{Err: errors.New(reasonText(err))}
	}
	defer d.forget()
	i.opts.log("started a successor", "pid", d.pid)
	if err := i.awaitHeir(ctx, d); err != nil {
		i.srv.invite([16]byte{})
		if !i.srv.succeeded() { // it may have come in this moment
			return err
		}
	}
	return i.Shutdown(ctx)
}

// awaitHeir waits until the process that we have started asks for the place.
func (i *Instance) awaitHeir(ctx context.Context, d *detached) error {
	t := time.NewTimer(i.opts.Timeouts.Start)
	defer t.Stop()
	select {
	case <-i.srv.handover.begun:
		return nil
	case how := <-d.died:
		return &StartError{PID: d.pid, Err: errors.New(reasonText(how))}
	case <-t.C:
		return &StartError{PID: d.pid, Err: fmt.Errorf("it has not asked for the place within %v", i.opts.Timeouts.Start)}
	case <-i.life.Done():
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takeTicket returns the ticket for s that this process was started with, zero if
// none, and removes it from the environment: it is not for our children.
func takeTicket(s *site) (ticket [16]byte) {
	name, text, ok := strings.Cut(os.Getenv(ticketEnv), ":")
	if !ok || name != s.name {
		return ticket
	}
	_ = os.Unsetenv(ticketEnv) // what it names is of use once only
	if b, err := hex.DecodeString(text); err == nil && len(b) == len(ticket) {
		copy(ticket[:], b)
	}
	return ticket
}

// meet decides what this process is to a primary that answers over l. It is
// settled unless that one is gone meanwhile.
func (i *Instance) meet(ctx context.Context, l *link, ticket [16]byte) (settled bool, err error) {
	succeed := i.opts.Replace || ticket != [16]byte{}
	if !succeed {
		d, err := i.opts.checkVersion(l.holder)
		if err != nil {
			l.close()
			return true, err
		}
		succeed = d == ReplacePrimary
	}
	if !succeed {
		i.link = l
		return true, nil
	}
	t, err := i.succeed(ctx, l, ticket)
	switch {
	case errors.Is(err, ErrRefused): // with l as it was
		i.opts.log("the primary does not let itself be replaced", "primary", l.holder.PID)
		i.link = l
		return true, nil
	case errors.Is(err, errStartOver):
		l.close()
		return false, nil
	case err != nil:
		l.close()
		return true, err
	}
	// The end of l tells the old one that we can be found.
	defer l.close()
	return true, i.reign(ctx, t)
}

// succeed takes the place of the primary at the other end of l, and returns when
// that one has given it back. The gate is ours from before it hears of it: those
// who stand for election wait there.
func (i *Instance) succeed(ctx context.Context, l *link, ticket [16]byte) (*tenure, error) {
	start := time.Now()
	within, cancel := context.WithDeadline(ctx, i.opts.helloBy(start))
	defer cancel()
	gate, err := i.site.waitLock(within, i.site.gatePath())
	var held *lockWaitError
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &held): // by another successor, most likely: see who is there by now
		return nil, errStartOver
	case err != nil:
		return nil, err
	}
	defer func() { _ = gate.unlock() }() // closing the file, which cannot fail to happen, gives it back
	fault("gate")
	if err := l.takeover(ctx, i.opts, ticket); err != nil {
		return nil, err
	}
	i.opts.log("waiting for what still runs in the primary", "primary", l.holder.PID)
	p := newPause(acquirePauseFirst, acquirePauseMost)
	for {
		lock, err := i.site.tryLock(i.site.lockPath())
		if err != nil {
			return nil, err
		}
		if lock != nil {
			fault("succeeded")
			t := &tenure{site: i.site, lock: lock}
			for err == nil && !t.testify() { // that of one who was killed in this moment
				err = p.wait(ctx)
			}
			if err == nil {
				err = t.enter(true)
			}
			if err != nil {
				_ = t.release() // the error to report is why we cannot be the primary
				return nil, err
			}
			return t, nil
		}
		if p.wait(ctx) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// takeover goes from TAKEOVER to LEAVING.
func (l *link) takeover(ctx context.Context, opts *Options, ticket [16]byte) error {
	defer l.during(ctx)()
	start := time.Now()
	deadline := start.Add(opts.Timeouts.Offer)
	_ = l.conn.SetWriteDeadline(deadline) // an error shows in the write
	err := l.send(&message{Kind: kindTakeover, AppVersion: opts.Version, Ticket: ticket})
	fault("takeover")
	for err == nil {
		var m *message
		if m, err = l.recv(deadline); err != nil {
			break
		}
		switch m.Kind {
		case kindLeaving:
			_ = l.conn.SetWriteDeadline(time.Time{}) // as above
			return nil
		case kindRefused:
			_ = l.conn.SetWriteDeadline(time.Time{}) // as above
			return l.refused(m)
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isTimeout(err):
		return &UnresponsiveError{Holder: l.holder, Step: "takeover", After: time.Since(start)}
	}
	return errStartOver
}
