package msgcore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A session is the engine of one connection: it reads on the goroutine that
// runs it, and writes on another that lives while there is something to write.
// Either error ends it.
type session struct {
	s        *Socket
	p        *peer
	conn     net.Conn
	raw      syscall.RawConn // nil where reading needs a buffer while it waits
	version  zmtp.Version
	info     *PeerInfo
	accepted bool // by a socket that is bound

	stop     chan struct{} // closed when the session ends
	stopOnce sync.Once
	err      error          // why; written before stop is closed
	writers  sync.WaitGroup // whoever plays the writer's part

	before tally // what was written to p on other connections; guarded by sendMu
	slow   bool  // to close, which writes; nor can a write go on that a deadline has cut: TLS
	parted bool  // nothing more is written, and the peer knows; likewise
	nth    int   // of those to the same endpoint, from 0 on

	w writer
	r reader
	// receipts are kept where the connection tells what the peer has read; else nil.
	receipts *receipts
	hb       heartbeat

	lent atomic.Bool // see lockstep.go
	nap  nap         // see watcher.go
}

// end ends ss for the given reason, of which the first counts. It does not wait.
func (ss *session) end(err error) {
	ss.stopOnce.Do(func() {
		ss.err = err
		close(ss.stop)
		_ = ss.aside(ss.conn.Close)
		if w := ss.s.watcher.Load(); w != nil && w.wake(ss) {
			go ss.live() // to finish
		}
	})
}

// aside calls f, or has it called elsewhere if it may wait for the peer, as what
// ends a connection with TLS does for up to 5 s.
func (ss *session) aside(f func() error) error {
	if !ss.slow {
		return f()
	}
	ss.s.wg.Add(1) // that of the session itself is not done yet
	go func() {
		defer ss.s.wg.Done()
		_ = f()
	}()
	return nil
}

// isSlow reports whether c is a *tls.Conn or embeds one.
func isSlow(c net.Conn) bool {
	switch m := c.(type) {
	case halfConn:
		c = m.Conn
	case methodConn:
		c = m.Conn
	}
	_, ok := c.(interface{ NetConn() net.Conn })
	return ok
}

// handshake greets the peer at conn, which was accepted or dialed over endpoint,
// and returns a session that has not begun. ctx bounds it by Options.Handshake. The
// peer's routing id is as, or if that is empty what the peer says.
func (s *Socket) handshake(ctx context.Context, conn net.Conn, endpoint string, accepted bool, as string) (*session, error) {
	if s.bytes {
		ss := s.byteSession(conn, endpoint)
		ss.info.RoutingID = as
		return ss, nil
	}
	mechanism := s.opts.Mechanism
	if mechanism == nil {
		mechanism = zmtp.Null()
	}
	info := s.describe(conn, endpoint)
	info.Mechanism = mechanism.Name()
	var version zmtp.Version
	raw, ahead := rawConn(conn), mayReadAhead(conn)
	var begun []byte
	if accepted && ahead && raw != nil { // who has dialed may have spoken
		room := newSlab(someClass, 0)
		if begun = readBegun(raw, room.buf); len(begun) > 0 {
			defer room.drop()
		} else {
			room.drop() // it may take a while to speak
		}
		// One that has said more than its greeting goes on like that. The others are to
		// leave nothing behind, for there may be thousands, which may stay idle.
		ahead = len(begun) > zmtp.GreetingSize
	}
	cfg := &zmtp.Config{
		Mechanism:  mechanism,
		Accepting:  accepted,
		ReadAhead:  ahead,
		Begun:      begun,
		Authorize:  s.opts.Authorize,
		Properties: s.says,
		MaxBytes:   s.opts.HandshakeBytes,
		MinVersion: s.opts.MinVersion,
		Greeted:    func(v zmtp.Version) { version = v },
		Check: func(peer zmtp.Properties) error {
			info.Type = peer.Get(zmtp.SocketType)
			info.Properties = peer
			if s.typ == Router {
				info.RoutingID = peer.Get(zmtp.Identity)
			}
			if as != "" {
				info.RoutingID = as
			}
			return s.checkPeer(info, version, accepted, as != "")
		},
	}
	z, err := zmtp.Handshake(ctx, conn, cfg)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && s.ctx.Err() == nil {
			err = fmt.Errorf("%w after %v", errSlowHandshake, s.opts.Handshake)
		}
		conn.Close()
		s.event(Event{Kind: HandshakeFailed, Endpoint: endpoint, Peer: *info, Err: err})
		return nil, err
	}
	ss := &session{s: s, conn: conn, slow: isSlow(conn), accepted: accepted, version: z.Version(), info: info, stop: make(chan struct{})}
	switch ahead := z.Leftover(); {
	case z.Session() != nil:
		ss.conn = newSealedConn(conn, z.Session(), ahead)
	case version.Major == 1:
		ss.conn = newOldConn(conn, ahead)
	default:
		ss.raw = raw
		ss.r.begin(ahead)
	}
	ss.hb.ss = ss
	return ss, nil
}

