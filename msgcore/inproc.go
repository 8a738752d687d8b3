package msgcore

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
)

// An offer is what a socket that connects hands to the one that is bound: to
// join their pipes directly, each end's outgoing pipe being the other's
// incoming one. There is no wire between them, and no connection.
type offer struct {
	peer *peer
	link *link
}

// A link is the bond of two peers; it ends once. Its lock comes before those of
// sockets.
type link struct {
	mu    sync.Mutex    // held while it is made, and while it is ended
	ended bool          // guarded by mu
	bound *peer         // guarded by mu; the one at the socket that is bound
	done  chan struct{} // closed when it has ended
}

var errNotOurs = errors.New("not an offer of a socket")

// sum adds up the bounds of two queues that are one; 0 is none.
func sum[T int | int64](a, b T) T {
	if a == 0 || b == 0 {
		return 0
	}
	return a + b
}

// meet joins d's peer with a socket that is bound to the name, as soon as there
// is one, and lives as long as the link.
func (d *dialer) meet() error {
	if d.peer == nil {
		if err := d.newPeer(); err != nil {
			return err
		}
	}
	d.ended = StopHandshake
	o := &offer{peer: d.peer, link: &link{done: make(chan struct{})}}
	if err := d.rv.Meet(d.ctx, d.addr, &d.s.opts.Transport, o); err != nil {
		if d.ctx.Err() == nil {
			d.s.event(Event{Kind: HandshakeFailed, Endpoint: d.name, Err: err})
		}
		return err
	}
	d.s.sendMu.Lock()
	d.peer.remade = d.made
	if d.made > 0 {
		d.s.remade++
	}
	d.s.sendMu.Unlock()
	d.made++
	d.s.event(Event{Kind: HandshakeSucceeded, Endpoint: d.name, Peer: *d.peer.info})
	d.ended = StopDisconnected
	d.pause = min(d.s.opts.Reconnect.Interval, 10*time.Millisecond)
	select {
	case <-o.link.done:
	case <-d.ctx.Done():
		d.peer.part()
	}
	d.s.event(Event{Kind: Disconnected, Endpoint: d.name, Peer: *d.peer.info, Err: errClosed})
	d.peer = nil
	if d.as != "" && d.ctx.Err() == nil {
		_ = d.newPeer() // messages for it wait again; an error comes up again with the next link
	}
	return errClosed
}

// acceptOffer joins a peer of another socket, or of this one, with a new one.
func (s *Socket) acceptOffer(of any, e *endpoint) error {
	o, ok := of.(*offer)
	if !ok {
		return errNotOurs
	}
	// Either socket may be closed meanwhile, which ends what it finds linked.
	o.link.mu.Lock()
	defer o.link.mu.Unlock()
	err := s.join(o, e)
	if err != nil {
		o.link.ended = true
		s.event(Event{Kind: HandshakeFailed, Endpoint: e.name, Peer: *inprocInfo(e.name, s, o.peer.s), Err: err})
	}
	return err
}

// join is acceptOffer under the link's lock.
func (s *Socket) join(o *offer, e *endpoint) error {
	them, a := o.peer, o.peer.s // theirs
	if !s.typ.Peers(a.typ) {
		return fmt.Errorf("a %v does not talk to a %v", a.typ, s.typ)
	}
	us := newPeer(s, noInfo(e.name))
	us.twin, us.link = them, o.link
	us.info = inprocInfo(e.name, s, a)
	us.out.maxMsgs, us.out.maxBytes = sum(s.opts.SendHWM, a.opts.RecvHWM), sum(s.opts.SendBytes, a.opts.RecvBytes)
	us.out.batch, us.out.direct = batchFor(us.out.maxMsgs), true
	if a.conflates(us.out, them, inprocInfo(e.name, a, s)); us.out.replaced != nil {
		us.out.replaced = &replacing{a, them, inprocInfo(e.name, a, s)}
	}
	us.in = &inlet{pipe: them.out, peer: us, info: us.info}

	s.sendMu.Lock()
	err := s.add(us)
	if err == nil {
		us.id = []byte(us.info.RoutingID)
		us.greet()
	}
	s.sendMu.Unlock()
	if err != nil {
		return err
	}
	s.recvMu.Lock()
	s.follow(us.in)
	s.recvMu.Unlock()
	queued, err := a.linkTo(them, us, s, o.link)
	if err != nil {
		s.recvMu.Lock()
		s.unfollow(us.in)
		s.sendMu.Lock()
		us.twin = nil // nobody receives what was sent meanwhile
		s.remove(us)
		s.sendMu.Unlock()
		s.recvMu.Unlock()
		return err
	}
	s.sendMu.Lock()
	wake := len(us.out.blocks) > 0
	us.out.live, us.out.idle = true, !wake
	s.ready++
	s.chooseReader()
	s.changed.wakeAll()
	s.sendMu.Unlock()
	if wake {
		a.arrived(them.in)
	}
	if queued {
		s.arrived(us.in)
	}
	exchangeSubscriptions(a, us)
	exchangeSubscriptions(s, them)
	o.link.bound = us
	s.event(Event{Kind: HandshakeSucceeded, Endpoint: e.name, Peer: *us.info})
	return nil
}

