package msgcore

import (
	"context"
	"errors"
	"math/rand/v2"
)

// NewServer returns a SERVER socket (RFC 41), which receives from CLIENT sockets,
// fairly in turn, and answers each of them by the routing id that its messages
// carry: Msg.Reply, or SendMsg with Msg.RoutingID. Messages have exactly one
// frame. An id that no peer has is ErrUnroutable; a peer at its high-water mark
// is waited for, alone. Nil options mean defaults.
func NewServer(opts *Options) *Socket { return New(Server, opts) }

// NewPeer returns a PEER socket (RFC 51), which talks to other PEER sockets as a
// SERVER does to its clients, whichever side has connected: what arrives carries
// the sender's routing id, and what is sent needs one. ConnectPeer connects and
// tells it. Nil options mean defaults.
func NewPeer(opts *Options) *Socket { return New(Peer, opts) }

type serverPattern struct {
	s *Socket

	// Guarded by sendMu.
	peers map[uint32]*peer
	next  uint32
}

func newServerPattern(s *Socket) *serverPattern {
	return &serverPattern{s: s, peers: map[uint32]*peer{}, next: rand.Uint32()}
}

var errNoRoutingID = errors.New("the message has no RoutingID: send what was received, use Msg.Reply, or set it")

func (t *serverPattern) attach(p *peer) error {
	for t.next == 0 || t.peers[t.next] != nil {
		t.next++
	}
	p.number = t.next
	t.next++
	t.peers[p.number] = p
	return nil
}

func (t *serverPattern) detach(p *peer) { delete(t.peers, p.number) }
func (*serverPattern) room(*peer)       {}
func (*serverPattern) extra() int       { return 0 }

func (*serverPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	m.RoutingID = in.peer.number
	return len(m.Frames) == 1 || in.refuse(DropMalformed)
}

func (t *serverPattern) send(o *outgoing) (sendResult, error) {
	switch {
	case len(o.frames) != 1:
		return sendResult{}, errOneFrame
	case o.from.RoutingID == 0:
		return sendResult{}, errNoRoutingID
	}
	p := t.peers[o.from.RoutingID]
	if p == nil {
		return sendResult{}, ErrUnroutable
	}
	if !p.out.room(o.size) {
		p.out.starved = true
		return sendResult{full: true, on: p}, nil
	}
	if p.out.push(o) {
		return sendResult{woken: p}, nil
	}
	return sendResult{}, nil
}

func (t *serverPattern) reply(ctx context.Context, m Msg, frames [][]byte) error {
	if len(frames) != 1 {
		return t.s.fail("reply", "", errOneFrame)
	}
	return t.s.replyTo(ctx, m.lease.in.peer, nil, 0, frames)
}

// ConnectPeer is Connect that waits until the peer is there, or ctx ends, and
// returns the routing id to send to it by. When the connection is lost and made
// again the peer has another id. PEER only.
func (s *Socket) ConnectPeer(ctx context.Context, endpoint string) (routingID uint32, err error) {
	if s.typ != Peer {
		return 0, s.fail("connect", endpoint, errors.ErrUnsupported)
	}
	if err := s.Connect(endpoint); err != nil {
		return 0, err
	}
	err = s.waitFor(ctx, "connect", func() bool {
		for p := range s.peers {
			if p.info.Endpoint == endpoint && (p.sess != nil || p.twin != nil) {
				routingID = p.number
			}
		}
		return routingID != 0
	})
	return routingID, err
}
