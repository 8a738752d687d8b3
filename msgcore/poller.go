package msgcore

import (
	"context"
	"errors"
	"slices"
)

// Readiness is a set of conditions to poll for.
type Readiness uint8

// The conditions.
const (
	PollIn  Readiness = 1 << iota // Recv would give a message or a final error
	PollOut                       // Send of a small message would not wait
)

// A Poller waits until the first of several sockets is ready. The zero value is
// empty. Add and Wait must not be called at the same time.
//
// Goroutines and Recv are the simpler way; a Poller is for one goroutine that
// owns several sockets, and for programs that come from zmq_poll.
type Poller struct {
	items []Ready
}

// Ready is a socket and what it is ready for.
type Ready struct {
	Socket *Socket
	Events Readiness
}

// Add watches s for r, in place of what it was watched for before; 0 removes it.
func (p *Poller) Add(s *Socket, r Readiness) {
	i := slices.IndexFunc(p.items, func(it Ready) bool { return it.Socket == s })
	switch {
	case i < 0 && r != 0:
		p.items = append(p.items, Ready{s, r})
	case i >= 0 && r != 0:
		p.items[i].Events = r
	case i >= 0:
		p.items = slices.Delete(p.items, i, i+1)
	}
}

var errNothingToPoll = errors.New("msgcore: the Poller watches no socket, Add one first")

// Wait waits until at least one of the sockets is ready, or ctx ends, and
// appends those that are to dst. It reports a state, not a change: what is not
// received is reported again. With other goroutines on the same sockets
// something may be gone before the caller gets to it, so that TryRecv and
// TrySend are the calls to make then.
func (p *Poller) Wait(ctx context.Context, dst []Ready) ([]Ready, error) {
	if len(p.items) == 0 {
		return dst, errNothingToPoll
	}
	// One channel for all, with room for a signal of each.
	ch := make(chan struct{}, 2*len(p.items))
	in := make([]waiter, len(p.items))
	out := make([]waiter, len(p.items))
	for {
		before := len(dst)
		for i, it := range p.items {
			in[i], out[i] = waiter{ch: ch}, waiter{ch: ch}
			if r := it.Socket.poll(it.Events, &in[i], &out[i]); r != 0 {
				dst = append(dst, Ready{it.Socket, r})
			}
		}
		if len(dst) == before {
			select {
			case <-ch:
			case <-ctx.Done():
			}
		}
		for i, it := range p.items {
			it.Socket.unpoll(&in[i], &out[i])
		}
		for len(ch) > 0 {
			<-ch
		}
		if len(dst) > before {
			return dst, nil
		}
		if ctx.Err() != nil {
			return dst, ctx.Err()
		}
	}
}

// poll returns what s is ready for, and otherwise leaves the waiters in its
// lists.
func (s *Socket) poll(want Readiness, in, out *waiter) (r Readiness) {
	if s.optErr != nil {
		return want // the call itself says why
	}
	if want&PollIn != 0 {
		s.recvMu.Lock()
		if s.prefetch() {
			r |= PollIn
		} else {
			in.kept = true
			s.recvWait.enlist(in)
			if ss := s.answering(); ss != nil {
				ss.r.callBack() // nobody waits in Recv, who would read
			}
			if w := s.watcher.Load(); w != nil {
				w.callBack()
			}
		}
		s.recvMu.Unlock()
	}
	if want&PollOut != 0 {
		s.sendMu.Lock()
		w, ok := s.pat.(waiting)
		if s.closed || !ok || w.writable() {
			r |= PollOut
		} else {
			out.kept = true
			s.sendWait.enlist(out)
		}
		s.sendMu.Unlock()
	}
	return r
}

// unpoll takes the waiters that poll has left out of the lists. A signal that one
// has got is passed on: it may have been meant for somebody in Recv or Send.
func (s *Socket) unpoll(in, out *waiter) {
	var next *waiter
	if in.kept {
		s.recvMu.Lock()
		if !s.recvWait.remove(in) {
			next = s.passOn()
		}
		s.recvMu.Unlock()
		next.signal()
	}
	if out.kept {
		next = nil
		s.sendMu.Lock()
		if !s.sendWait.remove(out) {
			next = s.sendWait.pop()
		}
		s.sendMu.Unlock()
		next.signal()
	}
}

// prefetch makes sure that a message is at hand if there is one, and reports
// whether Recv would return at once; under recvMu.
func (s *Socket) prefetch() bool {
	if s.closed || s.recvErr != nil || len(s.calls.aside) > 0 {
		return true
	}
	var m Msg
	ok, err := s.take("poll", &m)
	s.noStandIn()
	if ok {
		s.calls.aside = append(s.calls.aside, m)
	}
	return ok || err != nil && !errors.Is(err, ErrState)
}
