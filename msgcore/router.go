package msgcore

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// NewRouter returns a ROUTER socket (RFC 28), which receives fairly from REQ,
// DEALER and ROUTER sockets and puts the routing id of the peer in front as the
// first frame; what it sends goes to the peer that the first frame names. A
// message to an unknown id, or to a peer at its high-water mark, is dropped and
// counted, unless Options.Router.Mandatory makes the one ErrUnroutable and the
// other wait for that peer alone. ConnectAs gives a peer an id before it is there. Nil options mean defaults.
func NewRouter(opts *Options) *Socket { return New(Router, opts) }

type routerPattern struct {
	s *Socket

	// Guarded by sendMu.
	peers map[string]*peer // by routing id
	next  uint32           // for the ids that we make
}

func newRouterPattern(s *Socket) *routerPattern {
	return &routerPattern{s: s, peers: map[string]*peer{}, next: rand.Uint32()}
}

var (
	errIDInUse  = conflict("routing id is in use by another peer; Options.Router.Handover lets the new one have it")
	errIDGiven  = conflict("routing id is in use: ConnectAs has given it to another peer")
	errIDLong   = errors.New("routing id is over 255 bytes")
	errIDShape  = errors.New("routing id starts with a zero byte, which is reserved")
	errReplaced = errors.New("another peer has taken over the routing id")
	errNoTarget = errors.New("a ROUTER needs a routing id and at least one frame behind it")
)

// attach gives p the id that it asked for, or makes one: five bytes, the first
// of them zero, which peers cannot choose.
func (t *routerPattern) attach(p *peer) error {
	id := p.info.RoutingID
	if id == "" {
		for {
			var b [5]byte
			binary.BigEndian.PutUint32(b[1:], t.next)
			t.next++
			if id = string(b[:]); t.peers[id] == nil {
				break
			}
		}
		p.info.RoutingID = id
	} else if err := t.admits(id); err != nil {
		return err
	}
	if old := t.peers[id]; old != nil {
		old.replaced()
	}
	t.peers[id] = p
	return nil
}

// admits says why a peer cannot have id, under sendMu; empty asks for one.
func (t *routerPattern) admits(id string) error {
	switch {
	case id == "":
		return nil
	case len(id) > 255:
		return errIDLong
	case id[0] == 0:
		return errIDShape
	case t.peers[id] != nil && t.peers[id].given != "":
		return errIDGiven
	case t.peers[id] != nil && !t.s.opts.Router.Handover:
		return errIDInUse
	}
	return nil
}

// replaced ends the connection of a peer whose routing id another one has got;
// under sendMu.
func (p *peer) replaced() {
	switch {
	case p.sess != nil:
		p.sess.end(errReplaced)
	case p.twin != nil:
		p.s.wg.Add(1)
		go func() { defer p.s.wg.Done(); p.part() }()
	}
}

func (t *routerPattern) detach(p *peer) {
	if t.peers[p.info.RoutingID] == p {
		delete(t.peers, p.info.RoutingID)
	}
}

func (*routerPattern) room(*peer) {}
func (*routerPattern) extra() int { return 1 }

func (*routerPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, in.peer.routingID())
	return true
}

func (t *routerPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) < 2 {
		return sendResult{}, errNoTarget
	}
	p := t.peers[string(o.frames[0])]
	mandatory := t.s.opts.Router.Mandatory
	if p == nil {
		if mandatory {
			return sendResult{}, ErrUnroutable
		}
		t.s.drop(DropUnroutable, nil, nil, 1)
		return sendResult{}, nil
	}
	size := o.size - int64(frameSize(len(o.frames[0])))
	if !p.out.room(size) {
		if mandatory {
			p.out.starved = true
			return sendResult{full: true, on: p}, nil
		}
		p.drop(DropFull)
		return sendResult{}, nil
	}
	o.frames, o.size = o.frames[1:], size
	if p.out.push(o) {
		return sendResult{woken: p}, nil
	}
	return sendResult{}, nil
}

// reply sends to where m came from, behind m's envelope.
func (t *routerPattern) reply(ctx context.Context, m Msg, frames [][]byte) error {
	var envelope []byte
	n := 0
	for i, f := range m.Frames[1:] {
		if len(f) == 0 && i+2 < len(m.Frames) {
			envelope, n = appendEnvelope(nil, m.Frames[1:i+2]), i+1
			break
		}
	}
	return t.s.replyTo(ctx, m.lease.in.peer, envelope, n, frames)
}
