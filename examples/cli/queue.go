package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
)

// keep is how many ended jobs of each kind, enqueued with -d and run in the
// foreground, stay on record.
const keep = 200

// defaultIdle is how long a queue stays without work.
const defaultIdle = 10 * time.Second

var (
	errStopped = errors.New("the queue was stopped")
	errTaken   = errors.New("it was taken out of the queue")
)

// A queue is what the primary runs: all jobs, in the order of their ids.
type queue struct {
	inst   *unique.Instance
	store  *store
	events *msgcore.Socket // PUB; see events.go
	key    string          // of this process in records
	cancel context.CancelCauseFunc
	jobs   sync.WaitGroup // those that run, and a hand-over

	mu       sync.Mutex // guards all below, and keeps store and events in step with it
	slots    int
	busy     int // slots in use: running jobs but for those that lend theirs
	waiting  []*job
	alive    map[int]*job   // waiting or running
	ended    map[bool][]int // on record, by whether they were enqueued with -d
	seq      uint64         // of the last event
	idle     time.Duration  // as it was set last
	draining bool           // no job enqueued with -d is begun: see replace.go
	handing  bool           // those that come are for the next queue
	left     []record       // those that this one has left to it
	stopping bool
}

// serve is the queue process: it runs all jobs of the queue called name until
// there was no work for a while. It begins with settings, in the form of a
// command line.
func serve(name string, settings []string) error {
	s, err := openStore(name)
	if err != nil {
		return err
	}
	if err := s.openLog(); err != nil {
		return err
	}
	inst, err := unique.Acquire(context.Background(), s.id(), &unique.Options{
		Idle: defaultIdle, MaxRunning: 1 << 16, Timeouts: unique.Timeouts{Start: replaceTime},
	})
	if err != nil {
		return err
	}
	defer inst.Close()
	if inst.Role() != unique.Primary {
		return nil // somebody else was faster
	}
	events, err := inst.Open(context.Background(), channel, msgcore.Pub, nil)
	if err != nil {
		return err
	}
	defer events.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	q := &queue{
		inst: inst, store: s, events: events, key: queueKey(inst.Holder()), cancel: cancel,
		slots: 1, idle: defaultIdle, alive: map[int]*job{}, ended: map[bool][]int{},
	}
	s.sweep()
	discard, err := keepProgram(s)
	if err != nil {
		return err
	}
	defer discard()
	if len(settings) > 0 {
		c, err := parse(settings)
		if err != nil {
			return err
		}
		q.configure(c)
	}
	if err := q.restore(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		q.stop()
	}()
	go q.reportOutput(ctx)
	err = inst.Serve(ctx, q.handle)
	if ctx.Err() != nil {
		err = nil // that was stop
	}
	q.stop()
	q.jobs.Wait()
	return err
}

// queueKey tells queue processes apart in records.
func queueKey(h unique.Holder) string {
	return fmt.Sprintf("%d/%d", h.PID, h.Started.UnixMilli())
}

// restore takes over what the queue before this one left on disk.
func (q *queue) restore() error {
	records, err := q.store.records()
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range records {
		switch {
		case r.over():
			q.retire(&r)
			continue
		case r.State == running:
			r.State, r.Code, r.Note = lost, exitSpool, noteLost
		case r.Detached && q.store.hasSpec(r.ID):
			r.Queue = q.key
			q.admit(newJob(r))
		default:
			r.State, r.Code, r.Note = cancelled, exitSpool, noteNeverStarted
		}
		q.store.save(&r) // if it fails, whoever reads the old one concludes the same
		if r.over() {
			q.retire(&r)
		}
	}
	q.dispatch()
	return nil
}

// handle runs each launch's request in the queue process. What was handed over
// is a command line; it is understood here as it was there.
func (q *queue) handle(ctx context.Context, inv *unique.Invocation) int {
	c, err := parse(inv.Args[min(1, len(inv.Args)):])
	if err != nil {
		fmt.Fprintf(inv.Stderr, "spool: the queue, pid %d, is another version of spool: %v\n", os.Getpid(), err)
		return exitSpool
	}
	q.configure(c)
	switch c.verb {
	case verbRun:
		return q.run(ctx, inv, c)
	case verbSet:
		return 0
	case "wait":
		return q.wait(ctx, inv, c.id)
	case "kill":
		return q.kill(c.id)
	case "stop":
		q.stop()
		return 0
	case verbReplace:
		return q.replace(ctx, inv, c.name)
	case verbSnapshot:
		return q.snapshot(inv)
	default:
		return unique.NotHandled
	}
}

// configure puts the settings that a launch states into effect.
func (q *queue) configure(c *command) {
	if c.idle != nil {
		d := *c.idle
		if d == 0 {
			d = 1 // to the library, 0 means to stay
		}
		q.inst.SetIdle(d)
		q.mu.Lock()
		q.idle = d
		q.mu.Unlock()
	}
	if c.slots > 0 {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.slots = c.slots
		q.dispatch()
	}
}

