package msgcore

// NewPair returns a PAIR socket (RFC 31), which talks to exactly one other PAIR,
// both ways. While it has a peer every other one is refused. Send waits while
// there is no peer or no room; nothing is dropped. Nil options mean defaults.
func NewPair(opts *Options) *Socket { return New(Pair, opts) }

type pairPattern struct {
	s    *Socket
	only *peer // guarded by sendMu
}

var errPaired = conflict("this PAIR has a peer already")

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
	p := t.pick(o.size)
	switch {
	case p == nil:
		return sendResult{full: true}, nil
	case p.out.push(o):
		return sendResult{woken: p}, nil
	}
	return sendResult{}, nil
}

// pick is the peer, if there is one and it has room for size bytes.
func (t *pairPattern) pick(size int64) *peer {
	if t.only == nil {
		return nil
	}
	if !t.only.out.room(size) {
		t.only.out.starved = true
		return nil
	}
	return t.only
}

func (t *pairPattern) alone() bool { return true }

func (t *pairPattern) writable() bool {
	return t.pick(1) != nil
}

func (*pairPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return true
}
