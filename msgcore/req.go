package msgcore

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewReq returns a REQ socket (RFC 28), which sends a request to a REP or
// ROUTER, in turn among those that have room, and receives the reply. Send and
// Recv are in lockstep: a second Send before the Recv, or a Recv without a Send,
// is ErrState. Send waits while there is no peer or no room; nothing is dropped.
// Options.Req loosens that. Request does both at once, any number of times side
// by side and beside the lockstep. Nil options mean defaults.
func NewReq(opts *Options) *Socket { return New(Req, opts) }

type reqPattern struct {
	balance

	mu      sync.Mutex
	waiting bool  // a request is under way
	from    *peer // to which, until it has replied; its reply alone counts

	id uint32 // of it, with Options.Req.Correlate
}

// newReqPattern starts to count anywhere, for a REP may know an earlier socket's
// requests.
func newReqPattern(s *Socket) *reqPattern {
	return &reqPattern{balance: balance{s: s}, id: rand.Uint32()}
}

// delimiter is the empty frame that ends an envelope.
var delimiter = []byte{zmtp.FlagMore, 0}

// A stateError is an ErrState that says more.
type stateError struct{ why error }

func (e stateError) Error() string { return ErrState.Error() + ": " + e.why.Error() }

var (
	errUnanswered = errors.New("the last request has no reply yet: Recv it first, or use Request")
	errUnasked    = errors.New("there is no request to receive a reply for: Send one first")
)

func (e stateError) Is(target error) bool { return target == ErrState }

func (t *reqPattern) mayRecv() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting {
		return stateError{errUnasked}
	}
	if t.s.opts.Req.Relaxed && t.from != nil {
		for _, m := range t.s.calls.aside { // the reply of a request that was given up
			m.lease.in.refuse(DropUnexpected)
			m.Release()
		}
		t.s.calls.aside = nil
	}
	return nil
}

// received ends the lockstep's wait. It is not the reply's arrival that does,
// for a Request that comes upon it sets it aside.
func (t *reqPattern) received() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = t.from != nil // it is if another request was sent meanwhile
}

func (t *reqPattern) send(o *outgoing) (sendResult, error) {
	if o.head != nil { // a Request, which has made its own envelope
		p, r := t.sendTo(o)
		if p != nil {
			o.call.queued(p)
		}
		if p != nil && p.sess != nil && t.s.only.Load() != p.sess {
			p.sess.r.callBack() // any caller may come upon the reply, and none waits for this one
		}
		return r, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting && !t.s.opts.Req.Relaxed {
		return sendResult{}, stateError{errUnanswered}
	}
	t.address(o)
	p, r := t.sendTo(o)
	if r.full {
		return r, nil
	}
	old := t.s.asked.Load()
	t.s.asked.Store(p.sess)
	if t.waiting && old != nil && old != p.sess {
		old.reclaim() // a Recv may read it, for a reply that is none any more
	}
	t.waiting, t.from = true, p
	return r, nil
}

// address puts o's envelope in front.
func (t *reqPattern) address(o *outgoing) {
	o.head, o.headFrames = delimiter, 1
	if t.s.opts.Req.Correlate {
		t.id = (t.id + 1) | lockstepID
		o.head, o.headFrames = appendCallID(nil, t.id), 2
	}
	o.size += int64(len(o.head))
}

// isReply reports whether m is for the lockstep's request, and takes the
// envelope off.
func (t *reqPattern) isReply(m *Msg) bool {
	f := m.Frames
	if t.s.opts.Req.Correlate {
		if len(f) < 3 || len(f[0]) != callID || binary.BigEndian.Uint32(f[0]) != t.id {
			return false
		}
		f = f[1:]
	}
	if len(f) < 2 || len(f[0]) != 0 {
		return false
	}
	m.Frames = f[1:]
	return true
}

func (t *reqPattern) writable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return (!t.waiting || t.s.opts.Req.Relaxed) && t.balance.writable()
}

func (*reqPattern) extra() int { return 0 }

// recv takes the reply that is waited for and drops everything else: a peer may
// send what it likes.
func (t *reqPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	if t.s.deliver(in, m) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting || in.peer != t.from || !t.isReply(m) {
		return in.refuse(DropUnexpected)
	}
	t.from = nil
	return true
}
