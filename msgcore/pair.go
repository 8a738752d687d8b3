package msgcore

import "errors"

// NewPair returns a PAIR socket (RFC 31), which talks to exactly one other PAIR,
// both ways. While it has a peer every other one is refused. Send waits while
// there is no peer or no room; nothing is dropped. Nil options mean defaults.
func NewPair(opts *Options) *Socket { return New(Pair, opts) }

type pairPattern struct {
	s    *Socket
	only *peer // guarded by sendMu
}

var errPaired = errors.New("this PAIR has a peer already")

func (t *pairPattern) attach(p *peer) error {
	if err := t.taken(); err != nil {
		return err
	}
	t.only = p
	return nil
}

// taken says why another peer cannot be attached.
func (t *pairPattern) taken() error {
	if t.only != nil {
		return errPaired
	}
	return nil
}

func (t *pairPattern) detach(p *peer) {
	if t.only == p {
		t.only = nil
	}
}

func (*pairPattern) room(*peer) {}
func (*pairPattern) extra() int { return 0 }

func (t *pairPattern) send(o *outgoing) (sendResult, error) {
	p := t.only
	if p == nil {
		return sendResult{full: true}, nil
	}
	if !p.out.room(o.size) {
		p.out.starved = true
		return sendResult{full: true}, nil
	}
	if p.out.push(o) {
		return sendResult{woken: p}, nil
	}
	return sendResult{}, nil
}

func (t *pairPattern) writable() bool {
	if t.only != nil && t.only.out.room(1) {
		return true
	}
	if t.only != nil {
		t.only.out.starved = true
	}
	return false
}

func (*pairPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return true
}