// linkTo is the connecting side of acceptOffer: p, which may have messages
// waiting, gets twin for its other end. It reports whether there are any.
func (s *Socket) linkTo(p, twin *peer, other *Socket, l *link) (queued bool, err error) {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if s.closed && p.out.msgs == 0 {
		return false, errClosed
	}
	p.info = inprocInfo(p.info.Endpoint, s, other)
	if p.given != "" {
		p.info.RoutingID = p.given
	}
	p.twin, p.link = twin, l
	if !p.attached {
		if err := s.add(p); err != nil {
			p.twin, p.link = nil, nil
			return false, err
		}
	}
	p.id = []byte(p.info.RoutingID)
	p.in = &inlet{pipe: twin.out, peer: p, info: p.info}
	s.follow(p.in)
	out := p.out
	out.maxMsgs, out.maxBytes = sum(s.opts.SendHWM, other.opts.RecvHWM), sum(s.opts.SendBytes, other.opts.RecvBytes)
	out.batch, out.direct = batchFor(out.maxMsgs), true
	out.other = tally{} // what was replaced before was this side's
	if other.conflates(out, twin, twin.info); out.replaced != nil {
		out.replaced = &replacing{other, twin, twin.info}
		out.keepLast()
	}
	p.greet()
	if other.opts.Router.Notify&NotifyConnect != 0 {
		b := eventBlock(NotifyConnect)
		out.note(&b)
		out.pushFront(b)
	}
	queued = len(out.blocks) > 0
	out.live, out.idle = true, !queued
	s.ready++
	s.chooseReader()
	s.pat.room(p) // there is more than before
	s.sendWait.wakeAll()
	s.changed.wakeAll()
	return queued, nil
}

func eventBlock(event Notify) block {
	return block{b: []byte{0, 0}, msgs: 1, frames: 1, size: 2, event: event}
}

// inprocInfo describes other to s.
func inprocInfo(name string, s, other *Socket) *PeerInfo {
	info := &PeerInfo{
		Endpoint: name, RemoteAddr: name, Type: other.typ.String(), Mechanism: "NULL",
		Properties: map[string]string{"Socket-Type": other.typ.String()},
		Cred:       transport.Cred{PID: -1, UID: -1, GID: -1},
	}
	for k, v := range other.opts.Metadata {
		info.Properties[k] = v
	}
	if s.typ == Router {
		info.RoutingID = other.opts.RoutingID
	}
	return info
}

// exchangeSubscriptions tells p, a peer at a publisher, what s subscribes to.
func exchangeSubscriptions(s *Socket, p *peer) {
	t, ok := s.pat.(subscribing)
	if !ok {
		return
	}
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	t.resume(func(prefix []byte) { p.hearSubscription(prefix, true) })
	p.twin.told = true
}

// part ends the link of p and its twin. What was sent can still be received.
func (p *peer) part() {
	l := p.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	for _, e := range [...]*peer{p, p.twin} {
		s, other := e.s, e.twin.s
		var wake bool
		s.sendMu.Lock()
		var notes []block
		if other.opts.Router.Notify&NotifyDisconnect != 0 {
			notes = append(notes, eventBlock(NotifyDisconnect))
		}
		if other.requests.Load() {
			notes = append(notes, lostBlock(math.MaxUint32))
		}
		if last := other.parting(e.twin == l.bound); last != nil {
			notes = append(notes, oneBlock([][]byte{last}))
		}
		if other.isClosing.Load() {
			notes = nil // nobody receives them
		}
		for i := range notes {
			wake = e.out.pushNote(&notes[i]) || wake
		}
		s.ready--
		s.remove(e)
		s.chooseReader()
		s.sendMu.Unlock()
		s.wakeNotes()
		if wake {
			e.twin.s.arrived(e.twin.in)
		}
	}
	for _, e := range [...]*peer{p, p.twin} {
		e.s.recvMu.Lock()
		e.s.over(e.in)
		e.s.recvMu.Unlock()
	}
	b := l.bound
	b.s.event(Event{Kind: Disconnected, Endpoint: b.info.Endpoint, Peer: *b.info, Err: errClosed})
	close(l.done)
}
