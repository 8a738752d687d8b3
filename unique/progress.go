package unique

import "sync"

// A progressor sends the progress of a handler. As long as the other side has
// not taken notice of the last one, only the newest is kept.
type progressor struct {
	send func(Progress) // does not wait

	mu      sync.Mutex
	credit  int // how many may be sent
	pending *Progress
}

func (p *progressor) tell(v Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.credit == 0 {
		p.pending = &v
		return
	}
	p.credit--
	p.send(v)
}

// more notes that the other side has taken notice.
func (p *progressor) more() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		p.credit = 1
		return
	}
	p.send(*p.pending)
	p.pending = nil
}

// flush sends the last one, wanted or not.
func (p *progressor) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending != nil {
		p.send(*p.pending)
		p.pending = nil
	}
}

// A listener calls a function of the application with progress, on a goroutine
// of its own; while that is busy, the newest waits.
type listener struct {
	f    func(Progress)
	took func() // the other side may send one more
	done chan struct{}

	mu      sync.Mutex
	cond    sync.Cond
	pending *Progress
	ended   bool
}

func newListener(f func(Progress), took func()) *listener {
	l := &listener{f: f, took: took, done: make(chan struct{})}
	l.cond.L = &l.mu
	return l
}

func (l *listener) tell(v Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = &v
	l.cond.Signal()
}

// end lets run tell the last one and return.
func (l *listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.cond.Signal()
}

func (l *listener) run() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for l.pending == nil && !l.ended {
			l.cond.Wait()
		}
		v := l.pending
		l.pending = nil
		l.mu.Unlock()
		if v == nil {
			return
		}
		l.f(*v)
		l.took()
	}
}
