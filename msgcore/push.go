package msgcore

// NewPush returns a PUSH socket (RFC 30), which sends to PULL sockets, in turn
// among those that have room. Send waits while no peer has room, or none is
// there; nothing is dropped. It does not receive. Nil options mean defaults.
func NewPush(opts *Options) *Socket { return New(Push, opts) }

type pushPattern struct{ balance }

func (*pushPattern) recv(*inlet, *Msg) bool { return false }
func (*pushPattern) extra() int             { return 0 }
