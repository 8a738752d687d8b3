package pgm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
)

// A recvConn is an endpoint that receives: a receiver and its sockets. One
// goroutine reads them, and asks for repairs when they are due.
type recvConn struct {
	c     *config
	group socket
	own   socket // to send requests by
	box   outbox // of serve

	mu    sync.Mutex // guards what follows
	m     *receiver
	ready []delivery // to be handed out: ready[at:]
	at    int

	held   []delivery    // handed out; of ReadPackets
	news   chan struct{} // capacity 1: there are deliveries, or serve has ended
	closed chan struct{}
	once   sync.Once
	done   chan struct{} // closed when serve has ended
	err    error         // of serve; read after done
}

const (
	recvBatch = 32
	maxReady  = 1024 // packets that wait for ReadPackets
)

func openReceiver(ctx context.Context, c *config) (*recvConn, error) {
	group, err := openGroup(ctx, c)
	if err != nil {
		return nil, err
	}
	own, err := openOwn(ctx, c, 0)
	if err != nil {
		group.Close()
		return nil, err
	}
	r := &recvConn{
		c: c, group: group, own: own, news: make(chan struct{}, 1),
		closed: make(chan struct{}), done: make(chan struct{}),
	}
	r.m = &receiver{
		dport: c.addr.Port, group: c.addr.Host, window: receiveWindow, counters: c.counters,
		memory: newMemory(c.memory), sources: map[sourceKey]*source{}, rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		emit:    func(b []byte, to netip.Addr) { r.box.add(c, b, to) },
		deliver: func(d delivery) { r.ready = append(r.ready, d) },
		room:    func() bool { return len(r.ready)-r.at < maxReady },
	}
	go r.serve()
	return r, nil
}

func (r *recvConn) Addr() net.Addr { return r.c.netAddr() }
func (r *recvConn) MaxPacket() int { return r.c.tsdu }

func (r *recvConn) serve() {
	defer r.notify()
	defer close(r.done)
	ms := newMessages(recvBatch, 64<<10)
	set := time.Duration(-1)
	for {
		r.mu.Lock()
		now := clock()
		due := r.m.tick(now)
		news := len(r.ready) > r.at
		r.mu.Unlock()
		if news {
			r.notify()
		}
		r.box.flush(r.c, r.own)
		var err error
		if due != set {
			set = due
			at := time.Time{}
			if due != never {
				at = began.Add(due)
			}
			err = r.group.SetReadDeadline(at)
		}
		select {
		case <-r.closed:
			err = net.ErrClosed
		default:
		}
		n := 0
		if err == nil {
			n, err = r.group.ReadBatch(ms)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			r.err = fmt.Errorf("%s: %w", r.Addr().Network(), err)
			return
		}
		r.mu.Lock()
		now = clock()
		for i := range max(n, 0) {
			from, size := sourceOf(ms[i].Addr), r.group.Split(&ms[i])
			for b := ms[i].Buffers[0][:ms[i].N]; ; b = b[size:] {
				r.m.input(now, b[:min(size, len(b))], from)
				if len(b) <= size {
					break
				}
			}
		}
		r.mu.Unlock()
	}
}

func (r *recvConn) notify() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// ReadPackets hands out what has come in order.
func (r *recvConn) ReadPackets(ps []transport.Packet) (int, error) {
	r.mu.Lock()
	for _, d := range r.held {
		r.m.release(d)
	}
	r.mu.Unlock()
	r.held = r.held[:0]
	for {
		r.mu.Lock()
		n := min(len(ps), len(r.ready)-r.at)
		for i := range n {
			d := r.ready[r.at+i]
			ps[i] = transport.Packet{Peer: d.from, Source: d.source, Lost: d.lost, Gone: d.gone}
			if d.b != nil {
				ps[i].Data = d.b.b
			}
			r.held = append(r.held, d)
		}
		r.at += n
		if r.at == len(r.ready) {
			clear(r.ready)
			r.ready, r.at = r.ready[:0], 0
		} else if r.at >= maxReady {
			r.ready, r.at = append(r.ready[:0], r.ready[r.at:]...), 0
		}
		if len(r.ready)-r.at < maxReady/2 {
			r.m.resume()
		}
		more := len(r.ready) > r.at
		r.mu.Unlock()
		if n > 0 {
			if more {
				r.notify()
			}
			return n, nil
		}
		if more {
			continue
		}
		select {
		case <-r.done:
			return 0, r.err
		default:
		}
		select {
		case <-r.news:
		case <-r.done:
		}
	}
}

// WritePackets fails: nothing is sent.
func (r *recvConn) WritePackets([]transport.Packet) (int, error) {
	return 0, fmt.Errorf("%s: this endpoint receives: %w", r.Addr().Network(), errors.ErrUnsupported)
}

// Close ends the endpoint.
func (r *recvConn) Close() error {
	r.once.Do(func() {
		close(r.closed)
		r.group.Close()
		r.own.Close()
		<-r.done
	})
	return nil
}
