package msgcore

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// Connect adds endpoint and returns at once: it is dialed in the background, and
// again after each loss, until Disconnect or Close. Messages may be sent before
// it is there; see Options.Immediate. An error is about the endpoint's form or
// its transport.
func (s *Socket) Connect(name string) error { return s.connect(name, "") }

// connect is Connect, or ConnectAs if as is not empty.
func (s *Socket) connect(name, as string) error {
	if err := s.begin(); err != nil {
		return s.wrap("connect", name, err)
	}
	defer s.mu.Unlock()
	ep, tr, err := s.resolve(name)
	if err == nil {
		err = s.checkScheme(ep.Scheme, tr)
	}
	if c, ok := tr.(transport.AddrChecker); ok && err == nil {
		err = c.CheckDial(ep.Addr, &s.opts.Transport)
	}
	if pt, ok := tr.(transport.PacketTransport); ok && err == nil {
		_, err := s.addPackets(s.ctx, false, name, ep, pt)
		if err != nil {
			err = s.fail("connect", name, err)
		}
		return err
	}
	if err != nil {
		return s.fail("connect", name, err)
	}
	d := &dialer{s: s, name: name, addr: ep.Addr, tr: tr, as: as}
	if !s.bytes {
		d.rv, _ = tr.(transport.Rendezvous)
	}
	if err := s.dialing(d); err != nil {
		return s.fail("connect", name, err)
	}
	return nil
}

// dialing adds the endpoint of d; under mu.
func (s *Socket) dialing(d *dialer) error {
	if d.rv != nil || d.queuesAhead() {
		// What is sent from now on waits for the connection.
		if err := d.newPeer(); err != nil {
			return err
		}
	}
	e := &endpoint{name: d.name, given: d.name, done: make(chan struct{})}
	d.e = e
	d.done = e.done
	d.ctx, e.cancel = context.WithCancel(s.ctx)
	s.endpoints = append(s.endpoints, e)
	s.wg.Add(1)
	go d.run()
	return nil
}

// queuesAhead reports whether messages may be queued for an endpoint that is not
// connected.
func (s *Socket) queuesAhead() bool {
	switch s.typ {
	case Req, Dealer, Push, Pair, Client, Scatter, Channel:
		return !s.opts.Immediate
	}
	return false
}

// A dialer keeps one endpoint connected.
type dialer struct {
	s      *Socket
	name   string
	addr   string
	tr     transport.Transport
	rv     transport.Rendezvous // tr, if it is one
	passed net.Conn             // made elsewhere, instead of tr: nothing is dialed
	ctx    context.Context
	e      *endpoint
	done   chan struct{} // closed when it has let go of everything
	as     string        // the routing id that the peer has here; empty: its own, or one that is made
	peer   *peer         // attached while there is no connection, too; nil if it is not to be

	pause  time.Duration
	failed int  // handshakes in a row
	made   int  // connections
	ended  Stop // what the last dial has come to, as far as it may be the end of all
}

// queuesAhead reports whether messages may be queued while d has no connection.
func (d *dialer) queuesAhead() bool {
	return d.s.queuesAhead() || d.as != "" && !d.s.opts.Immediate
}

// newPeer makes d's peer and, if messages may wait for it, attaches it.
func (d *dialer) newPeer() error {
	d.peer = newPeer(d.s, noInfo(d.name))
	d.peer.given = d.as
	if !d.queuesAhead() {
		return nil
	}
	d.peer.info.RoutingID, d.peer.id = d.as, []byte(d.as)
	d.s.sendMu.Lock()
	defer d.s.sendMu.Unlock()
	return d.s.add(d.peer)
}

