package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/solomq/solomq/unique"
)

// Why a job has no exit code of its own.
const (
	noteLost         = "the queue was killed while it ran: how far it came is unknown"
	noteNeverStarted = "the queue was killed before it was started"
)

// A launch is one spool that somebody typed.
type launch struct {
	*command
	store *store
	opts  *unique.Options
}

func newLaunch(c *command) (*launch, error) {
	s, err := openStore(c.name)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err == nil && !exists(program) { // deleted since it was started
		program, err = ownProgram()
	}
	if err != nil {
		return nil, err
	}
	return &launch{c, s, &unique.Options{
		StartPrimary: &exec.Cmd{Path: program, Args: []string{os.Args[0], queueArg, c.name}},
		Env:          []string{"*"},
	}}, nil
}

// forward hands inv over to the queue, which is started if there is none, and
// returns the exit code of the handler there.
func (l *launch) forward(ctx context.Context, inv *unique.Invocation) (code int, err error) {
	for attempt := 1; ; attempt++ {
		app, err := unique.Acquire(ctx, l.store.id(), l.opts)
		if err != nil {
			return exitSpool, l.explain(err)
		}
		code, err := app.Forward(ctx, inv)
		app.Close()
		if err == nil {
			return code, nil
		}
		// A queue that ends in that moment has done nothing: to the next one.
		ended := errors.Is(err, unique.ErrNoPrimary) || errors.Is(err, unique.ErrNotHandled) && l.verb == verbRun
		if !ended || attempt == 10 {
			return exitSpool, l.explain(err)
		}
	}
}

// explain says what to do about an error of the library.
func (l *launch) explain(err error) error {
	var hangs *unique.UnresponsiveError
	switch {
	case errors.As(err, &hangs) && hangs.Holder.PID > 0:
		return fmt.Errorf("the queue, pid %d, does not answer, so nothing was handed over; if it was stopped, kill -CONT %[1]d; kill -KILL %[1]d ends it and its jobs", hangs.Holder.PID)
	case errors.Is(err, unique.ErrStart):
		return fmt.Errorf("%w; %s may say more", err, l.store.logPath())
	}
	return err
}

// queue returns the key of the running queue, or "".
func (l *launch) queue() (string, error) {
	h, err := unique.Lookup(context.Background(), l.store.id(), l.opts)
	var hangs *unique.UnresponsiveError
	switch {
	case errors.As(err, &hangs): // its jobs are as they were
		h = &hangs.Holder
	case errors.Is(err, unique.ErrNoPrimary):
		return "", nil
	case err != nil:
		return "", err
	}
	return queueKey(*h), nil
}

// run runs or enqueues a command, or changes the settings of the queue.
func (l *launch) run(umask int) (code int, err error) {
	inv := unique.Current()
	inv.Stdout, inv.Stderr = os.Stdout, os.Stderr
	inv.Terminal = unique.Current().WithStdio().Terminal
	inv.Data = [][]byte{[]byte(strconv.Itoa(umask))}
	var id atomic.Int64 // of the job, once the queue has told it
	known := make(chan struct{})
	inv.OnProgress = func(p unique.Progress) {
		n, _ := strconv.ParseInt(p.Text, 10, 64)
		if n != 0 && id.Swap(n) == 0 {
			close(known)
		}
		if l.verbose && p.Total > 0 {
			fmt.Fprintf(os.Stderr, "spool: job %d waits, %d before it\n", n, p.Total)
		}
	}
	ctx := context.Background()
	if !l.detach {
		if !l.noInput {
			inv.Stdin = os.Stdin
		}
		ctx = handOverSignals(inv, known)
		surviveBrokenPipe() // the job shall learn of it, and its end is ours
	}
	code, err = l.forward(ctx, inv)
	var gone *unique.GoneError
	var left leftError
	switch {
	case errors.As(err, &gone):
		return exitSpool, l.fate(int(id.Load()), gone.Holder.PID)
	case errors.As(err, &left) && id.Load() == 0:
		return signalCode(left.sig), nil
	case errors.As(err, &left):
		return signalCode(left.sig), fmt.Errorf("job %d is left to the queue, which does not answer", id.Load())
	}
	return code, err
}

// A leftError is why a launch does not wait for its job any more.
type leftError struct{ sig os.Signal }

func (e leftError) Error() string { return e.sig.String() }

// settle is how long the first signal waits for word of a job. The queue tells of
// the job before it prints anything, but the two arrive side by side.
const settle = 500 * time.Millisecond