// run enqueues a job and, unless it is asked with -d, stays with it to its end.
func (q *queue) run(ctx context.Context, inv *unique.Invocation, c *command) int {
	_, err := inv.Path(".") // was it deleted?
	var j *job
	if err == nil {
		j, err = q.add(inv, c)
	}
	switch {
	case errors.Is(err, errStopped):
		return unique.NotHandled // by this queue: it is for the next one
	case err != nil:
		fmt.Fprintf(inv.Stderr, "spool: the job was not run: %v\n", err)
		return exitSpool
	}
	if c.verbose {
		if inv.Peer.PID == os.Getppid() {
			fmt.Fprintf(inv.Stderr, "spool: started queue, pid %d\n", os.Getpid())
		}
		fmt.Fprintf(inv.Stderr, "spool: handed to pid %d, job %d\n", os.Getpid(), j.id)
	}
	if c.detach {
		fmt.Fprintln(inv.Stdout, j.id)
		return 0
	}
	code := q.attend(ctx, inv, j)
	if j.rec.Note != "" {
		fmt.Fprintf(inv.Stderr, "spool: job %d: %s\n", j.id, j.rec.Note)
	}
	return code
}

// attend passes the caller's signals on and ends the job if the caller is gone.
// It returns when the job has ended: its streams are the caller's.
func (q *queue) attend(ctx context.Context, inv *unique.Invocation, j *job) (code int) {
	gone := ctx.Done()
	for n := 1; ; {
		select {
		case sig := <-inv.Signals():
			if sig == resized {
				q.resize(j)
				continue
			}
			q.signal(j, escalate(n, sig))
			n++
		case <-gone:
			q.end(j, "its caller, which is gone")
			gone = nil
		case <-j.done:
			return j.rec.Code
		}
	}
}

