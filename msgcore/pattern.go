package msgcore

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A pattern gives a Socket the rules of its type: to which peers a message
// goes, from which it may come, and what stands around it on the wire.
type pattern interface {
	// attach adds a peer that messages can be queued for, under sendMu. An
	// error refuses it.
	attach(p *peer) error
	// detach removes it, under sendMu.
	detach(p *peer)
	// room is told that p has credit again, under sendMu.
	room(p *peer)
	// send queues o, under sendMu.
	send(o *outgoing) (sendResult, error)
	// recv hands out the next message of in, which has one open, under recvMu;
	// false if it was not for the application.
	recv(in *inlet, m *Msg) bool
	// extra is how many frames recv puts ahead of those that came.
	extra() int
}

// Optional abilities of a pattern.
type (
	replier interface {
		reply(ctx context.Context, m Msg, frames [][]byte) error
	}
	// A stateful pattern decides whether the application may receive at all
	// now; it has a lock of its own.
	stateful interface {
		mayRecv() error
		received() // after each message that the application gets
	}
	// A subscribing pattern tells publishers what it wants; all under recvMu.
	subscribing interface {
		// want and unwant change one subscription; the result says whether peers
		// must hear of it.
		want(prefix []byte) (first bool, err error)
		unwant(prefix []byte) (last bool, err error)
		// resume calls each for all subscriptions, for a new connection.
		resume(each func(prefix []byte))
		// announce appends the frame that tells a peer.
		announce(dst, prefix []byte, on bool, v zmtp.Version) []byte
	}
	// A waiting pattern says whether Send would go through now, under sendMu;
	// others never wait, or cannot tell without the message.
	waiting interface {
		writable() bool
	}
	// A publishing pattern hears of the subscriptions of its peers.
	publishing interface {
		subscribed(p *peer, prefix []byte, on bool) // under sendMu
		subscriptions() int                         // under sendMu
	}
)

// A sendResult says what became of an outgoing message.
type sendResult struct {
	full  bool  // nobody could take it now; wait for room
	on    *peer // if full: only this one's room will do
	woken *peer // whose consumer must be woken, after unlocking
	more  []*peer
}

// newPattern returns the rules of s's type.
func newPattern(s *Socket) pattern {
	switch s.typ {
	case Pair:
		return &pairPattern{s: s}
	case Pub:
		return newPubPattern(s)
	case Sub:
		if s.opts.InvertMatching {
			return &invertedSub{newSubPattern(s)}
		}
		return newSubPattern(s)
	case Req:
		return newReqPattern(s)
	case Rep:
		return &repPattern{s: s}
	case Dealer:
		return &dealerPattern{balance: balance{s: s}}
	case Router:
		if s.opts.Router.Raw {
			return &streamPattern{newRouterPattern(s)}
		}
		return newRouterPattern(s)
	case Stream:
		return &streamPattern{newRouterPattern(s)}
	case Pull:
		return &pullPattern{s: s}
	case XPub:
		if s.opts.Pub.Manual || s.opts.Pub.ManualLastValue {
			return &manualPattern{xpubPattern: newXPubPattern(s)}
		}
		return newXPubPattern(s)
	case XSub:
		return &xsubPattern{s: s}
	case Scatter:
		return &scatterPattern{pushPattern{balance: balance{s: s}}}
	case Gather:
		return &gatherPattern{pullPattern{s: s}}
	case Dgram:
		return &dgramPattern{pairPattern{s: s}}
	case Channel:
		return &channelPattern{pairPattern{s: s}}
	case Client:
		return &clientPattern{balance: balance{s: s}}
	case Server, Peer:
		return newServerPattern(s)
	case Radio:
		return newRadioPattern(s)
	case Dish:
		return &dishPattern{s: s, groups: map[string]bool{}}
	case Push:
		return &pushPattern{balance: balance{s: s}}
	}
	panic(fmt.Sprint("msgcore: no pattern for ", s.typ)) // New has checked
}

// A peer is what a socket knows of one counterpart: two pipes, and what its
// pattern notes on it. For an endpoint that is connected it can outlive the
// connection, so that messages wait for the next one.
type peer struct {
	s    *Socket
	nth  uint64    // see PeerStats.ID
	out  *pipe     // guarded by s.sendMu
	in   *inlet    // on inproc; a session has its own
	info *PeerInfo // set before anything is received
	id   []byte    // its routing id, likewise

	given string // the routing id that it has by ConnectAs

	// Guarded by s.sendMu.
	sess     *session // the connection; nil while there is none, or on inproc
	twin     *peer    // the other end, on inproc
	told     bool     // twin was told our subscriptions; guarded by recvMu instead
	cameIn   tally    // by connections that have ended; guarded by recvMu instead
	doubt    tally    // see Traffic.InDoubt
	greeted  tally    // to the other end of an inproc link: not what the application sends
	remade   int      // how often it was connected again
	link     *link    // to it
	attached bool
	wait     waitList // senders that wait for room here and nowhere else

	// Notes of the patterns, guarded by s.sendMu.
	ends   uint32      // connections that have ended while there were Requests
	index  int         // in balance.peers
	number uint32      // its routing id (SERVER, PEER)
	gone   atomic.Bool // the application has closed its connection (STREAM); needs no lock
	mark   uint64      // the last message that matched (PUB)

	drops atomic.Pointer[dropCount] // nil until there is one

	// Of an endpoint that carries packets; set before it is attached.
	packets  bool // nobody filters what comes by our subscriptions
	datagram int  // the largest message in bytes, where each is a packet of its own
}

// newPeer makes a peer of which info is known.
func newPeer(s *Socket, info *PeerInfo) *peer {
	p := &peer{s: s, nth: s.known.Add(1), index: -1, info: info}
	p.out = newPipe(&s.sendMu, s.opts.SendHWM, s.opts.SendBytes)
	s.conflates(p.out, p, nil)
	return p
}

// noInfo is what is known of a peer at endpoint before there is a connection.
func noInfo(endpoint string) *PeerInfo {
	return &PeerInfo{Endpoint: endpoint, Cred: transport.Cred{PID: -1, UID: -1, GID: -1}}
}

// describe is what is known of p, at its connection if it has one; under sendMu.
func (p *peer) describe() *PeerInfo {
	if p.sess != nil {
		return p.sess.info
	}
	return p.info
}

// routingID is how a ROUTER's application knows p.
func (p *peer) routingID() []byte { return p.id }
