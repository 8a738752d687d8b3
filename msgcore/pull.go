package msgcore

import "errors"

// NewPull returns a PULL socket (RFC 30), which receives from PUSH sockets,
// fairly in turn. It does not send. Nil options mean defaults.
func NewPull(opts *Options) *Socket { return New(Pull, opts) }

type pullPattern struct{ s *Socket }

func (*pullPattern) attach(*peer) error { return nil }
func (*pullPattern) detach(*peer)       {}
func (*pullPattern) room(*peer)         {}
func (*pullPattern) extra() int         { return 0 }

func (*pullPattern) send(*outgoing) (sendResult, error) {
	return sendResult{}, errors.ErrUnsupported
}

func (*pullPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return true
}
