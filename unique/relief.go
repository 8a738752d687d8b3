package unique

import (
	"slices"
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

// doneDuty is one that was done.
var doneDuty = &duty{r: &relief{}}

// newRelief returns a relief that calls what is put off on a goroutine that start runs.
func newRelief(start func(func())) *relief {
	r := &relief{}
	r.clock = newClock(start, r.ring)
	return r
}

// putOff calls f after reliefAfter, or a little before, unless the duty is taken back. f
// must not wait. Where there is no clock, it is called at once.
func (r *relief) putOff(f func()) *duty {
	r.mu.Lock()
	if r.clock == nil || r.closed {
		r.mu.Unlock()
		f()
		return doneDuty
	}
	defer r.mu.Unlock()
	d := &duty{r: r, f: f}
	r.duties = append(r.duties, d)
	if len(r.duties) == 1 {
		r.clock.set(reliefAfter)
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
	i := slices.Index(r.duties, d)
	r.duties = slices.Delete(r.duties, i, i+1)
	if len(r.duties) == 0 {
		r.clock.set(0)
	}
	return true
}

// ring does all that there is to do, whenever it was put off: one clock is for all, and
// what comes early is merely not saved.
func (r *relief) ring() {
	r.mu.Lock()
	due := r.duties
	r.duties = nil
	calls := make([]func(), len(due))
	for i, d := range due {
		calls[i], d.f = d.f, nil
	}
	r.mu.Unlock()
	for _, f := range calls {
		f()
	}
}

// close does what is left, and from now on everything at once.
func (r *relief) close() {
	r.mu.Lock()
	again := r.closed
	r.closed = true
	r.mu.Unlock()
	if r.clock != nil && !again {
		r.ring()
		r.clock.close()
	}
}