// add puts a job at the end of the queue.
func (q *queue) add(inv *unique.Invocation, c *command) (*job, error) {
	sp := &spec{Args: raw(c.args), Env: raw(inv.Env), Dir: []byte(inv.Dir)}
	if t := inv.Activation; t.Token != "" || t.StartupID != "" {
		sp.Env = append(sp.Env, raw([]string{"XDG_ACTIVATION_TOKEN=" + t.Token, "DESKTOP_STARTUP_ID=" + t.StartupID})...)
	}
	if t := inv.Terminal; t != nil && t.Stdout {
		if rows, columns := t.Size(); rows > 0 {
			sp.Env = append(sp.Env, raw([]string{"LINES=" + strconv.Itoa(rows), "COLUMNS=" + strconv.Itoa(columns)})...)
		}
	}
	if len(inv.Data) > 0 {
		sp.Umask, _ = strconv.Atoi(string(inv.Data[0]))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping {
		return nil, errStopped
	}
	id, err := q.store.nextID()
	if err != nil {
		return nil, err
	}
	j := newJob(record{
		ID: id, State: queued, Detached: c.detach, Args: c.args, Dir: inv.Dir,
		Queued: time.Now(), Queue: q.key,
	})
	j.spec, j.stdin, j.stdout, j.stderr = sp, inv.Stdin, inv.Stdout, inv.Stderr
	j.tell = func(before int) {
		inv.Progress(unique.Progress{Text: strconv.Itoa(id), Total: int64(before)})
	}
	j.tell(0)     // its id, before anything else of it
	if c.detach { // it may outlive its caller, and its queue
		if err := q.store.saveSpec(id, sp); err != nil {
			return nil, err
		}
	}
	if err := q.store.save(&j.rec); err != nil {
		q.store.forget(id)
		return nil, err
	}
	q.publish(&event{Job: &j.rec})
	if c.detach && q.handing {
		q.left = append(q.left, j.rec)
		return j, nil
	}
	q.admit(j)
	q.dispatch()
	return j, nil
}

// admit makes the queue know j, which waits. The caller holds q.mu.
func (q *queue) admit(j *job) {
	j.release = q.inst.Hold()
	q.alive[j.id] = j
	q.waiting = append(q.waiting, j)
}

// dispatch starts jobs while there are free slots. The caller holds q.mu.
func (q *queue) dispatch() {
	for q.busy < q.slots && !q.stopping {
		next := slices.IndexFunc(q.waiting, func(j *job) bool { return !q.draining || !j.rec.Detached })
		if next < 0 {
			break
		}
		j := q.waiting[next]
		q.waiting = slices.Delete(q.waiting, next, next+1)
		if err := q.begin(j); err != nil {
			code := exitSpool
			if errors.Is(err, errTaken) {
				code = signalCode(terminated)
			}
			q.conclude(j, cancelled, code, err.Error())
			continue
		}
		q.busy++
		q.jobs.Go(func() { q.execute(j) })
	}
	for before, j := range q.waiting {
		before += q.busy
		if j.tell != nil && j.told != before {
			j.told = before
			j.tell(before)
		}
	}
}

// begin makes j a running job before anything of it runs, on the disk above
// all: a job that may have run is never run again. The caller holds q.mu.
func (q *queue) begin(j *job) (err error) {
	if j.rec.Detached {
		if j.spec, err = q.store.loadSpec(j.id); err == nil {
			err = q.store.takeSpec(j.id)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return errTaken // by a "spool kill" that found no queue
		}
		if err == nil {
			j.output, err = q.store.createOutput(j.id)
		}
		if err != nil {
			return err
		}
	}
	rec := j.rec
	rec.State, rec.Started = running, time.Now()
	if err := q.store.save(&rec); err != nil {
		return err
	}
	j.rec = rec
	q.publish(&event{Job: &j.rec})
	return nil
}

// execute runs j and gives its slot to the next.
func (q *queue) execute(j *job) {
	code, err := j.execute(q.lend)
	q.mu.Lock()
	defer q.mu.Unlock()
	note := j.why
	if err != nil {
		note = "it could not be run: " + err.Error()
	}
	q.busy--
	q.conclude(j, done, code, note)
	q.dispatch()
}

// lend gives the slot of a job whose output finds no taker to the next job, for
// n = 1, and takes it back, for n = -1, even if there are too many then.
func (q *queue) lend(j *job, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := j.stalled > 0
	j.stalled += n
	switch is := j.stalled > 0; {
	case is && !was:
		q.busy--
		q.dispatch()
	case was && !is:
		q.busy++
	}
}

// conclude makes j's record final. The caller holds q.mu.
func (q *queue) conclude(j *job, state string, code int, note string) {
	j.rec.State, j.rec.Code, j.rec.Note, j.rec.Ended = state, code, note, time.Now()
	if err := q.store.save(&j.rec); err != nil && note == "" {
		j.rec.Note = fmt.Sprintf("its end could not be recorded: %v", err)
	}
	if state == cancelled && j.rec.Detached {
		q.store.takeSpec(j.id)
	}
	q.retire(&j.rec)
	q.publish(&event{Job: &j.rec})
	q.leave(j)
}

// leave makes the queue forget j. The caller holds q.mu.
func (q *queue) leave(j *job) {
	delete(q.alive, j.id)
	close(j.done)
	j.release()
}

// retire notes that a job has ended, and forgets the oldest over the limit.
func (q *queue) retire(r *record) {
	ids := append(q.ended[r.Detached], r.ID)
	for len(ids) > keep {
		q.store.forget(ids[0])
		ids = ids[1:]
	}
	q.ended[r.Detached] = ids
}

// unqueue takes j out of the waiting jobs, if it is one of them. The caller
// holds q.mu.
func (q *queue) unqueue(j *job) bool {
	i := slices.Index(q.waiting, j)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// signal sends sig to j, or takes j out of the queue.
func (q *queue) signal(j *job, sig os.Signal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.unqueue(j) {
		q.conclude(j, cancelled, signalCode(sig), errTaken.Error())
		return
	}
	select {
	case j.signals <- sig:
	default: // sixteen that it has not looked at yet
	}
}

// resize tells a running job that its caller's terminal has another size.
func (q *queue) resize(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.rec.State != running {
		return
	}
	select {
	case j.signals <- resized:
	default: // as in signal
	}
}

// end ends j, whose note will say by whom.
func (q *queue) end(j *job, by string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.unqueue(j) {
		q.conclude(j, cancelled, signalCode(terminated), errTaken.Error()+" by "+by)
	} else if j.why == "" {
		j.why = "it was ended by " + by
		j.end()
	}
}

// kill ends job id.
func (q *queue) kill(id int) int {
	q.mu.Lock()
	j := q.alive[id]
	q.mu.Unlock()
	if j == nil {
		return unique.NotHandled // it has just ended
	}
	q.end(j, "spool kill")
	return 0
}

// wait returns the exit code of job id when it has ended.
func (q *queue) wait(ctx context.Context, inv *unique.Invocation, id int) int {
	q.mu.Lock()
	j := q.alive[id]
	q.mu.Unlock()
	if j == nil {
		return unique.NotHandled // it has ended: its record tells
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return exitSpool
	}
	if j.left {
		return unique.NotHandled // by this queue
	}
	if !j.rec.over() {
		fmt.Fprintf(inv.Stderr, "spool: job %d: %v before it was started; it stays enqueued\n", id, errStopped)
		return exitSpool
	}
	if j.rec.Note != "" {
		fmt.Fprintf(inv.Stderr, "spool: job %d: %s\n", id, j.rec.Note)
	}
	return j.rec.Code
}

// stop ends all jobs but those that the next queue can still run, and then
// Serve. It does not wait.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping {
		return
	}
	q.stopping = true
	q.waiting = nil
	for _, j := range q.alive {
		switch {
		case j.rec.State == running:
			j.why = "it was ended by spool stop"
			j.end()
		case j.rec.Detached:
			q.leave(j)
		default:
			q.conclude(j, cancelled, exitSpool, "it was not run: "+errStopped.Error())
		}
	}
	q.publish(&event{End: true})
	q.cancel(errStopped)
}
