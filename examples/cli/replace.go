package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/solomq/solomq/unique"
)

// replaceTime is how long a new queue process may take to ask for its place;
// whoever waits for it waits a little longer.
const (
	replaceTime = 15 * time.Second
	replaceWait = replaceTime + 5*time.Second
)

var (
	errReplacing = errors.New("the queue is being replaced already")
	errStopping  = errors.New("the queue was told to stop")
)

// replace lets a new process of this program be the queue, and returns when it
// is.
func (l *launch) replace() (int, error) {
	old, err := l.queue()
	switch {
	case err != nil:
		return exitFailed, err
	case old == "":
		return 0, errors.New("no queue is running; the next job starts one")
	}
	inv := unique.Current()
	inv.Stderr = os.Stderr
	inv.Data = [][]byte{[]byte(l.opts.StartPrimary.Path)}
	if l.verbose {
		inv.OnProgress = func(p unique.Progress) {
			fmt.Fprintf(os.Stderr, "spool: %d of %d running jobs enqueued with -d have ended\n", p.Done, p.Total)
		}
	}
	if code, err := l.forward(context.Background(), inv); code != 0 || err != nil {
		return code, err
	}
	for alive := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		h, err := unique.Lookup(context.Background(), l.store.id(), l.opts)
		switch {
		case err == nil && queueKey(*h) != old:
			if l.verbose {
				fmt.Fprintf(os.Stderr, "spool: the queue is pid %d now\n", h.PID)
			}
			return 0, nil
		case err == nil && h.State == unique.Leaving: // what it runs may take its time
			alive = time.Now()
		case time.Since(alive) < replaceWait:
		case err == nil:
			return exitFailed, fmt.Errorf("the new queue has not come up, the old one goes on; %s may say why", l.store.logPath())
		default:
			return exitFailed, l.explain(err)
		}
	}
}

// replace hands the place over to a process of the program that the caller
// names, once no job enqueued with -d runs here: nobody waits for those, so they
// would end with us. Other jobs are invocations, whose end the library waits for.
func (q *queue) replace(ctx context.Context, inv *unique.Invocation, name string) int {
	err := errors.New("it was not told which program comes next")
	if len(inv.Data) == 1 {
		err = q.drain(ctx, inv)
	}
	if err != nil {
		fmt.Fprintf(inv.Stderr, "spool: the queue is not replaced: %v\n", err)
		return exitFailed
	}
	release := q.inst.Hold() // the end of this handler leaves nothing to do
	q.jobs.Go(func() {       // it waits for this handler, too
		defer release()
		if err := q.handOver(string(inv.Data[0]), name); err != nil {
			fmt.Fprintf(os.Stderr, "spool: the queue is not replaced: %v\n", err)
			if errors.Is(err, unique.ErrStart) { // else this queue ends, or has a successor
				q.resume()
			}
		}
	})
	return 0
}

// handOver starts program as the queue called name, with the settings of this one,
// and returns when it is.
func (q *queue) handOver(program, name string) error {
	told := q.settings()
	cmd := &exec.Cmd{Path: program, Args: append([]string{os.Args[0], queueArg, name}, told...)}
	if err := q.inst.Relaunch(context.Background(), cmd); err != nil {
		return err
	}
	// What was set while the new one came up it has not heard of.
	if now := q.settings(); !slices.Equal(now, told) {
		if out, err := exec.Command(program, append([]string{"-name", name}, now...)...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "spool: the new queue does not take the settings %q: %v: %s\n", now, err, out)
		}
	}
	return nil
}

// settings are those of this queue, as a command line.
func (q *queue) settings() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return []string{"-slots=" + strconv.Itoa(q.slots), "-idle=" + q.idle.String()}
}

// drain waits for the jobs enqueued with -d that run, and begins no more of them.
// Those that wait it leaves to the next queue.
func (q *queue) drain(ctx context.Context, inv *unique.Invocation) error {
	q.mu.Lock()
	if q.draining || q.stopping {
		defer q.mu.Unlock()
		if q.stopping {
			return errStopping
		}
		return errReplacing
	}
	q.draining = true
	var busy []*job
	for _, j := range q.alive {
		if j.rec.Detached && j.rec.State == running {
			busy = append(busy, j)
		}
	}
	q.mu.Unlock()
	for n, j := range busy {
		inv.Progress(unique.Progress{Done: int64(n), Total: int64(len(busy))})
		select {
		case <-j.done:
		case <-ctx.Done():
			q.resume()
			return context.Cause(ctx)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping {
		return errStopping
	}
	q.handing = true
	for _, j := range slices.Clone(q.waiting) {
		if j.rec.Detached && q.unqueue(j) {
			j.left = true
			q.left = append(q.left, j.rec)
			q.leave(j)
		}
	}
	return nil
}

// resume is the end of a drain after which this process goes on as the queue.
func (q *queue) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.left
	q.draining, q.handing, q.left = false, false, nil
	if q.stopping {
		return
	}
	for _, r := range left {
		q.admit(newJob(r))
	}
	q.dispatch()
}
