package msgcore

// NewDealer returns a DEALER socket (RFC 28), which sends to REP, DEALER and
// ROUTER sockets in turn among those that have room, and receives fairly from
// all of them. Send waits while no peer has room, or none is there; nothing is
// dropped. A message to a REP starts with an empty frame. Request does that,
// and finds each reply's request. Nil options mean defaults.
func NewDealer(opts *Options) *Socket { return New(Dealer, opts) }

type dealerPattern struct {
	balance
}

func (*dealerPattern) extra() int { return 0 }

func (t *dealerPattern) send(o *outgoing) (sendResult, error) {
	p, r := t.sendTo(o)
	if o.call != nil && p != nil {
		o.call.queued(p)
	}
	return r, nil
}

func (t *dealerPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return !t.s.deliver(in, m)
}
