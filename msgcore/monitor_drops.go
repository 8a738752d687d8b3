package msgcore

import (
	"sync"
	"time"
)

// A dropTeller makes events of drops: one at once for the first message of a
// peer that is dropped for some cause, and while more are, one a second for all
// since the last one. However many are dropped, the monitor has time for what else
// happens.
type dropTeller struct {
	s *Socket

	mu    sync.Mutex // guards what follows
	runs  map[dropKey]*dropRun
	timer *time.Timer
	ended bool
}

type dropKey struct {
	cause DropCause
	p     *peer // nil: none, or one of those that are too many
}

// A dropRun is a series of drops that may go on.
type dropRun struct {
	peer   PeerInfo
	untold uint64 // since the last event
}

const (
	dropGap  = time.Second
	dropRuns = 32 // of peers by name; those beyond share one event for each cause
)

func newDropTeller(s *Socket) *dropTeller {
	return &dropTeller{s: s, runs: map[dropKey]*dropRun{}}
}

// note is told of drops. Info is nil if there is no peer.
func (d *dropTeller) note(cause DropCause, p *peer, info *PeerInfo, n uint64) {
	k := dropKey{cause, p}
	d.mu.Lock()
	defer d.mu.Unlock()
	run := d.runs[k]
	if run == nil && len(d.runs) >= dropRuns {
		k.p, info = nil, nil
		run = d.runs[k]
	}
	switch {
	case d.ended:
		return
	case run != nil:
		run.untold += n
		return
	}
	run = &dropRun{}
	if info != nil {
		run.peer = *info
	}
	d.runs[k] = run
	d.tell(k, run, n)
	switch {
	case d.timer == nil:
		d.timer = time.AfterFunc(dropGap, d.tick)
	case len(d.runs) == 1:
		d.timer.Reset(dropGap)
	}
}

// tell reports n drops; under mu.
func (d *dropTeller) tell(k dropKey, run *dropRun, n uint64) {
	d.s.event(Event{Kind: MessagesDropped, Endpoint: run.peer.Endpoint, Peer: run.peer, Cause: k.cause, Dropped: n})
}

// tick tells what has gathered, and forgets those of which nothing has.
func (d *dropTeller) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tellAll()
	if len(d.runs) > 0 && !d.ended {
		d.timer.Reset(dropGap)
	}
}

// tellAll is tick under mu.
func (d *dropTeller) tellAll() {
	for k, run := range d.runs {
		if run.untold == 0 {
			delete(d.runs, k)
			continue
		}
		d.tell(k, run, run.untold)
		run.untold = 0
	}
}

// end tells what is left.
func (d *dropTeller) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tellAll()
	d.ended = true
	if d.timer != nil {
		d.timer.Stop()
	}
}
