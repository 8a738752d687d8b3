package msgcore

import "errors"

// NewScatter returns a SCATTER socket (RFC 49): a PUSH whose messages have
// exactly one frame. It sends to GATHER sockets. Nil options mean defaults.
func NewScatter(opts *Options) *Socket { return New(Scatter, opts) }

// NewGather returns a GATHER socket (RFC 49): a PULL whose messages have exactly
// one frame. It receives from SCATTER sockets; what a peer sends against that
// rule is dropped. Nil options mean defaults.
func NewGather(opts *Options) *Socket { return New(Gather, opts) }

// NewChannel returns a CHANNEL socket (RFC 52): a PAIR whose messages have
// exactly one frame. Nil options mean defaults.
func NewChannel(opts *Options) *Socket { return New(Channel, opts) }

// NewClient returns a CLIENT socket (RFC 41): a DEALER whose messages have
// exactly one frame. It talks to SERVER sockets. Nil options mean defaults.
func NewClient(opts *Options) *Socket { return New(Client, opts) }

var errOneFrame = errors.New("a message of this type of socket has exactly one frame")

// popSingle hands out a message of one frame and drops others.
func popSingle(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return len(m.Frames) == 1 || in.refuse(DropMalformed)
}

type scatterPattern struct{ pushPattern }

func (t *scatterPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) != 1 {
		return sendResult{}, errOneFrame
	}
	return t.pushPattern.send(o)
}

type gatherPattern struct{ pullPattern }

func (*gatherPattern) recv(in *inlet, m *Msg) bool { return popSingle(in, m) }

type channelPattern struct{ pairPattern }

func (t *channelPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) != 1 {
		return sendResult{}, errOneFrame
	}
	return t.pairPattern.send(o)
}

func (*channelPattern) recv(in *inlet, m *Msg) bool { return popSingle(in, m) }

type clientPattern struct{ balance }

func (*clientPattern) extra() int { return 0 }

func (t *clientPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) != 1 {
		return sendResult{}, errOneFrame
	}
	return t.balance.send(o)
}

func (*clientPattern) recv(in *inlet, m *Msg) bool { return popSingle(in, m) }