// handOverSignals makes Forward hand signals over to the job. The context that
// it returns ends, with a leftError, by a signal that comes before there is a
// job, and by the fourth: the third has killed the job, unless the queue hangs.
func handOverSignals(inv *unique.Invocation, known <-chan struct{}) context.Context {
	sigs := slices.DeleteFunc(slices.Clone(handedOver), signal.Ignored) // as one is under nohup
	if len(sigs) == 0 {
		return context.Background()
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	inv.WithSignals(append(slices.Clone(sigs), resizes()...)...)
	came := make(chan os.Signal, 8)
	signal.Notify(came, sigs...)
	go func() {
		sig := <-came
		n := 1
		select {
		case <-known:
		case <-time.After(settle):
		case sig = <-came: // who insists does not wait
			n++
		}
		select {
		case <-known:
		default:
			cancel(leftError{sig})
		}
		for ; n < 3; n++ {
			<-came
		}
		cancel(leftError{<-came})
	}()
	return ctx
}

func resizes() []os.Signal {
	if resized == nil {
		return nil
	}
	return []os.Signal{resized}
}

// fate tells what became of a job whose queue has died.
func (l *launch) fate(id, pid int) error {
	queue := fmt.Sprintf("the queue, pid %d, died", pid)
	if id == 0 {
		return fmt.Errorf("%s while it took the job over; spool list tells if it did", queue)
	}
	r, err := l.store.load(id)
	switch {
	case err != nil:
		return fmt.Errorf("%s while it had job %d: %w", queue, id, err)
	case r.Started.IsZero():
		return fmt.Errorf("%s before job %d was started, so it never will be", queue, id)
	case r.State == done:
		return fmt.Errorf("%s when job %d had ended with code %d; output may be missing", queue, id, r.Code)
	default:
		return fmt.Errorf("%s while job %d was running: how far it came is unknown, and it is not run again", queue, id)
	}
}

// resolve corrects the records of jobs that a queue took with it when it was
// killed. It reads a record again after it asked for the queue: a job may have
// ended, or a queue begun, in between.
func (l *launch) resolve(records []record) error {
	var key string
	asked := false
	for i := range records {
		r := &records[i]
		if r.over() {
			continue
		}
		if !asked {
			var err error
			if key, err = l.queue(); err != nil {
				return err
			}
			asked = true
		}
		if r.Queue == key {
			continue
		}
		was := r.Queue
		if again, err := l.store.load(r.ID); err == nil {
			*r = again
		}
		switch {
		case r.over() || r.Queue != was:
		case r.State == running:
			r.State, r.Code, r.Note = lost, exitSpool, noteLost
		case !r.Detached || !l.store.hasSpec(r.ID):
			r.State, r.Code, r.Note = cancelled, exitSpool, noteNeverStarted
		}
	}
	return nil
}

// record returns what is known of the job that the command line names.
func (l *launch) record() (*record, error) {
	r, err := l.store.load(l.id)
	if err != nil {
		return nil, err
	}
	one := []record{r}
	return &one[0], l.resolve(one)
}

// wait waits for the end of a job and exits with its code.
func (l *launch) wait() (int, error) {
	for {
		r, err := l.record()
		switch {
		case err != nil:
			return exitSpool, err
		case r.over() && r.Note != "":
			return r.Code, fmt.Errorf("job %d: %s", r.ID, r.Note)
		case r.over():
			return r.Code, nil
		}
		inv := unique.Current()
		inv.Stderr = os.Stderr
		code, err := l.forward(context.Background(), inv) // starts the queue that the job waits for, if there is none
		if err == nil {
			return code, nil
		}
		// Not handled, as the job has just ended, or gone with its queue: the
		// record tells.
		if !errors.Is(err, unique.ErrNotHandled) && !errors.Is(err, unique.ErrGone) {
			return exitSpool, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// kill ends a job.
func (l *launch) kill() (int, error) {
	for {
		r, err := l.record()
		if err != nil {
			return exitFailed, err
		}
		if r.over() {
			return exitFailed, fmt.Errorf("job %d is over: %s, code %d", r.ID, r.State, r.Code)
		}
		key, err := l.queue()
		if err != nil {
			return exitFailed, err
		}
		if key == "" { // enqueued, but the queue that would run it was not started yet
			if err := l.store.takeSpec(r.ID); err != nil {
				continue // a queue has it now
			}
			r.State, r.Code, r.Note = cancelled, signalCode(terminated), errTaken.Error()
			return 0, l.store.save(r)
		}
		_, err = l.forward(context.Background(), unique.Current())
		if !errors.Is(err, unique.ErrNotHandled) && !errors.Is(err, unique.ErrGone) {
			return 0, err
		}
		time.Sleep(10 * time.Millisecond) // it is between two queues
	}
}

// stop ends the queue and returns when it is gone.
func (l *launch) stop() (int, error) {
	key, err := l.queue()
	if err != nil {
		return exitFailed, err
	}
	if key == "" {
		return 0, errors.New("no queue is running")
	}
	if _, err := l.forward(context.Background(), unique.Current()); err != nil && !errors.Is(err, unique.ErrGone) {
		return exitFailed, err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		now, err := l.queue()
		switch {
		case err != nil:
			return exitFailed, err
		case now != key:
			return 0, nil
		case time.Since(began) > 2*killTime:
			return exitFailed, errors.New("the queue is still ending its jobs; try again")
		}
	}
}

// cat prints what a job has written and, with -f, what it goes on to write.
func (l *launch) cat(w io.Writer) (int, error) {
	r, err := l.record()
	if err != nil {
		return exitFailed, err
	}
	if !r.Detached {
		return exitFailed, fmt.Errorf("job %d was run without -d: its output went to the spool that ran it", r.ID)
	}
	var out *os.File
	for {
		over := r.over() // before the file is read: what the job wrote is in it
		if out == nil {
			out, _ = l.store.openOutput(r.ID) // there is none before the job is started
		}
		if out != nil {
			if _, err := io.Copy(w, out); err != nil {
				return exitFailed, err
			}
		}
		if over || !l.follow {
			return 0, nil
		}
		time.Sleep(100 * time.Millisecond)
		if r, err = l.record(); err != nil {
			return exitFailed, err
		}
	}
}
