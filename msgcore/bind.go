package msgcore

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/solomq/solomq/transport"
)

// Bind listens on endpoint, such as "tcp://127.0.0.1:5555", and returns it with
// wildcards resolved: "tcp://127.0.0.1:*" as the port that was chosen. A socket
// may be bound to any number of endpoints. ctx bounds the call alone.
func (s *Socket) Bind(ctx context.Context, name string) (bound string, err error) {
	if err := s.begin(); err != nil {
		return "", s.wrap("bind", name, err)
	}
	defer s.mu.Unlock()
	ep, tr, err := s.resolve(name)
	if err == nil {
		err = s.checkScheme(ep.Scheme, tr)
	}
	if err == nil {
		err = ctx.Err() // not every Listen looks
	}
	if err != nil {
		return "", s.fail("bind", name, err)
	}
	if pt, ok := tr.(transport.PacketTransport); ok {
		e, err := s.addPackets(ctx, true, name, ep, pt)
		if err != nil {
			return "", s.fail("bind", name, err)
		}
		s.event(Event{Kind: Listening, Endpoint: e.name})
		return e.name, nil
	}
	e := &endpoint{given: name, bound: true}
	if rv, ok := tr.(transport.Rendezvous); ok && !s.bytes {
		e.cancel = func() {}
		listening := make(chan struct{}) // peers that wait for the name come at once
		defer close(listening)
		addr, withdraw, err := rv.Announce(ep.Addr, &s.opts.Transport, func(offer any) error {
			<-listening
			return s.acceptOffer(offer, e)
		})
		if err != nil {
			return "", s.fail("bind", name, err)
		}
		e.name, e.close = ep.Scheme+"://"+addr, withdraw
	} else {
		opts := s.opts.Transport
		opts.Credentials = s.tellingRefusals(e)
		l, err := tr.Listen(ctx, ep.Addr, &opts)
		if err != nil {
			return "", s.fail("bind", name, err)
		}
		e.name = ep.Scheme + "://" + l.Addr().String()
		s.accepting(e, l)
	}
	s.listening(e)
	return e.name, nil
}

// accepting makes e, which has a name, the endpoint of l; under mu.
func (s *Socket) accepting(e *endpoint, l net.Listener) {
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(s.ctx)
	e.close = func() { l.Close() }
	s.wg.Add(1)
	go s.acceptLoop(ctx, l, e.name)
}

// listening adds e; under mu.
func (s *Socket) listening(e *endpoint) {
	s.endpoints = append(s.endpoints, e)
	s.event(Event{Kind: Listening, Endpoint: e.name})
}

// tellingRefusals is Options.Transport.Credentials, and makes an event of each
// connection to e that it refuses.
func (s *Socket) tellingRefusals(e *endpoint) func(transport.Cred) error {
	admits := s.opts.Transport.Credentials
	if admits == nil {
		return nil
	}
	return func(cred transport.Cred) error {
		err := admits(cred)
		if err != nil { // on the goroutine that accepts, which starts when e has its name
			s.event(Event{Kind: AcceptRefused, Endpoint: e.name, Peer: PeerInfo{Endpoint: e.name, Cred: cred}, Err: err})
		}
		return err
	}
}

// wrap is fail for an error that may be one of the options.
func (s *Socket) wrap(op, endpoint string, err error) error {
	var oe *OpError
	if errors.As(err, &oe) {
		return err
	}
	return s.fail(op, endpoint, err)
}

// Pauses of the accept loop after an error, such as one of too many open files.
const (
	acceptPause    = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

func (s *Socket) acceptLoop(ctx context.Context, l net.Listener, name string) {
	defer s.wg.Done()
	pause := acceptPause
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = acceptPause
			s.event(Event{Kind: Accepted, Endpoint: name})
			s.enter(conn, name)
			continue
		}
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		s.event(Event{Kind: AcceptFailed, Endpoint: name, Err: err})
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

// sleep waits for d and reports whether ctx has not ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// serve begins the life of one accepted connection.
func (s *Socket) serve(v *visit) {
	ss := s.admit(v)
	if ss == nil {
		s.wg.Done()
		return
	}
	// It goes on elsewhere, so that it does not keep the stack of a handshake.
	go func() {
		ss.begin()
		ss.live()
	}()
}

// admit makes a session of an accepted connection; nil if that fails.
func (s *Socket) admit(v *visit) *session {
	ss, err := s.handshake(v, v.conn, v.name, true, "")
	v.leave()
	if err != nil {
		return nil
	}
	ss.nap.able = ss.raw != nil && !s.bytes && s.typ != Req // whose callers read by themselves
	p := newPeer(s, ss.info)
	if err := ss.attach(p); err != nil {
		ss.end(err)
		s.event(Event{Kind: HandshakeFailed, Endpoint: v.name, Peer: *ss.info, Err: err})
		return nil
	}
	if s.listener != nil {
		s.listener.offer(newStreamConn(ss, v.conn))
	}
	return ss
}
