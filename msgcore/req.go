package msgcore

import (
	"errors"
	"sync"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewReq returns a REQ socket (RFC 28), which sends a request to a REP or
// ROUTER, in turn among those that have room, and receives the reply. Send and
// Recv are in lockstep: a second Send before the Recv, or a Recv without a Send,
// is ErrState. Send waits while there is no peer or no room; nothing is dropped.
// Request does both at once, any number of times side by side and beside the
// lockstep. Nil options mean defaults.
func NewReq(opts *Options) *Socket { return New(Req, opts) }

type reqPattern struct {
	balance

	mu      sync.Mutex
	waiting bool  // a request is under way
	from    *peer // to which; its reply alone counts
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
	return nil
}

// received ends the lockstep's wait. It is not the reply's arrival that does,
// for a Request that comes upon it sets it aside.
func (t *reqPattern) received() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = false
}

func (t *reqPattern) send(o *outgoing) (sendResult, error) {
	if o.head != nil { // a Request, which has made its own envelope
		p, r := t.sendTo(o)
		if p != nil && p.sess != nil && t.s.only.Load() != p.sess {
			p.sess.r.callBack() // any caller may come upon the reply, and none waits for this one
		}
		return r, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting {
		return sendResult{}, stateError{errUnanswered}
	}
	o.head, o.headFrames = delimiter, 1
	o.size += int64(len(delimiter))
	p, r := t.sendTo(o)
	if !r.full {
		t.waiting, t.from = true, p
		t.s.asked.Store(p.sess)
	}
	return r, nil
}

func (t *reqPattern) writable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.waiting && t.balance.writable()
}

func (*reqPattern) extra() int { return 0 }

// recv takes the reply that is waited for and drops everything else: a peer may
// send what it likes.
func (t *reqPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	if t.s.deliver(m) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.waiting || in.peer != t.from || len(m.Frames) < 2 || len(m.Frames[0]) != 0 {
		return false
	}
	m.Frames = m.Frames[1:]
	t.from = nil
	return true
}