func (d *dialer) run() {
	defer d.s.wg.Done()
	defer close(d.done)
	defer d.drop()
	again := d.s.opts.Reconnect
	d.pause = again.Interval
	for {
		var err error
		if d.rv != nil {
			err = d.meet()
		} else {
			err = d.dial()
		}
		if d.ctx.Err() != nil || d.s.flushed.Load() {
			return
		}
		if d.passed != nil || again.Interval < 0 || again.Stop&d.ended != 0 {
			d.forget()
			d.s.event(Event{Kind: Closed, Endpoint: d.name, Err: err})
			return
		}
		d.s.event(Event{Kind: ConnectRetried, Endpoint: d.name, Err: err})
		pause := max(d.pause, d.afterFailures())
		if !sleep(d.ctx, pause-rand.N(pause/4+1)) {
			return
		}
		if again.Max > 0 {
			d.pause = min(2*d.pause, max(again.Max, again.Interval))
		}
	}
}

// forget takes an endpoint off the list whose connection cannot be made again.
func (d *dialer) forget() {
	if d.passed == nil {
		return
	}
	d.e.cancel()
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if i := slices.Index(d.s.endpoints, d.e); i >= 0 {
		d.s.endpoints = slices.Delete(d.s.endpoints, i, i+1)
	}
}

// afterFailures is how long to wait after handshakes that failed: a peer that
// refuses us is not to be asked again and again.
func (d *dialer) afterFailures() time.Duration {
	pause := d.s.opts.Reconnect.Interval
	for range d.failed - 1 {
		pause *= 2
		if pause >= d.s.opts.Reconnect.Refused {
			return max(d.s.opts.Reconnect.Refused, d.s.opts.Reconnect.Interval)
		}
	}
	return pause
}

// drop gives up the peer that messages may wait for.
func (d *dialer) drop() {
	if p := d.peer; p != nil && p.twin == nil {
		d.s.recvMu.Lock()
		d.s.sendMu.Lock()
		d.s.remove(p)
		ends := p.ends
		d.s.sendMu.Unlock()
		d.s.loseCalls(p, ends, math.MaxUint32) // those dropped
		d.s.recvMu.Unlock()
		d.s.wakeNotes()
	}
}

// dial connects once and lives as long as the connection.
func (d *dialer) dial() error {
	s := d.s
	ctx := d.ctx
	if s.opts.ConnectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opts.ConnectTimeout)
		defer cancel()
	}
	conn, err := d.passed, error(nil)
	if conn == nil {
		conn, err = d.tr.Dial(ctx, d.addr, &s.opts.Transport)
	}
	if err != nil {
		d.failed, d.ended = 0, 0
		if isRefused(err) {
			d.ended = StopRefused
		}
		return err
	}
	d.failed++ // until it succeeds
	d.ended = StopHandshake
	s.event(Event{Kind: Connected, Endpoint: d.name})
	unwatch := context.AfterFunc(d.ctx, func() { conn.Close() })
	defer unwatch()
	ss, err := d.handshake(conn)
	if err != nil {
		return err
	}
	p := d.peer
	if p == nil {
		p = newPeer(s, ss.info)
		p.given = d.as
	}
	ss.nth = d.made
	if err := ss.attach(p); err != nil {
		ss.end(err)
		s.event(Event{Kind: HandshakeFailed, Endpoint: d.name, Peer: *ss.info, Err: err})
		return err
	}
	d.made++
	// Closing the connection does not reach a reader that waits for room.
	stop := context.AfterFunc(d.ctx, func() { ss.end(errClosed) })
	defer stop()
	keep := d.peer != nil && !s.bytes // a stream cannot go on where another has ended
	err = ss.run(keep)
	if d.peer != nil && !keep && d.ctx.Err() == nil {
		if err := d.newPeer(); err != nil {
			return err
		}
	}
	var rejected *zmtp.RejectedError
	if !errors.As(err, &rejected) { // with NULL a refusal may come behind the handshake
		d.pause, d.failed, d.ended = s.opts.Reconnect.Interval, 0, StopDisconnected
	}
	return err
}

// handshake is the socket's, within Options.Handshake.
func (d *dialer) handshake(conn net.Conn) (*session, error) {
	ctx := d.s.ctx
	if limit := d.s.opts.Handshake; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errSlowHandshake)
		defer cancel()
	}
	return d.s.handshake(ctx, conn, d.name, false, d.as)
}
