package main

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// inputDelay is how long a job runs before its caller's input is read, on a
	// machine that lets it run. No system tells whether a process waits for its
	// input, and what was read cannot be given back: so a job that ends at once
	// leaves all of it.
	inputDelay = 100 * time.Millisecond
	// drainTime is how long the output of an ended job may be silent before
	// the job is over even if a process that it left behind could write more.
	drainTime = 250 * time.Millisecond
	// stallTime is how long a job's output may find no taker before the job
	// lends its slot to the next one.
	stallTime = time.Second
	// killTime is how long a job that is to end may take before it is killed.
	killTime = 5 * time.Second
)

// A job is one that waits or runs.
type job struct {
	id      int
	rec     record // guarded by queue.mu
	stalled int    // of its outputs, how many find no taker; guarded by queue.mu
	why     string // it was ended, if not by its caller's signals; guarded by queue.mu

	left bool             // to the next queue; set before done is closed
	told int              // how many jobs were before it; guarded by queue.mu
	tell func(before int) // tells its caller, without waiting; nil if there is none

	spec   *spec
	stdin  io.Reader // the streams of the caller; nil for one that was enqueued with -d
	stdout io.Writer
	stderr io.Writer
	output *os.File // of one that was enqueued with -d

	signals chan os.Signal // for the running job
	hangUp  sync.Once
	hungUp  chan struct{} // closed to end the running job
	done    chan struct{} // closed when rec will not change any more
	release func()        // lets the queue be idle
	written atomic.Int64  // bytes of output so far
}

func newJob(rec record) *job {
	return &job{
		id:      rec.ID,
		rec:     rec,
		signals: make(chan os.Signal, 16),
		hungUp:  make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// end makes a running job end: gently first, and by force after killTime.
func (j *job) end() { j.hangUp.Do(func() { close(j.hungUp) }) }

// execute runs the job to its end, with all its output delivered, and returns
// its exit code. The error says why it could not be run.
// It calls lend(j, 1) when an output of the job stalls, and lend(j, -1) when that moves again.
func (j *job) execute(lend func(*job, int)) (int, error) {
	if j.output != nil {
		return j.executeDetached()
	}
	var child, ours [3]*os.File // stdin, stdout, stderr
	defer func() { closeAll(ours[1:]); closeAll(child[:]) }()
	for i := range child {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ours[:1])
			return exitSpool, err
		}
		child[i], ours[i] = w, r
		if i == 0 {
			child[i], ours[i] = r, w
		}
	}
	p, err := startProcess(j.spec, child)
	closeAll(child[:])
	if err != nil {
		closeAll(ours[:1])
		return exitSpool, err
	}
	// The feeder is not waited for: it may be in a Read of the caller's input,
	// which the library ends when the handler has returned.
	go j.feed(ours[0], p)
	exited := make(chan struct{})
	var pumps sync.WaitGroup
	pumps.Go(func() { j.pump(j.stdout, ours[1], exited, lend) })
	pumps.Go(func() { j.pump(j.stderr, ours[2], exited, lend) })
	code := j.attend(p)
	close(exited)
	for _, f := range ours[1:] {
		f.SetReadDeadline(time.Now().Add(drainTime)) // for a Read that has begun; see pump
	}
	pumps.Wait()
	return code, nil
}

func (j *job) executeDetached() (int, error) {
	defer j.output.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return exitSpool, err
	}
	p, err := startProcess(j.spec, [3]*os.File{null, j.output, j.output})
	null.Close()
	if err != nil {
		return exitSpool, err
	}
	return j.attend(p), nil
}

// attend passes signals on until the process has ended.
func (j *job) attend(p *process) int {
	hungUp := j.hungUp
	for {
		select {
		case sig := <-j.signals:
			p.signal(sig)
		case <-hungUp:
			p.hangUp()
			hungUp = nil
		case code := <-p.exited:
			p.hangUp()
			return code
		}
	}
}

// feed passes the caller's input on.
func (j *job) feed(w *os.File, p *process) {
	defer w.Close()
	if p.wantsInput() {
		io.Copy(w, j.stdin) // ends with the input, with the job, or with the caller
	}
}

// pump passes an output of the job on to its caller. If the caller does not
// take it any more, the job learns by a broken pipe, as in a pipeline.
func (j *job) pump(dst io.Writer, src *os.File, exited <-chan struct{}, lend func(*job, int)) {
	defer src.Close()
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-exited: // the deadline counts from now: the last Write may have taken long
			src.SetReadDeadline(time.Now().Add(drainTime))
		default:
		}
		n, err := src.Read(buf)
		if n > 0 {
			j.written.Add(int64(n))
			stall := time.AfterFunc(stallTime, func() { lend(j, 1) })
			_, werr := dst.Write(buf[:n])
			if !stall.Stop() {
				lend(j, -1)
			}
			if werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// outputSize is how much the job has written so far, in bytes.
func (j *job) outputSize() int64 {
	if j.output == nil {
		return j.written.Load()
	}
	info, err := j.output.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
