package msgcore

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
)

// A streamListener accepts the connections that come to a STREAM.
type streamListener struct {
	s *Socket

	mu     sync.Mutex // guards what follows
	wake   sync.Cond  // with mu; signalled when queue or closed change
	queue  []*streamConn
	closed bool
}

var errListenLate = errors.New("Listener comes before Bind and Connect, whose connections it would miss")

// Listener returns a net.Listener for the connections to the endpoints that s
// will be bound to: each comes out of Accept, as a net.Conn with deadlines and
// CloseWrite, and no longer by Recv. So whatever serves a net.Listener, as an
// http.Server does, serves tcp, ipc and inproc, under the options and the
// monitor of s.
//
// Up to 256 KiB wait in each direction of a connection, within the bounds of
// Options. Closing a connection sends what is queued first. Closing the Listener
// unbinds s, and closes what was not accepted; closing s closes everything.
//
// STREAM only. Call it once, before Bind; later it is ErrState.
func (s *Socket) Listener() (net.Listener, error) {
	if s.optErr != nil {
		return nil, s.optErr
	}
	if s.typ != Stream {
		return nil, s.fail("listen", "", errors.ErrUnsupported)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return nil, s.fail("listen", "", errClosed)
	case len(s.endpoints) > 0 || s.listener != nil:
		return nil, s.fail("listen", "", stateError{errListenLate})
	}
	l := &streamListener{s: s}
	l.wake.L = &l.mu
	s.listener = l
	return l, nil
}

// Accept waits for the next connection.
func (l *streamListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, l.s.fail("accept", "", errClosed)
	}
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c, nil
}

// offer queues a connection for Accept.
func (l *streamListener) offer(c *streamConn) {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.queue = append(l.queue, c)
	}
	l.mu.Unlock()
	if closed {
		c.Close()
		return
	}
	l.wake.Signal()
}

// Close unbinds the socket.
func (l *streamListener) Close() error {
	if !l.end() {
		return l.s.fail("close", "", errClosed)
	}
	l.s.mu.Lock()
	var bound []string
	for _, e := range l.s.endpoints {
		if e.bound {
			bound = append(bound, e.name)
		}
	}
	l.s.mu.Unlock()
	var err error
	for _, name := range bound {
		err = errors.Join(err, l.s.Unbind(name))
	}
	return err
}

// end makes Accept fail and closes what nobody has accepted; false if it has
// been done.
func (l *streamListener) end() bool {
	l.mu.Lock()
	queue, was := l.queue, l.closed
	l.queue, l.closed = nil, true
	l.mu.Unlock()
	l.wake.Broadcast()
	for _, c := range queue {
		c.Close()
	}
	return !was
}

// Addr returns the first endpoint that the socket is bound to.
func (l *streamListener) Addr() net.Addr {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	for _, e := range l.s.endpoints {
		if e.bound {
			scheme, addr, _ := strings.Cut(e.name, "://")
			return streamAddr{scheme, addr}
		}
	}
	return streamAddr{}
}

// A streamAddr is an endpoint as a net.Addr.
type streamAddr struct{ scheme, addr string }

// Network returns the scheme of the endpoint.
func (a streamAddr) Network() string { return a.scheme }

// String returns the endpoint behind its scheme.
func (a streamAddr) String() string { return a.addr }

// Dial connects to endpoint, once, and returns the connection as a net.Conn, as
// a Listener would have accepted it. ctx bounds the call alone. When s is
// closed so is the connection. STREAM only.
func (s *Socket) Dial(ctx context.Context, endpoint string) (net.Conn, error) {
	if s.optErr != nil {
		return nil, s.optErr
	}
	if s.typ != Stream {
		return nil, s.fail("dial", endpoint, errors.ErrUnsupported)
	}
	if err := s.begin(); err != nil {
		return nil, s.fail("dial", endpoint, err)
	}
	s.wg.Add(1) // so that Close waits for us
	s.mu.Unlock()
	c, err := s.dialStream(ctx, endpoint)
	if err != nil {
		s.wg.Done()
		return nil, s.fail("dial", endpoint, err)
	}
	return c, nil
}

func (s *Socket) dialStream(ctx context.Context, endpoint string) (net.Conn, error) {
	ep, tr, err := s.resolve(endpoint)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if s.opts.ConnectTimeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.opts.ConnectTimeout)
		defer cancel()
	}
	conn, err := tr.Dial(ctx, ep.Addr, &s.opts.Transport)
	if err != nil {
		if s.ctx.Err() != nil {
			err = errClosed
		}
		return nil, err
	}
	s.event(Event{Kind: Connected, Endpoint: endpoint})
	ss := s.byteSession(conn, endpoint)
	if err := ss.attach(newPeer(s, ss.info)); err != nil {
		ss.end(err)
		return nil, err
	}
	c := newStreamConn(ss, conn)
	stop := context.AfterFunc(s.ctx, func() { ss.end(errClosed) })
	go func() {
		defer s.wg.Done()
		defer stop()
		_ = ss.run(false) // the connection tells why
	}()
	return c, nil
}
