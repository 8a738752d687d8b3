package pgm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/internal/mcast"
)

// A sendConn is an endpoint that sends: a sender and its socket. One goroutine
// reads requests and sends what is due; the callers of WritePackets send data.
type sendConn struct {
	c    *config
	sock socket
	out  []mcast.Message // of WritePackets

	mu     sync.Mutex // guards what follows
	m      *sender
	box    outbox
	wakeAt time.Duration // until when serve reads
	finish bool

	closed chan struct{} // closed by Close
	once   sync.Once
	done   chan struct{} // closed when serve has ended
	err    error         // of serve; read after done
}

const (
	sendBatch = 64
	// lingering is how long nobody asks for repairs before a session may end:
	// four heartbeats tell what was sent last, and a request backs off.
	lingering = 600 * time.Millisecond
)

func openSender(ctx context.Context, c *config) (*sendConn, error) {
	sock, err := openOwn(ctx, c, c.addr.Port)
	if err != nil {
		return nil, err
	}
	s := &sendConn{c: c, sock: sock, closed: make(chan struct{}), done: make(chan struct{})}
	s.out = make([]mcast.Message, sendBatch)
	for i := range s.out {
		s.out[i].Addr = c.target(c.addr.Host)
	}
	b := newBucket(c.rate, c.tsdu+dataSize+c.overhead(), c.overhead())
	s.m = newSender(newTSI(), c.addr.Port, c.nla, c.addr.Host, c.window, c.opts.MulticastParity, b, func(pkt []byte) {
		s.box.add(c, pkt, c.addr.Host)
	})
	s.m.start(clock())
	s.box.flush(c, sock)
	go s.serve()
	return s, nil
}

func (s *sendConn) Addr() net.Addr { return s.c.netAddr() }
func (s *sendConn) MaxPacket() int { return s.c.tsdu }

// serve answers requests and keeps the session known, until it ends.
func (s *sendConn) serve() {
	defer close(s.done)
	ms := newMessages(16, 2048)
	for {
		s.mu.Lock()
		now := clock()
		due := s.m.tick(now)
		if s.finish {
			if now >= s.m.quiet+lingering && len(s.m.asked) == 0 {
				s.mu.Unlock()
				s.err = io.EOF
				return
			}
			due = min(due, max(s.m.quiet+lingering, now+time.Millisecond))
		}
		s.wakeAt = due
		err := s.sock.SetReadDeadline(began.Add(due))
		s.mu.Unlock()
		s.box.flush(s.c, s.sock)
		n := 0
		if err == nil {
			n, err = s.sock.ReadBatch(ms)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			s.err = fmt.Errorf("%s: %w", s.Addr().Network(), err)
			return
		}
		s.mu.Lock()
		now = clock()
		for i := range max(n, 0) {
			if !s.m.input(now, ms[i].Buffers[0][:ms[i].N]) {
				s.c.counters.Malformed.Add(1)
			}
		}
		s.c.counters.Repairs.Add(s.m.repairs)
		s.m.repairs = 0
		s.mu.Unlock()
		s.box.flush(s.c, s.sock)
	}
}

// WritePackets sends ps as fast as the rate allows. What the system refuses is in
// the window, and sent when somebody asks for it.
func (s *sendConn) WritePackets(ps []transport.Packet) (sent int, err error) {
	for sent < len(ps) {
		n, ms, wait, err := s.prepare(ps[sent:])
		if n > 0 {
			if err := writeAll(s.c, s.sock, ms); err != nil {
				return sent, fmt.Errorf("%s: %w", s.Addr().Network(), err)
			}
		}
		sent += n
		if err != nil {
			return sent, err
		}
		if sent < len(ps) && wait > 0 && !s.sleep(wait) {
			return sent, fmt.Errorf("%s: %w", s.Addr().Network(), net.ErrClosed)
		}
	}
	return sent, nil
}

// prepare makes packets of as many of ps as may be sent now, and messages of them.
func (s *sendConn) prepare(ps []transport.Packet) (n int, ms []mcast.Message, wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock()
	for ; n < len(ps) && n < len(s.out); n++ {
		if len(ps[n].Data) > s.c.tsdu {
			return n, s.join(ms), 0, fmt.Errorf("%s: %d bytes in one packet, the limit is %d", s.Addr().Network(), len(ps[n].Data), s.c.tsdu)
		}
		if wait = s.m.mayAdd(now); wait > 0 {
			break
		}
		b := s.m.send(now, ps[n].Data)
		if len(ms) == 0 || !s.suits(&ms[len(ms)-1], b) {
			ms = s.out[:len(ms)+1]
			ms[len(ms)-1].Buffers = ms[len(ms)-1].Buffers[:0]
		}
		m := &ms[len(ms)-1]
		m.Buffers = append(m.Buffers, b)
	}
	if s.wakeAt > s.m.spmAt { // an SPM is due sooner than serve knows
		s.wakeAt = s.m.spmAt
		_ = s.sock.SetReadDeadline(began.Add(s.wakeAt))
	}
	return n, s.join(ms), wait, nil
}

// suits reports whether b can be sent together with what is in m: the last packet
// may be shorter than the others.
func (s *sendConn) suits(m *mcast.Message, b []byte) bool {
	size := len(m.Buffers[0])
	return len(b) <= size && len(m.Buffers[len(m.Buffers)-1]) == size && len(m.Buffers) < s.sock.Together(size)
}

func (s *sendConn) join(ms []mcast.Message) []mcast.Message {
	for i := range ms {
		s.sock.Join(&ms[i])
	}
	return ms
}

// sleep waits for d, and reports whether the endpoint is still open.
func (s *sendConn) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closed:
		return false
	}
}

// ReadPackets waits for the end: nothing is received.
func (s *sendConn) ReadPackets([]transport.Packet) (int, error) {
	<-s.done
	return 0, s.err
}

// Finish lets the session end once nobody asks for repairs any more.
func (s *sendConn) Finish() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m.next == 0 {
		return false // nothing was sent
	}
	s.finish = true
	s.wakeAt = clock()
	_ = s.sock.SetReadDeadline(time.Now())
	return true
}

// Close says that the session ends, and ends it.
func (s *sendConn) Close() error {
	s.once.Do(func() {
		close(s.closed)
		_ = s.sock.SetReadDeadline(time.Now())
		s.mu.Lock()
		fin := outbox{}
		emit := s.m.emit
		s.m.emit = func(b []byte) { fin.add(s.c, b, s.c.addr.Host) }
		s.m.spm(clock(), true)
		s.m.emit = emit
		s.mu.Unlock()
		fin.flush(s.c, s.sock)
		s.sock.Close()
		<-s.done
	})
	return nil
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
