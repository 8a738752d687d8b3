package unique

import (
	"sync"
	"time"
)

// A relief does later, and mostly never, what has to be done only if something else
// takes longer than reliefAfter. To start a goroutine, or a timer of the runtime, wakes
// a thread, which on a small machine takes the processor from the very process that
// waits for our answer: that costs more than most answers.
type relief struct {
	mu     sync.Mutex // guards what follows
	duties []*duty
	clock  clock // nil: nothing can be put off
	closed bool
}

// A clock calls ring once it is due.
type clock interface {
	set(d time.Duration) // from now; 0: not at all
	close()
}

// reliefAfter is how long what is put off may be wanting.
const reliefAfter = time.Millisecond

// A duty is what was put off.
type duty struct {
	r *relief
	f func() // nil once it was called, or taken back
}

// done is a duty that was done.
var done = &duty{r: &relief{}}

// newRelief returns a relief that calls what is put off on a goroutine that start runs.
func newRelief(start func(func())) *relief {
	r := &relief{}
	r.clock = newClock(start, r.ring)
	return r
}

// putOff calls f after reliefAfter, unless the duty is taken back before. f must not
// wait. Where there is no clock, it is called at once.
func (r *relief) putOff(f func()) *duty {
	d := &duty{r: r, f: f}
	r.mu.Lock()
	late := r.clock == nil || r.closed
	if late {
		d.f = nil
	} else if r.duties = append(r.duties, d); len(r.duties) == 1 {
		r.clock.set(reliefAfter)
	}
	r.mu.Unlock()
	if late {
		f()
	}
	return d
}

// takeBack reports whether the duty was not done, and will not be.
func (d *duty) takeBack() bool {
	r := d.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.f == nil {
		return false
	}
	d.f = nil
	for i, other := range r.duties {
		if other == d {
			last := len(r.duties) - 1
			r.duties[i], r.duties[last] = r.duties[last], nil
			r.duties = r.duties[:last]
			break
		}
	}
	if len(r.duties) == 0 && !r.closed {
		r.clock.set(0)
	}
	return true
}

// ring does what there is to do, whenever it was put off: most of it in time, and the
// rest a little early.
func (r *relief) ring() {
	r.mu.Lock()
	var due []func()
	for i, d := range r.duties {
		due = append(due, d.f)
		d.f = nil
		r.duties[i] = nil
	}
	r.duties = r.duties[:0]
	r.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// close does what is left, and from now on everything at once.
func (r *relief) close() {
	r.ring()
	r.mu.Lock()
	was := r.closed
	r.closed = true
	r.mu.Unlock()
	r.ring()
	if r.clock != nil && !was {
		r.clock.close()
	}
}
