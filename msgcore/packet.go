package msgcore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A packetEndpoint keeps one endpoint open whose transport carries packets. Its
// peer is whoever is out there: there is one session, without a handshake, for
// as long as the endpoint can be used.
type packetEndpoint struct {
	s    *Socket
	e    *endpoint
	addr string
	tr   transport.PacketTransport
	use  transport.PacketUse
	ctx  context.Context
}

var errInsecurePackets = errors.New("Options.Mechanism and Authorize need a connection; packets go to and come from anybody")

// checkScheme says why a socket of this type cannot use a transport.
func (s *Socket) checkScheme(scheme string, tr transport.Transport) error {
	pt, packets := tr.(transport.PacketTransport)
	switch {
	case !packets && s.typ == Dgram:
		return fmt.Errorf("a DGRAM goes over udp only, not over %s", scheme)
	case !packets:
		return nil
	case s.opts.Mechanism != nil && s.opts.Mechanism.Name() != zmtp.Null().Name() || s.opts.Authorize != nil:
		return errInsecurePackets
	}
	if pt.Ordered() {
		switch s.typ {
		case Pub, XPub, Sub, XSub:
			return nil
		}
		return fmt.Errorf("a %v does not go over %s: PUB, XPUB, SUB and XSUB do", s.typ, scheme)
	}
	switch s.typ {
	case Radio, Dish, Dgram:
		return nil
	}
	return fmt.Errorf("a %v does not go over %s: RADIO, DISH and DGRAM do", s.typ, scheme)
}

// packetUse is what a socket of this type does at an endpoint.
func (s *Socket) packetUse(bind bool) transport.PacketUse {
	use := transport.PacketUse{Bind: bind}
	switch s.typ {
	case Pub, XPub, Radio:
		use.Send = true
	case Sub, XSub, Dish:
		use.Recv = true
	default:
		use.Send, use.Recv = true, true
	}
	return use
}

// addPackets binds or connects an endpoint of packets, under mu: which of both
// it is means something to the transport only.
func (s *Socket) addPackets(ctx context.Context, bind bool, name string, ep transport.Endpoint, tr transport.PacketTransport) (*endpoint, error) {
	if s.typ == Dgram && !bind {
		return nil, errors.New("a DGRAM binds; each of its messages says where it goes")
	}
	pe := &packetEndpoint{s: s, addr: ep.Addr, tr: tr, use: s.packetUse(bind)}
	conn, err := tr.OpenPackets(ctx, ep.Addr, &s.opts.Transport, pe.use)
	if err != nil {
		return nil, err
	}
	e := &endpoint{name: ep.Scheme + "://" + conn.Addr().String(), given: name, bound: bind, packets: true, done: make(chan struct{})}
	pe.e, pe.addr = e, conn.Addr().String()
	ss, err := pe.join(conn)
	if err != nil {
		return nil, err
	}
	pe.ctx, e.cancel = context.WithCancel(s.ctx)
	s.endpoints = append(s.endpoints, e)
	s.wg.Add(1)
	go pe.run(ss)
	return e, nil
}

// join makes a session of conn: messages flow from then on.
func (pe *packetEndpoint) join(conn transport.PacketConn) (*session, error) {
	s, name := pe.s, pe.e.name
	info := &PeerInfo{
		Endpoint: name, RemoteAddr: name, Type: types[counterpart(s.typ)].name,
		Mechanism: zmtp.Null().Name(), Cred: transport.Cred{PID: -1, UID: -1, GID: -1},
	}
	ss := &session{s: s, version: zmtp.Version{Major: 3, Minor: 0}, info: info, stop: make(chan struct{})}
	ss.conn = newPacketLink(ss, conn, pe.tr.Ordered())
	ss.hb.ss = ss
	p := newPeer(s, noInfo(name))
	p.packets = true
	if !pe.tr.Ordered() {
		p.datagram = conn.MaxPacket()
	}
	if err := ss.attach(p); err != nil {
		conn.Close()
		return nil, err
	}
	if s.typ == Pub || s.typ == XPub {
		p.hearSubscription(nil, true) // nobody can say what he wants: all goes out
	}
	return ss, nil
}

// counterpart is the type at the other end of packets.
func counterpart(t Type) Type {
	switch t {
	case Pub, XPub:
		return Sub
	case Sub, XSub:
		return Pub
	case Radio:
		return Dish
	case Dish:
		return Radio
	}
	return t
}

// run lives as long as the endpoint. One that breaks, because its interface went
// away for example, is opened again.
func (pe *packetEndpoint) run(ss *session) {
	s := pe.s
	defer s.wg.Done()
	defer close(pe.e.done)
	again := s.opts.Reconnect
	pause := again.Interval
	for {
		var err error
		if ss != nil {
			live := ss // the function may be called when ss is nil again
			stop := context.AfterFunc(pe.ctx, func() { live.end(errClosed) })
			err = ss.run(false)
			stop()
			ss, pause = nil, again.Interval
		} else {
			var conn transport.PacketConn
			conn, err = pe.tr.OpenPackets(pe.ctx, pe.addr, &s.opts.Transport, pe.use)
			if err == nil {
				ss, err = pe.join(conn)
			}
			if err == nil {
				continue
			}
		}
		if pe.ctx.Err() != nil || s.isClosing.Load() {
			return
		}
		if again.Interval < 0 {
			s.event(Event{Kind: Closed, Endpoint: pe.e.name, Err: err})
			return
		}
		s.event(Event{Kind: ConnectRetried, Endpoint: pe.e.name, Err: err})
		if !sleep(pe.ctx, pause-rand.N(pause/4+1)) {
			return
		}
		if again.Max > 0 {
			pause = min(2*pause, max(again.Max, again.Interval))
		}
	}
}
