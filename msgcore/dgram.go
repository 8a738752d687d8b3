package msgcore

import (
	"errors"
	"fmt"
)

// NewDgram returns a DGRAM socket, which exchanges datagrams with any program over
// udp. It binds to one endpoint. A message has two frames: the address of the
// peer, such as "10.0.0.1:5555" or "[fe80::1%eth0]:5555", and the datagram, of at
// most Options.Transport.MaxPacket bytes. Send waits at the high-water mark;
// datagrams may be lost. Nil options mean defaults.
func NewDgram(opts *Options) *Socket { return New(Dgram, opts) }

type dgramPattern struct{ pairPattern }

var (
	errOneEndpoint    = errors.New("a DGRAM has one endpoint, and this one is bound already")
	errAddressAndBody = errors.New("a message of DGRAM has two frames: the peer's address, and the body")
)

func (t *dgramPattern) attach(p *peer) error {
	if t.only != nil {
		return errOneEndpoint
	}
	t.only = p
	return nil
}

func (t *dgramPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) != 2 {
		return sendResult{}, errAddressAndBody
	}
	if to, err := parsePeer(o.frames[0]); err != nil || to.Port() == 0 {
		return sendResult{}, fmt.Errorf("%q is no address and port of a peer; write it like 10.0.0.1:5555", clip(o.frames[0]))
	}
	if t.only != nil {
		if err := t.only.checkDatagram(len(o.frames[1])); err != nil {
			return sendResult{}, err
		}
	}
	return t.pairPattern.send(o)
}

// checkDatagram says whether n bytes go into one packet to p.
func (p *peer) checkDatagram(n int) error {
	if n > p.datagram {
		return fmt.Errorf("%w: %d bytes in one datagram, Options.Transport.MaxPacket is %d", ErrMessageTooBig, n, p.datagram)
	}
	return nil
}

// clip shortens b for an error.
func clip(b []byte) []byte { return b[:min(len(b), 100)] }