// properties are what s tells its peers of itself.
func (s *Socket) properties() zmtp.Properties {
	p := zmtp.Properties{zmtp.SocketType: s.typ.String()}
	if s.typ == Req || s.typ == Dealer || s.typ == Router {
		p[zmtp.Identity] = s.opts.RoutingID
	}
	maps.Copy(p, s.opts.Metadata)
	return p
}

var errSlowHandshake = errors.New("the peer has not finished its handshake in time (Options.Handshake)")

// checkPeer decides, within the handshake, whether a peer can be attached.
// A routing id that was given it is not looked at: it may be attached already.
func (s *Socket) checkPeer(info *PeerInfo, v zmtp.Version, accepted, given bool) error {
	untold := v.Major == 1 && info.Type == "" // it may be of any type
	if !untold && !s.typ.accepts(info.Type) {
		return fmt.Errorf("a %v does not talk to a socket of type %q", s.typ, info.Type)
	}
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	switch t := s.pat.(type) {
	case *routerPattern:
		if given {
			return nil
		}
		return t.admits(info.RoutingID)
	case interface{ taken() error }:
		if accepted { // one that was dialed may be attached already
			return t.taken()
		}
	}
	return nil
}

// attach joins ss and p: from then on messages flow. p may be new, or one that
// had other sessions before.
func (ss *session) attach(p *peer) error {
	s := ss.s
	in := newPipe(&ss.r.mu, s.opts.RecvHWM, s.opts.RecvBytes)
	in.live = true
	s.conflates(in, p, ss.info)
	ss.r.init(ss, &inlet{pipe: in, peer: p, info: ss.info, r: &ss.r, wake: make(chan struct{}, 1)})
	ss.p = p
	ss.keepReceipts()

	s.recvMu.Lock()
	s.sendMu.Lock()
	if !p.attached {
		p.info, p.id = ss.info, nil
		if err := s.add(p); err != nil {
			s.sendMu.Unlock()
			s.recvMu.Unlock()
			return err
		}
		p.id = []byte(p.info.RoutingID)
	} else if s.closed && p.out.msgs == 0 {
		s.sendMu.Unlock()
		s.recvMu.Unlock()
		return errClosed
	}
	p.sess = ss
	ss.before = p.out.done
	p.remade = ss.nth
	if ss.nth > 0 {
		s.remade++
	}
	s.follow(ss.r.in)
	ss.lend()
	if s.closed && !ss.slow { // Close looks whether bytes move
		_ = ss.conn.SetWriteDeadline(time.Now())
	}
	if t, ok := s.pat.(subscribing); ok {
		t.resume(func(prefix []byte) {
			ss.w.control = t.announce(ss.w.control, prefix, true, ss.version)
		})
	}
	if hello := s.greeting(); len(hello) > 0 {
		ss.w.control = append(ss.w.control, hello...)
		ss.w.used = true
	}
	p.out.live = true
	var w wakeup
	if len(p.out.blocks) > 0 || len(ss.w.control) > 0 {
		p.out.idle = false
		w = p.claim()
	}
	s.ready++
	if ss.nap.able {
		s.able++
		s.watchIdle()
	}
	s.chooseReader()
	s.changed.wakeAll()
	s.sendMu.Unlock()
	s.recvMu.Unlock()
	w.do(false)
	if ss.version.Major == 1 && ss.info.Type == "" {
		p.hearSubscription(nil, true) // it filters by itself, and does not subscribe
	}
	s.event(Event{Kind: HandshakeSucceeded, Endpoint: ss.info.Endpoint, Peer: *ss.info})
	return nil
}

// run reads until the session ends, and then parts it from its peer. If keep,
// the peer stays attached, with what it has not sent, for another session.
func (ss *session) run(keep bool) error {
	// Its goroutine waits below loop for as long as the connection lasts, so that
	// little should lie on the stack here.
	ss.begin()
	return ss.finish(ss.r.loop(), keep)
}

// live is run for a session that was accepted: when nothing comes, it gives up
// its goroutine until something does.
func (ss *session) live() {
	if err := ss.r.loop(); err != errAsleep {
		_ = ss.finish(err, false) // the reason is in the Disconnected event
		ss.s.wg.Done()
	}
}

//go:noinline
func (ss *session) begin() {
	ss.hb.start()
	if ss.s.opts.Router.Notify&NotifyConnect != 0 {
		ss.r.notify(NotifyConnect)
	}
}

// finish parts ss from its peer, for the given reason of reading.
//
//go:noinline
func (ss *session) finish(err error, keep bool) error {
	s, p := ss.s, ss.p
	if c, ok := ss.conn.(*byteConn); ok {
		c.readEnded(err)
	}
	ss.end(err)
	ss.hb.stop()
	err = ss.err

	s.sendMu.Lock()
	p.out.live = false // nobody claims the writer's part any more
	s.sendMu.Unlock()
	ss.writers.Wait()
	ss.r.close()
	if w := s.watcher.Load(); w != nil {
		w.leave(ss)
	}

	s.recvMu.Lock()
	s.sendMu.Lock()
	next, own := ss.w.giveBackTo(p)
	ss.doubt(err)
	ends, lost := s.connectionEnded(p)
	p.out.idle = true
	p.sess = nil
	s.asked.CompareAndSwap(ss, nil)
	s.ready--
	if ss.nap.able {
		s.able--
	}
	if !keep {
		s.remove(p)
	}
	s.chooseReader()
	s.changed.wakeAll()
	s.sendMu.Unlock()
	s.recvMu.Unlock()
	next.signal()
	own.signal()
	s.wakeNotes()
	if lost {
		ss.r.insert(lostBlock(ends))
	}
	if s.opts.Router.Notify&NotifyDisconnect != 0 { // nothing can be sent to it any more
		ss.r.notify(NotifyDisconnect)
	}
	if last := s.parting(ss.accepted); last != nil {
		ss.r.insert(oneBlock([][]byte{last}))
	}
	s.recvMu.Lock()
	s.over(ss.r.in)
	s.recvMu.Unlock()
	s.event(Event{Kind: Disconnected, Endpoint: ss.info.Endpoint, Peer: *ss.info, Err: err})
	return err
}

// control queues a command for the peer, ahead of the messages that wait.
func (ss *session) control(add func(b []byte) []byte) {
	s := ss.s
	s.sendMu.Lock()
	w := ss.addControl(add)
	s.sendMu.Unlock()
	w.do(false)
}

// addControl is control under sendMu.
func (ss *session) addControl(add func(b []byte) []byte) (w wakeup) {
	out := ss.p.out
	if ss.p.sess != ss || !out.live {
		return w
	}
	ss.w.control = add(ss.w.control)
	if out.idle {
		out.idle = false
		w = ss.p.claim()
	}
	return w
}
